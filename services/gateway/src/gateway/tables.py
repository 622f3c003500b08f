"""The gateway's own tables: sessions in the browser, how each person likes the workplace, and webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

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

webhook = sa.Table(
    "webhook",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("types", ARRAY(sa.Text), nullable=False),  # none: every type that can be told
    sa.Column("unit_id", sa.Text, nullable=False),  # empty: of the whole organization
    sa.Column("owner_id", _Id, nullable=False),  # no more is told than this user may see and tell
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # the secret that signs, encrypted with the operator's key
    sa.Column("former_sealed", sa.LargeBinary),
    sa.Column("former_end", _Time),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),  # of its receiver, in a row
    sa.Column("failing_since", _Time),
    sa.Column("rest_until", _Time, nullable=False),
    sa.Column("missed", sa.Boolean, nullable=False),  # events were kept no longer when their turn came
    sa.Column("lease_holder", sa.Text, nullable=False),
    sa.Column("lease_end", _Time, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("create_time", _Time, nullable=False),
    sa.Column("update_time", _Time, nullable=False),
)

webhook_cursor = sa.Table(
    "webhook_cursor",
    metadata,
    sa.Column("webhook_id", _Id, primary_key=True),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
)

webhook_waiting = sa.Table(
    "webhook_waiting",
    metadata,
    sa.Column("webhook_id", _Id, primary_key=True),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("event_id", _Id, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("aggregate_id", _Id, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("next_time", _Time, nullable=False),
    sa.Column("first_time", _Time, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
)

webhook_attempt = sa.Table(
    "webhook_attempt",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("webhook_id", _Id, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("millis", sa.Integer, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("create_time", _Time, nullable=False),
)

saved_view = sa.Table(
    "saved_view",
    metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("list_name", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner_id", _Id, nullable=False),
    sa.Column("sharing", sa.Text, nullable=False),
    sa.Column("unit_id", sa.Text, nullable=False),  # with which it is shared
    sa.Column("unit_path", sa.Text, nullable=False),  # where that was when it was saved: read by the release before
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("send_every", sa.Text, nullable=False, server_default=""),  # week, month: comes to those who have it
    sa.Column("send_since", _Time),
    sa.Column("create_time", _Time, nullable=False),
    sa.Column("update_time", _Time, nullable=False),
)
