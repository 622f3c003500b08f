"""What dropped days of the event log leave behind, and what parked events held before they were changed."""

from alembic import op

from chassis.schema import create_chassis_tables
from reporting.settings import SOURCE

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables where 0001 has not made them."""
    create_chassis_tables(op.get_bind(), SOURCE)
