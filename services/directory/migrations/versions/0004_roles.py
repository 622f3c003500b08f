"""Roles with what they allow, explicit restrictions, and positions that are held for somebody who is away."""

import sqlalchemy as sa
from alembic import op

from chassis.clock import now
from chassis.ids import new_id
from directory.rights import BUILT_IN
from directory.tables import permission, restriction, role

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make what 0001 has not made; the built-in roles allow what they allowed before."""
    for table in (role, permission, restriction):
        table.create(op.get_bind(), checkfirst=True)
    op.execute('ALTER TABLE "position" ADD COLUMN IF NOT EXISTS substitutes_id uuid REFERENCES "position" (id)')
    for code, built_in in BUILT_IN.items():
        made = {"id": new_id(), "code": code, "name": built_in.name, "built_in": True, "create_time": now()}
        op.execute(sa.insert(role).values(made))
        for one in built_in.permissions:
            values = {"role_id": made["id"], "action": one.action, "records": one.records, "scope": one.scope}
            op.execute(sa.insert(permission).values(values))
