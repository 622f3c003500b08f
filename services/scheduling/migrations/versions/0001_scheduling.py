"""The first tables of scheduling, the copy of units, and the tables every service has."""

from alembic import op

from chassis.schema import create_chassis_tables
from scheduling.tables import metadata
from units.tables import metadata as unit_metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    create_chassis_tables(op.get_bind(), "crm/hq/scheduling")
    unit_metadata.create_all(op.get_bind())
    metadata.create_all(op.get_bind())
