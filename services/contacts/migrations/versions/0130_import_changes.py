"""What imports changed, for the days in which they can be undone."""

from alembic import op

from contacts.tables import import_change, import_run

revision = "0130"
down_revision = "0120"


def upgrade() -> None:
    """Make the tables where 0001 has not made them."""
    for new in (import_run, import_change):
        new.create(op.get_bind(), checkfirst=True)
