"""Views of lists that people saved."""

from alembic import op

revision = "0040"
down_revision = "0002"


def upgrade() -> None:
    """Make the table; nothing of the former version reads it."""
    op.execute(
        """
        CREATE TABLE saved_view (
            id uuid PRIMARY KEY,
            list_name text NOT NULL CHECK (list_name IN ('customers', 'organizations', 'deals')),
            name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
            owner_id uuid NOT NULL,
            sharing text NOT NULL CHECK (sharing IN ('mine', 'unit', 'everybody')),
            unit_id text NOT NULL CHECK ((unit_id <> '') = (sharing = 'unit')),
            unit_path text NOT NULL,
            query text NOT NULL CHECK (length(query) <= 20000),
            version bigint NOT NULL DEFAULT 1,
            create_time timestamptz NOT NULL,
            update_time timestamptz NOT NULL
        )
        """
    )
    op.execute("CREATE INDEX saved_view_owner ON saved_view (owner_id, list_name)")
    op.execute("CREATE INDEX saved_view_shared ON saved_view (list_name) WHERE sharing <> 'mine'")
