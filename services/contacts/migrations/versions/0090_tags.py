"""Cards have tags, each spelt one way everywhere."""

from alembic import op

from contacts.tables import customer_tag

revision = "0090"
down_revision = "0080"


def upgrade() -> None:
    """Add what 0001 has not made; the columns are empty, so no row is written again and the indexes begin empty."""
    customer_tag.create(op.get_bind(), checkfirst=True)
    for table in ("person", "organization"):
        op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS tags text[] NOT NULL DEFAULT '{{}}'")
        op.execute(f"CREATE INDEX IF NOT EXISTS {table}_tags ON {table} USING gin (tags) WHERE tags <> '{{}}'")
