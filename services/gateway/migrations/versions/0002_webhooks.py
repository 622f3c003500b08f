"""Webhooks: who is told what and where, how far each has got, what waits to be said again, and the last tries."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables; nothing of the former version reads them."""
    op.execute(
        """
        CREATE TABLE webhook (
            id uuid PRIMARY KEY,
            name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
            address text NOT NULL CHECK (length(address) <= 2000),
            types text[] NOT NULL DEFAULT '{}',
            unit_id text NOT NULL DEFAULT '',
            owner_id uuid NOT NULL,
            sealed bytea NOT NULL,
            former_sealed bytea,
            former_end timestamptz,
            state text NOT NULL CHECK (state IN ('on', 'paused', 'failed', 'gone', 'owner_closed')),
            failures integer NOT NULL DEFAULT 0,
            failing_since timestamptz,
            rest_until timestamptz NOT NULL DEFAULT 'epoch',
            missed boolean NOT NULL DEFAULT false,
            lease_holder text NOT NULL DEFAULT '',
            lease_end timestamptz NOT NULL DEFAULT 'epoch',
            version bigint NOT NULL DEFAULT 1,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX webhook_on ON webhook (rest_until) WHERE state = 'on'")
    op.execute(
        """
        CREATE TABLE webhook_cursor (
            webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
            service text NOT NULL,
            source text NOT NULL,
            epoch integer NOT NULL,
            position bigint NOT NULL,
            PRIMARY KEY (webhook_id, service)
        )
        """
    )
    # Where an event lies, never what it says: the log that holds it is where people are forgotten.
    op.execute(
        """
        CREATE TABLE webhook_waiting (
            webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
            service text NOT NULL,
            position bigint NOT NULL,
            epoch integer NOT NULL,
            event_id uuid NOT NULL,
            type text NOT NULL,
            aggregate_id uuid NOT NULL,
            state text NOT NULL CHECK (state IN ('waiting', 'parked')),
            tries integer NOT NULL,
            next_time timestamptz NOT NULL,
            first_time timestamptz NOT NULL,
            result text NOT NULL,
            PRIMARY KEY (webhook_id, service, position)
        )
        """
    )
    op.execute("CREATE INDEX webhook_waiting_record ON webhook_waiting (webhook_id, service, aggregate_id, position)")
    op.execute(
        """
        CREATE TABLE webhook_attempt (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            webhook_id uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
            event_id text NOT NULL,
            type text NOT NULL,
            attempt integer NOT NULL,
            result text NOT NULL,
            status integer NOT NULL,
            millis integer NOT NULL,
            answer text NOT NULL,
            create_time timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX webhook_attempt_hook ON webhook_attempt (webhook_id, id)")
