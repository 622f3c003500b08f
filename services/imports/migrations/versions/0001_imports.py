"""Files, templates, runs with their rows, references, findings and fates."""

from alembic import op

from chassis.schema import create_chassis_tables
from imports.settings import SOURCE
from imports.tables import metadata
from units.tables import metadata as units_metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    create_chassis_tables(connection, SOURCE)
    units_metadata.create_all(connection)
    metadata.create_all(connection)
