"""Which customers became one, and which activities moved with them."""

from alembic import op

from units.merges import metadata

revision = "0071"
down_revision = "0070"


def upgrade() -> None:
    """Make the tables, empty."""
    metadata.create_all(op.get_bind())
