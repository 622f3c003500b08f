"""Deals knows in which epoch it heard of each customer, so that a rebuild drops those that nobody tells of any more."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns where 0001 has not made them; constants, so that no row is written anew."""
    op.execute("ALTER TABLE customer ADD COLUMN IF NOT EXISTS epoch integer NOT NULL DEFAULT 1")
    op.execute("ALTER TABLE customer ADD COLUMN IF NOT EXISTS version bigint NOT NULL DEFAULT 1")
