"""Which customers became one, and which deals moved with them."""

from alembic import op

from units.merges import metadata

revision = "0030"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables, empty."""
    metadata.create_all(op.get_bind())
