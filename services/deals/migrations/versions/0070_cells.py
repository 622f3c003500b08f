"""Of which cell each record is that came from another one."""

from alembic import op

from chassis.bus.cell_records import create_cell_tables

revision = "0070"
down_revision = "0030"


def upgrade() -> None:
    """Make the table."""
    create_cell_tables(op.get_bind())
