"""The directory's own tables: units, users, positions, sessions and wrong attempts to sign in."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

metadata = sa.MetaData()
TIME = sa.TIMESTAMP(timezone=True)


def _uuid() -> UUID[str]:
    return UUID(as_uuid=False)


# own_…: what the unit itself says, NULL where it inherits; country_code and the like hold what is in force.
unit = sa.Table(
    "unit",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("parent_id", _uuid(), sa.ForeignKey("unit.id")),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False, unique=True),
    sa.Column("own_country_code", sa.Text),
    sa.Column("own_area_code", sa.Text),
    sa.Column("own_time_zone", sa.Text),
    sa.Column("own_currency_code", sa.Text),
    sa.Column("country_code", sa.Text, nullable=False),
    sa.Column("area_code", sa.Text, nullable=False),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("currency_code", sa.Text, nullable=False),
    sa.Column("start_date", sa.Date),
    sa.Column("end_date", sa.Date),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("create_time", TIME, nullable=False),
    sa.UniqueConstraint("parent_id", "code", name="unit_code", postgresql_nulls_not_distinct=True),
    sa.Index("unit_name_key", "name_key"),
    sa.Index("unit_code_only", "code"),
    sa.Index("unit_path_below", "path", postgresql_ops={"path": "text_pattern_ops"}),
)

user = sa.Table(
    "user",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("login", sa.Text),
    sa.Column("login_key", sa.Text, unique=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("leave_date", sa.Date),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("create_time", TIME, nullable=False),
    sa.Index("user_name_key", "name_key", "id"),
    sa.Index("user_email_key", "email_key", postgresql_where=sa.text("email_key <> ''")),
)

alias = sa.Table(
    "alias",
    metadata,
    sa.Column("user_id", _uuid(), sa.ForeignKey("user.id"), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("user_id", "text"),
    sa.Index("alias_name_key", "name_key"),
)

position = sa.Table(
    "position",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("user_id", _uuid(), sa.ForeignKey("user.id"), nullable=False),
    sa.Column("unit_id", _uuid(), sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("start_date", sa.Date),
    sa.Column("end_date", sa.Date),
    sa.Index("position_user", "user_id", "id"),
    sa.Index("position_unit", "unit_id", "user_id"),
)

# token_hash is SHA-256 of the one refresh token that is good now; an older one of the same session ends it.
session = sa.Table(
    "session",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("user_id", _uuid(), sa.ForeignKey("user.id"), nullable=False),
    sa.Column("token_hash", sa.LargeBinary, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("use_time", TIME, nullable=False),
    sa.Index("session_user", "user_id"),
)

# One row a login that was tried wrong, known or not; rows older than the window mean nothing.
wrong_attempt = sa.Table(
    "wrong_attempt",
    metadata,
    sa.Column("login_hash", sa.LargeBinary, primary_key=True),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("start_time", TIME, nullable=False),
)
