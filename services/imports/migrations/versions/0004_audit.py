"""The audit trail: entries, their seals, and the keys of the values in them."""

from alembic import op

from chassis.schema import create_chassis_tables

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables where an earlier step has not made them."""
    create_chassis_tables(op.get_bind(), "crm/hq/imports")
