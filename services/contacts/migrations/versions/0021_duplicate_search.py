"""Pairs that may be one customer have a score with its reasons, and whoever says they are two is remembered."""

from alembic import op

from contacts.tables import duplicate_search

revision = "0021"
down_revision = "0020"

_COLUMNS = (
    "bits double precision", "agreements jsonb", "find_time timestamptz", "dismiss_time timestamptz",
    "dismisser_id text NOT NULL DEFAULT ''", "dismisser_name text NOT NULL DEFAULT ''",
    "dismiss_note text NOT NULL DEFAULT ''",
)  # fmt: skip


def upgrade() -> None:
    """Add what 0001 has not made; the columns are empty, so no row is written again."""
    added = ", ".join(f"ADD COLUMN IF NOT EXISTS {column}" for column in _COLUMNS)
    op.execute(f"ALTER TABLE possible_duplicate {added}")
    op.execute(
        "CREATE INDEX IF NOT EXISTS possible_duplicate_likely ON possible_duplicate (bits DESC, id)"
        " WHERE dismiss_time IS NULL"
    )
    duplicate_search.create(op.get_bind(), checkfirst=True)
