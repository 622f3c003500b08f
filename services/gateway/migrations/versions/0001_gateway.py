"""The first tables of the gateway: people's sessions in the browser and how each likes the workplace."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make both tables."""
    op.execute(
        """
        CREATE TABLE web_session (
            id_hash bytea PRIMARY KEY,
            user_id uuid NOT NULL,
            sealed bytea NOT NULL,
            token_end timestamptz NOT NULL,
            renewing_until timestamptz NOT NULL DEFAULT '-infinity',
            create_time timestamptz NOT NULL,
            seen_time timestamptz NOT NULL,
            end_time timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX web_session_end ON web_session (end_time)")
    op.execute("CREATE INDEX web_session_user ON web_session (user_id)")
    op.execute(
        """
        CREATE TABLE view_setting (
            user_id uuid NOT NULL,
            name text NOT NULL CHECK (length(name) <= 100),
            value jsonb NOT NULL CHECK (pg_column_size(value) <= 16384),
            update_time timestamptz NOT NULL,
            PRIMARY KEY (user_id, name)
        )
        """
    )
