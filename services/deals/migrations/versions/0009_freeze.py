"""Whether what could carry data away is stopped in a unit."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the column where an earlier step has not made it."""
    op.execute("ALTER TABLE unit ADD COLUMN IF NOT EXISTS freeze_reason text NOT NULL DEFAULT ''")
