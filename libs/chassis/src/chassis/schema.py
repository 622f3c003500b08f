"""Tables every service database has beside its own: outbox, log, relay state, inbox, parked events, idempotency, jobs.

The audit trail's are in chassis/audit/tables.py, and are made with these.

Source: reference tables of the platform's reliability design; sizes and settings are explained at each table.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

from chassis.audit.tables import create_audit_tables

metadata = sa.MetaData()
TIME = sa.TIMESTAMP(timezone=True)


def _uuid() -> UUID[str]:
    return UUID(as_uuid=False)


outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("event_id", _uuid(), nullable=False),
    sa.Column("aggregate", sa.Text, nullable=False),
    sa.Column("aggregate_id", _uuid(), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("routing_key", sa.Text, nullable=False),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("data", BYTEA, nullable=False),
    sa.Column("subject_id", _uuid()),
    sa.Column("create_time", TIME, nullable=False, server_default=sa.text("clock_timestamp()")),
)

event_log = sa.Table(
    "event_log",
    metadata,
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("event_id", _uuid(), nullable=False),
    sa.Column("aggregate", sa.Text, nullable=False),
    sa.Column("aggregate_id", _uuid(), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("routing_key", sa.Text, nullable=False),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("data", BYTEA, nullable=False),
    sa.Column("subject_id", _uuid()),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.PrimaryKeyConstraint("position", "day"),
    postgresql_partition_by="RANGE (day)",
)

# What days that are kept no longer leave behind: the last event of each type of each record. Events carry whole
# states, so with it whoever comes later than the log's days learns the same (docs/adr/0014).
event_snapshot = sa.Table(
    "event_snapshot",
    metadata,
    sa.Column("aggregate_id", _uuid(), nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("event_id", _uuid(), nullable=False),
    sa.Column("aggregate", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("routing_key", sa.Text, nullable=False),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("data", BYTEA, nullable=False),
    sa.Column("subject_id", _uuid()),
    sa.Column("create_time", TIME, nullable=False),
    sa.PrimaryKeyConstraint("aggregate_id", "type"),
)

relay_state = sa.Table(
    "relay_state",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="1"),
    sa.Column("last_position", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("published_position", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("term", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("holder", sa.Text),
    sa.Column("hold_time", TIME),
    sa.CheckConstraint("one", name="relay_state_one_row"),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("consumer", sa.Text, nullable=False),
    sa.Column("event_id", _uuid(), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("handle_time", TIME, nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("consumer", "event_id"),
    sa.Index("inbox_age", "handle_time", postgresql_using="brin"),
)

parked_event = sa.Table(
    "parked_event",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("consumer", sa.Text, nullable=False),
    sa.Column("event_id", _uuid(), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("aggregate", sa.Text, nullable=False),
    sa.Column("aggregate_id", _uuid(), nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("headers", JSONB, nullable=False),
    sa.Column("data", BYTEA, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_time", TIME),
    sa.Column("error_class", sa.Text),
    sa.Column("error_code", sa.Text),
    sa.Column("first_time", TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("resolved_by", sa.Text),
    sa.UniqueConstraint("consumer", "event_id"),
    sa.CheckConstraint("state IN ('retry','behind','parked','resolved','skipped')", name="parked_event_state"),
    sa.Index(
        "parked_event_open",
        "consumer",
        "aggregate_id",
        "version",
        postgresql_where=sa.text("state IN ('retry','behind','parked')"),
    ),
    sa.Index("parked_event_due", "next_time", postgresql_where=sa.text("state = 'retry'")),
)

# What a parked event held before somebody changed it; the one with the lowest number is what came.
parked_edit = sa.Table(
    "parked_edit",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("parked_id", sa.BigInteger, sa.ForeignKey("parked_event.id", ondelete="CASCADE"), nullable=False),
    sa.Column("data", BYTEA, nullable=False),
    sa.Column("editor", sa.Text, nullable=False),
    sa.Column("edit_time", TIME, nullable=False),
    sa.Index("parked_edit_event", "parked_id"),
)

consumer_mark = sa.Table(
    "consumer_mark",
    metadata,
    sa.Column("consumer", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("event_time", TIME, nullable=False),
    sa.PrimaryKeyConstraint("consumer", "source"),
)

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("principal", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("body_sha256", BYTEA, nullable=False),
    sa.Column("answer", BYTEA),
    sa.Column("create_time", TIME, nullable=False, server_default=sa.func.now()),
    sa.PrimaryKeyConstraint("principal", "method", "key"),
    sa.CheckConstraint("length(key) <= 255", name="idempotency_key_length"),
    sa.Index("idempotency_age", "create_time", postgresql_using="brin"),
)

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("payload", JSONB, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
    sa.Column("checkpoint", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")),
    sa.Column("run_time", TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("lease_holder", sa.Text),
    sa.Column("lease_end", TIME),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("error", sa.Text),
    sa.Column("create_time", TIME, nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("state IN ('waiting','running','done','failed','cancelled')", name="job_state"),
    sa.Index("job_due", "run_time", postgresql_where=sa.text("state IN ('waiting','running')")),
)

# An outbox row lives milliseconds: vacuum by count, not by share, so dead rows never slow the relay.
_SETTINGS = """
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_cost_delay = 0);
CREATE INDEX IF NOT EXISTS event_log_aggregate ON event_log (aggregate_id, version);
CREATE TABLE IF NOT EXISTS event_log_rest PARTITION OF event_log DEFAULT;
"""


def create_chassis_tables(connection: sa.Connection, source: str) -> None:
    """Make those of the tables above that are missing in a service's database.

    `source` is its CloudEvents source, such as `crm/hq/contacts`.
    """
    metadata.create_all(connection)
    connection.exec_driver_sql(_SETTINGS)
    connection.execute(sa.text("INSERT INTO relay_state (source) VALUES (:s) ON CONFLICT DO NOTHING"), {"s": source})
    create_audit_tables(connection)
