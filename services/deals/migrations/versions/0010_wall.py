"""PostgreSQL shows readers no deal that they may not see, whatever a statement asks for."""

from alembic import op

from units.records import DEAL
from units.wall import policy_of_unit

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the policy; the owner of the table, who writes, is not filtered."""
    for statement in policy_of_unit("deal", DEAL):
        op.execute(statement)
