"""Segments of persons, and who is in them."""

from alembic import op

from contacts.tables import segment, segment_member

revision = "0120"
down_revision = "0090"


def upgrade() -> None:
    """Make the tables where 0001 has not made them."""
    for new in (segment, segment_member):
        new.create(op.get_bind(), checkfirst=True)
