"""The history of units, reorganizations, and seats apart from those who hold them."""

from alembic import op

from directory.tables import position, reorganization, seat, unit_history

revision = "0020"
down_revision = "0014"


def upgrade() -> None:
    """Make what 0001 has not made; the history of a unit begins with what it is now."""
    for table in (unit_history, reorganization, seat):
        table.create(op.get_bind(), checkfirst=True)
    op.execute("ALTER TABLE unit ADD COLUMN IF NOT EXISTS merged_into_id uuid REFERENCES unit (id)")
    op.execute("ALTER TABLE position ADD COLUMN IF NOT EXISTS seat_id uuid REFERENCES seat (id)")
    [held] = [index for index in position.indexes if index.name == "position_seat"]
    held.create(op.get_bind(), checkfirst=True)
    op.execute(
        "INSERT INTO unit_history (unit_id, version, change_time, parent_id, kind, code, name, path, merged_into_id)"
        " SELECT id, version, create_time, parent_id, kind, code, name, path, merged_into_id FROM unit"
    )
