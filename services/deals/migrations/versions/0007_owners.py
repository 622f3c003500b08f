"""Who was responsible for a deal from when on is kept."""

from alembic import op

from units.owners import metadata

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table, empty: who is responsible today is in the deal itself."""
    metadata.create_all(op.get_bind())
