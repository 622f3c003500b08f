"""The gateway's own tables: sessions in the browser, and how each person likes the workplace."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = sa.MetaData()
_Id = UUID(as_uuid=False)
_Time = sa.DateTime(timezone=True)

web_session = sa.Table(
    "web_session",
    metadata,
    sa.Column("id_hash", sa.LargeBinary, primary_key=True),  # the browser alone has the id itself
    sa.Column("user_id", _Id, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # tokens, encrypted with a key made from the id
    sa.Column("token_end", _Time, nullable=False),
    sa.Column("renewing_until", _Time, nullable=False),
    sa.Column("create_time", _Time, nullable=False),
    sa.Column("seen_time", _Time, nullable=False),
    sa.Column("end_time", _Time, nullable=False),
)

view_setting = sa.Table(
    "view_setting",
    metadata,
    sa.Column("user_id", _Id, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", JSONB, nullable=False),
    sa.Column("update_time", _Time, nullable=False),
)
