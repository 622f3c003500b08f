"""Keys with which programs act for users."""

from alembic import op

from directory.tables import api_key

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the table where 0001 has not made it."""
    api_key.create(op.get_bind(), checkfirst=True)
