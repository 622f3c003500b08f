"""Deals are found by words of their titles, and their steps by the time at which they were made."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the indexes where 0001 has not made them; pg_trgm is a trusted extension."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE INDEX IF NOT EXISTS deal_words ON deal USING gin (title gin_trgm_ops, external_id gin_trgm_ops)")
    op.execute("CREATE INDEX IF NOT EXISTS deal_step_time ON deal_step (change_time) WHERE change_time IS NOT NULL")
