"""Runs that nobody looks at between check and load; no statistics of rows' values, which nobody searches by."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the mark where 0001 has not made it, and leave the values of rows out of what is gathered of them."""
    op.execute("ALTER TABLE run ADD COLUMN IF NOT EXISTS unattended boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE run_row ALTER COLUMN cells SET STATISTICS 0, ALTER COLUMN record SET STATISTICS 0")
