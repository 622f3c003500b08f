"""Cards are merged into one and made anew; ids of merged cards lead to the survivor."""

from alembic import op

from contacts.tables import card_merge, merged_card
from units.merges import metadata

revision = "0030"
down_revision = "0023"


def upgrade() -> None:
    """Make the tables, the contacts' own where 0001 has not made them."""
    metadata.create_all(op.get_bind())
    for table in (card_merge, merged_card):
        table.create(op.get_bind(), checkfirst=True)
