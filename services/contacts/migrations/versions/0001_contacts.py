"""The first tables of contacts, the copy of units, and the tables every service has."""

from alembic import op

from chassis.schema import create_chassis_tables
from contacts.tables import metadata
from units.tables import metadata as unit_metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables; pg_trgm is a trusted extension, so the database's owner may make it."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    create_chassis_tables(op.get_bind(), "crm/hq/contacts")
    unit_metadata.create_all(op.get_bind())
    metadata.create_all(op.get_bind())
