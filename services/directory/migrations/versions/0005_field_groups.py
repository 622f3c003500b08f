"""Groups of confidential fields; who could read a kind of records until now goes on seeing all of its fields."""

import sqlalchemy as sa
from alembic import op

from chassis.clock import now
from chassis.ids import new_id
from directory.rights import FIRST_GROUPS
from directory.tables import field_group

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the first groups, and grant each to the roles that read its kind of records by name."""
    field_group.create(op.get_bind(), checkfirst=True)
    for one in FIRST_GROUPS:
        values = {"id": new_id(), "records": one.records, "code": one.code, "name": one.name}
        op.execute(sa.insert(field_group).values(**values, fields=list(one.fields), create_time=now()))
        granted = (
            "INSERT INTO permission (role_id, action, records, scope)"
            " SELECT role_id, action, :key, scope FROM permission WHERE action = 'read' AND records = :records"
        )
        op.execute(sa.text(granted).bindparams(key=one.key, records=one.records))
