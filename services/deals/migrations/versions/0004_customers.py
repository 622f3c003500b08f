"""Deals knows which customers there are."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table where 0001 has not made it; it fills from now on, older customers count as possible."""
    op.execute("CREATE TABLE IF NOT EXISTS customer (id uuid PRIMARY KEY, kind text NOT NULL)")
