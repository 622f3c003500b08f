"""The second wall: readers' statements run as a role whose rows PostgreSQL filters by policies, whatever they ask for.

The policies are a service's own (`units.wall` in its migrations); they read what a caller sees from the
setting `branchline.sight`, which holds for one transaction, as the role does: a pooled connection keeps nothing. The
owner of the tables, who writes and handles events, is not filtered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import sqlalchemy as sa

from chassis.access import Access
from chassis.prepared import Prepared, driver_of

READER, POLICY = "branchline_reader", "sight"
_RAISE = b"SELECT set_config('role', 'branchline_reader', true), set_config('branchline.sight', $1, true)"
_CAN_READ = Prepared(
    sa.text(
        "SELECT coalesce(bool_and(pg_has_role(r.oid, 'USAGE') AND has_table_privilege(r.oid, c.oid, 'SELECT')), false)"
        " AS able FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
        f" LEFT JOIN pg_roles r ON r.rolname = '{READER}' WHERE p.polname = '{POLICY}'"
    ),
    finds=True,
)
# Roles belong to the whole cluster: another database's migration may make it in the same moment.
_MAKE_READER = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_policies WHERE policyname = '{POLICY}') THEN RETURN; END IF;
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN CREATE ROLE {READER} NOLOGIN; END IF;
        IF NOT pg_has_role('{READER}', 'USAGE') THEN GRANT {READER} TO CURRENT_USER; END IF;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN RAISE WARNING 'role {READER} is missing: rows are filtered by services alone';
    END;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}') THEN
        GRANT USAGE ON SCHEMA public TO {READER};
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER};
    END IF;
END $$
"""
log = logging.getLogger(__name__)


class Wall:
    """The wall of one database; `tell` puts what a caller sees into the text that the policies read, or is silent.

    Before somebody from whom nothing is kept back (an empty text) there is no wall.
    """

    def __init__(self, tell: Callable[[Access], str]) -> None:
        self._tell = tell
        self._stands: bool | None = None

    def raise_for(self, connection: sa.Connection, access: Access) -> None:
        """Let the connection's statements run behind the wall until it is put back; not where there is no role for it.

        A database that was migrated by somebody who may not make roles has none: it is said once a process.
        """
        told = self._tell(access)
        if not told:
            return
        if self._stands is None:
            ((self._stands,),) = _CAN_READ.run(connection, {})[0]
            if not self._stands:
                log.warning("no row-level security: the role is missing", extra={"role": READER})
        if self._stands:
            driver_of(connection).raise_wall(_RAISE, [told])


def make_reader(connection: sa.Connection) -> None:
    """Make the role where policies are and it is missing, and let it read all there is; again is harmless."""
    connection.execute(sa.text(_MAKE_READER))
