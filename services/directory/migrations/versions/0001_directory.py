"""The directory's first tables, and those every service has."""

from alembic import op

from chassis.schema import create_chassis_tables
from directory.tables import metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    create_chassis_tables(op.get_bind(), "crm/hq/directory")
    metadata.create_all(op.get_bind())
