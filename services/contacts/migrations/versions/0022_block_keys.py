"""The keys of blocks need no index: searches read them all, and keeping it cost more than they take."""

from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Drop the index where 0020 has made it."""
    op.execute("DROP INDEX IF EXISTS block_keys")
