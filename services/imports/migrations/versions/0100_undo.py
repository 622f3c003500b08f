"""Runs are undone, and what stays is listed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from imports.tables import run_undo

revision = "0100"
down_revision = "0006"


def upgrade() -> None:
    """Make the table and the column where 0001 has not made them."""
    run_undo.create(op.get_bind(), checkfirst=True)
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("run")}
    if "undo" not in known:
        op.add_column("run", sa.Column("undo", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb")))
