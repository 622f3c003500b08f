"""The directory's own tables: units, users, seats, positions, roles, restrictions, sessions, wrong tries to sign in."""

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
    sa.Column("freeze_reason", sa.Text, nullable=False, server_default=""),
    # The unit it became part of: it lies below that one, closed, so that its records are seen there.
    sa.Column("merged_into_id", _uuid(), sa.ForeignKey("unit.id")),
    sa.UniqueConstraint("parent_id", "code", name="unit_code", postgresql_nulls_not_distinct=True),
    sa.Index("unit_name_key", "name_key"),
    sa.Index("unit_code_only", "code"),
    sa.Index("unit_path_below", "path", postgresql_ops={"path": "text_pattern_ops"}),
)

# Where each unit was and what it was called after each change; never changed afterwards.
unit_history = sa.Table(
    "unit_history",
    metadata,
    sa.Column("unit_id", _uuid(), sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("change_time", TIME, nullable=False),
    sa.Column("parent_id", _uuid()),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("merged_into_id", _uuid()),
    sa.PrimaryKeyConstraint("unit_id", "version"),
)

# What was reorganized and what is planned; user_ids are those who go when a unit is split.
reorganization = sa.Table(
    "reorganization",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("unit_id", _uuid(), sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("into_id", _uuid(), sa.ForeignKey("unit.id")),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("user_ids", sa.ARRAY(_uuid()), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("requester_id", _uuid(), nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("decide_time", TIME),
    sa.Column("refusal", sa.Text, nullable=False, server_default=""),
    sa.Index("reorganization_planned", "day", postgresql_where=sa.text("state = 'planned'")),
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
    # What the system that brings people in calls the user.
    sa.Column("external_id", sa.Text, nullable=False, server_default=""),
    sa.Index("user_external_id", "external_id", postgresql_where=sa.text("external_id <> ''")),
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

# A place in a unit apart from who holds it: positions name the seat they hold.
seat = sa.Table(
    "seat",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("unit_id", _uuid(), sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("end_date", sa.Date),
    sa.Column("create_time", TIME, nullable=False),
    sa.Index("seat_unit", "unit_id", "id"),
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
    # The position whose holder is away, where this one is held for somebody else.
    sa.Column("substitutes_id", _uuid(), sa.ForeignKey("position.id")),
    sa.Column("seat_id", _uuid(), sa.ForeignKey("seat.id")),
    sa.Index("position_user", "user_id", "id"),
    sa.Index("position_unit", "unit_id", "user_id"),
    sa.Index("position_seat", "seat_id", postgresql_where=sa.text("seat_id IS NOT NULL")),
)

role = sa.Table(
    "role",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("built_in", sa.Boolean, nullable=False),
    sa.Column("password_off", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("factor", sa.Text, nullable=False, server_default=""),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("create_time", TIME, nullable=False),
)

# records is empty where every kind is meant.
permission = sa.Table(
    "permission",
    metadata,
    sa.Column("role_id", _uuid(), sa.ForeignKey("role.id", ondelete="CASCADE"), nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("records", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("role_id", "action", "records", "scope"),
)

# Confidential fields of one kind of records that are granted together; permissions name them as `records.code`.
field_group = sa.Table(
    "field_group",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("records", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("fields", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("create_time", TIME, nullable=False),
    sa.UniqueConstraint("records", "code", name="field_group_code"),
)

# Speaks of a user or of everybody with a role, never of both.
restriction = sa.Table(
    "restriction",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("unit_id", _uuid(), sa.ForeignKey("unit.id"), nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("records", sa.Text, nullable=False),
    sa.Column("user_id", _uuid(), sa.ForeignKey("user.id")),
    sa.Column("role_id", _uuid(), sa.ForeignKey("role.id")),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("start_date", sa.Date),
    sa.Column("end_date", sa.Date),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("create_time", TIME, nullable=False),
    sa.CheckConstraint("(user_id IS NULL) <> (role_id IS NULL)", name="restriction_of_one"),
    sa.Index("restriction_user", "user_id", postgresql_where=sa.text("user_id IS NOT NULL")),
    sa.Index("restriction_role", "role_id", postgresql_where=sa.text("role_id IS NOT NULL")),
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
    sa.Column("device", sa.Text, nullable=False, server_default=""),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    # What a role asks for and the account does not have yet: the session sets it up and does nothing else.
    sa.Column("sets_up", sa.Text, nullable=False, server_default=""),
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

# secret_hash is SHA-256 of what the program sends; an ended key is gone.
api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("user_id", _uuid(), sa.ForeignKey("user.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("secret_hash", sa.LargeBinary, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("expire_time", TIME, nullable=False),
    sa.Column("use_time", TIME),
    sa.Index("api_key_user", "user_id", "id"),
)

# secret is encrypted with a key made from the directory's private key; without a confirm_time it does not count yet.
# last_step is the time step of the last code taken: none is taken twice.
second_factor = sa.Table(
    "second_factor",
    metadata,
    sa.Column("user_id", _uuid(), sa.ForeignKey("user.id"), primary_key=True),
    sa.Column("secret", sa.LargeBinary, nullable=False),
    sa.Column("confirm_time", TIME),
    sa.Column("last_step", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("recovery_hashes", sa.ARRAY(sa.LargeBinary), nullable=False, server_default="{}"),
)

# Whom a provider means by a subject; a link stays when name or e-mail change.
identity = sa.Table(
    "identity",
    metadata,
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("user_id", _uuid(), sa.ForeignKey("user.id"), nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.PrimaryKeyConstraint("issuer", "subject"),
)

# credential_id and public_key as the device gave them; a passkey is good for one host, its relying party.
passkey = sa.Table(
    "passkey",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("user_id", _uuid(), sa.ForeignKey("user.id"), nullable=False),
    sa.Column("credential_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("signs", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("use_time", TIME),
    sa.Index("passkey_user", "user_id"),
)

# Answers to challenges that were taken, so that none is taken twice; forgotten with the tickets.
used_challenge = sa.Table(
    "used_challenge",
    metadata,
    sa.Column("challenge", sa.LargeBinary, primary_key=True),
    sa.Column("use_time", TIME, nullable=False),
)

# A group of people as the system that brings them in knows it; where its name means a unit and a role, its members
# hold that position.
staff_group = sa.Table(
    "staff_group",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False, unique=True),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("unit_id", _uuid(), sa.ForeignKey("unit.id")),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("create_time", TIME, nullable=False),
)

staff_group_member = sa.Table(
    "staff_group_member",
    metadata,
    sa.Column("group_id", _uuid(), sa.ForeignKey("staff_group.id", ondelete="CASCADE"), nullable=False),
    sa.Column("user_id", _uuid(), sa.ForeignKey("user.id"), nullable=False),
    sa.Column("position_id", _uuid(), sa.ForeignKey("position.id")),
    sa.PrimaryKeyConstraint("group_id", "user_id"),
)
