"""Who was responsible for a card from when on is kept."""

from alembic import op

from units.owners import metadata

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table, empty: who is responsible today is in the card itself."""
    metadata.create_all(op.get_bind())
