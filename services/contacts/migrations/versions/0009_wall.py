"""PostgreSQL shows readers no card and no interaction that they may not see, whatever a statement asks for."""

from alembic import op

from units.records import CUSTOMER, INTERACTION
from units.wall import policy_of_known, policy_of_unit

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the policies; the owner of the tables, who writes, is not filtered."""
    cards = [policy_of_known(table, CUSTOMER) for table in ("person", "organization")]
    for policy in (*cards, policy_of_unit("interaction", INTERACTION, owner="author_id")):
        for statement in policy:
            op.execute(statement)
