"""Where a session signed in from, for the list its owner sees."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns where 0001 has not made them."""
    op.execute("ALTER TABLE session ADD COLUMN IF NOT EXISTS device text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE session ADD COLUMN IF NOT EXISTS address text NOT NULL DEFAULT ''")
