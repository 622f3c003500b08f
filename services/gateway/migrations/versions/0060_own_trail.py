"""The gateway's own audit trail: who made, changed and stopped webhooks."""

from alembic import op

from chassis.audit.tables import create_trail_without_events

revision = "0060"
down_revision = "0040"


def upgrade() -> None:
    """Make the tables; there is no log of events to take changes from, so its position stays at nothing."""
    create_trail_without_events(op.get_bind())
    op.execute("INSERT INTO audit_state (position) VALUES (0) ON CONFLICT DO NOTHING")
