"""The queue of possible duplicates is read in the order of an index."""

from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Make the index over what is listed, which is little, and drop the one that no question used."""
    op.execute("DROP INDEX IF EXISTS possible_duplicate_likely")
    op.execute(
        "CREATE INDEX IF NOT EXISTS possible_duplicate_queue ON possible_duplicate ((- COALESCE(bits, -100)), id)"
        " WHERE dismiss_time IS NULL"
    )
