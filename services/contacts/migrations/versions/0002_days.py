"""Interactions are found by the unit or the author and a time: what people did on a day."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the indexes where 0001 has not made them."""
    for name, column in (("interaction_unit", "unit_id"), ("interaction_author", "author_id")):
        op.execute(f"CREATE INDEX IF NOT EXISTS {name} ON interaction ({column}, occur_time DESC, id DESC)")
