"""Whether what could carry data away is stopped in a unit."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the column where an earlier step has not made it."""
    op.execute("ALTER TABLE unit ADD COLUMN IF NOT EXISTS freeze_reason text NOT NULL DEFAULT ''")
