"""What each unit was from which day on."""

from alembic import op

from reporting.tables import unit_place

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table where 0001 has not made it."""
    unit_place.create(op.get_bind(), checkfirst=True)
