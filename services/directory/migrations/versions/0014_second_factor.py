"""Second factors of accounts."""

from alembic import op

from directory.tables import second_factor

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table where 0001 has not made it."""
    second_factor.create(op.get_bind(), checkfirst=True)
