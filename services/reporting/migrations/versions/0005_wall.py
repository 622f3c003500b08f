"""PostgreSQL shows readers no deal behind a figure that they may not see, whatever a statement asks for."""

from alembic import op

from units.records import DEAL
from units.wall import policy_of_unit

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the policy; the owner of the table, who writes, is not filtered."""
    for statement in policy_of_unit("deal", DEAL):
        op.execute(statement)
