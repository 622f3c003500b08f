"""People and groups as another system brings them in."""

from alembic import op

from directory.tables import staff_group, staff_group_member, user

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make what 0001 has not made."""
    for table in (staff_group, staff_group_member):
        table.create(op.get_bind(), checkfirst=True)
    op.execute("ALTER TABLE \"user\" ADD COLUMN IF NOT EXISTS external_id text NOT NULL DEFAULT ''")
    [found] = [index for index in user.indexes if index.name == "user_external_id"]
    found.create(op.get_bind(), checkfirst=True)
