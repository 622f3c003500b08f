"""Who may not see a card that is known elsewhere can ask for it."""

from alembic import op

from contacts.tables import access_request

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table where 0001 has not made it."""
    access_request.create(op.get_bind(), checkfirst=True)
