"""Saved reports that come again and again to those who have them."""

from alembic import op

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    """Add when a report comes; a former version leaves it alone, and what it makes does not come."""
    op.execute(
        "ALTER TABLE saved_view ADD COLUMN send_every text NOT NULL DEFAULT '' "
        "CHECK (send_every IN ('', 'week', 'month')), ADD COLUMN send_since timestamptz"
    )
