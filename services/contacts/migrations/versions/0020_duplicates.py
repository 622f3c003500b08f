"""Cards are paired by blocks, to find which may be one customer."""

from alembic import op

from contacts.tables import block

revision = "0020"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables where 0001 has not made them."""
    block.create(op.get_bind(), checkfirst=True)
