"""The table of units a service keeps, filled from the directory's events only."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

metadata = sa.MetaData()

unit = sa.Table(
    "unit",
    metadata,
    sa.Column("id", UUID(as_uuid=False), primary_key=True),
    sa.Column("parent_id", UUID(as_uuid=False)),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("country_code", sa.Text, nullable=False),
    sa.Column("area_code", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("currency_code", sa.Text, nullable=False),
    sa.Column("start_date", sa.Date),
    sa.Column("end_date", sa.Date),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("freeze_reason", sa.Text, nullable=False, server_default=""),
    sa.Index("unit_path", "path", postgresql_ops={"path": "text_pattern_ops"}),
)
