"""Reporting's first read models and rollups, the copy of units, and the tables every service has."""

from alembic import op

from chassis.schema import create_chassis_tables
from reporting.settings import SOURCE
from reporting.tables import metadata
from units.tables import metadata as units_metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    connection = op.get_bind()
    create_chassis_tables(connection, SOURCE)
    units_metadata.create_all(connection)
    metadata.create_all(connection)
