"""Each deal knows since when it is in its stage, and boards find a column's deals by it."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the time and the indexes where 0001 has not made them; code from before goes on, the default fills in."""
    op.execute("ALTER TABLE deal ADD COLUMN IF NOT EXISTS stage_time timestamptz NOT NULL DEFAULT now()")
    op.execute(
        "UPDATE deal SET stage_time = coalesce((SELECT step.change_time FROM deal_step AS step"
        " WHERE step.deal_id = deal.id ORDER BY step.position DESC LIMIT 1), deal.create_time)"
    )
    op.execute("CREATE INDEX IF NOT EXISTS deal_board ON deal (stage_id, stage_time, id)")
    op.execute("CREATE INDEX IF NOT EXISTS deal_close ON deal (close_date) WHERE close_date IS NOT NULL")
