"""Tables of the audit trail. Entries and seals are only ever inserted: a trigger refuses everything else."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, UUID

metadata = sa.MetaData()
TIME = sa.TIMESTAMP(timezone=True)


def _uuid() -> UUID[str]:
    return UUID(as_uuid=False)


# before and after are states of the record, encrypted with its key of audit_key; text_mark is a keyed hash of what was
# searched for. So a record's values, and they alone, can be forgotten while the chain stays whole.
audit_entry = sa.Table(
    "audit_entry",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("time", TIME, nullable=False),
    sa.Column("actor_id", sa.Text, nullable=False),
    sa.Column("actor_path", sa.Text, nullable=False, server_default=""),
    sa.Column("session_id", sa.Text, nullable=False, server_default=""),
    sa.Column("origin", sa.Text, nullable=False, server_default=""),
    sa.Column("service", sa.Text, nullable=False, server_default=""),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("records", sa.Text, nullable=False, server_default=""),
    sa.Column("record_ids", ARRAY(_uuid()), nullable=False, server_default="{}"),
    sa.Column("unit_path", sa.Text, nullable=False, server_default=""),
    sa.Column("record_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("text_mark", BYTEA),
    sa.Column("before", BYTEA),
    sa.Column("after", BYTEA),
    sa.Index("audit_entry_time", "time", "id"),
    sa.Index("audit_entry_actor", "actor_id", "time", "id"),
    sa.Index("audit_entry_session", "session_id", postgresql_where=sa.text("action = 'sign-in'")),
    sa.Index("audit_entry_records", "record_ids", postgresql_using="gin"),
)

# One row an entry: its place in the chain, and SHA-256 over the hash before it and the entry.
audit_seal = sa.Table(
    "audit_seal",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entry_id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("hash", BYTEA, nullable=False),
    sa.Column("seal_time", TIME, nullable=False),
)

# The key of each record whose values stand in entries; without it they cannot be read any more. The zero id's key
# marks searched texts.
audit_key = sa.Table(
    "audit_key",
    metadata,
    sa.Column("record_id", _uuid(), primary_key=True),
    sa.Column("key", BYTEA, nullable=False),
)

# How far the log of events has been taken over, and below which id every entry has its seal.
audit_state = sa.Table(
    "audit_state",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("sealed_to", sa.BigInteger, nullable=False, server_default="0"),
    sa.CheckConstraint("one", name="audit_state_one_row"),
)

_ONLY_INSERT = """
CREATE OR REPLACE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit trail is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
"""
_TRIGGER = """
CREATE OR REPLACE TRIGGER {table}_only_insert BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();
"""


def create_audit_tables(connection: sa.Connection) -> None:
    """Make those of the tables that are missing, with their guards; what was said before the trail began is not in it.

    The tables of chassis.schema must be there.
    """
    create_trail_without_events(connection)
    connection.exec_driver_sql(
        "INSERT INTO audit_state (position) SELECT last_position FROM relay_state ON CONFLICT DO NOTHING"
    )


def create_trail_without_events(connection: sa.Connection) -> None:
    """The same where there is no log of events: every deed writes its own entry. The row of state is left out."""
    metadata.create_all(connection)
    connection.exec_driver_sql(_ONLY_INSERT)
    for table in (audit_entry, audit_seal):
        connection.exec_driver_sql(_TRIGGER.format(table=table.name))
