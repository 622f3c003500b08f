"""Working weeks and holidays of units, and whether a user still works here."""

from alembic import op

from scheduling.tables import holiday, metadata, working_week

revision = "0070"
down_revision = "0040"


def upgrade() -> None:
    """Make what an earlier step has not made."""
    metadata.create_all(op.get_bind(), tables=[working_week, holiday])
    op.execute('ALTER TABLE "user" ADD COLUMN IF NOT EXISTS active boolean NOT NULL DEFAULT true')
