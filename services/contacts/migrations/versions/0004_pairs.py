"""Possible duplicates are found by either card of a pair: every open card asks for its own."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the index where 0001 has not made it; the first card has the one that keeps pairs apart."""
    op.execute("CREATE INDEX IF NOT EXISTS possible_duplicate_second ON possible_duplicate (second_id)")
