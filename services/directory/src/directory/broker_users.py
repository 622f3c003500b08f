"""Broker users of other systems: `ext-<login>` reads a queue for the account of that login, and ends with it.

The operator makes them, as docs/operator/broker.md says; here they are only taken away. The broker closes the
connections of a user that is deleted; its queue stays, within its bounds, for whoever comes after it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import quote

import httpx2
import sqlalchemy as sa

from chassis.database import Database
from directory.employment import is_gone
from directory.rules import login_key
from directory.tables import user

log = logging.getLogger(__name__)
PREFIX = "ext-"
SECONDS = 5.0  # a management interface that does not answer is asked again at the next turn
MOST_LOGINS = 1_000


def end_users_of_closed_accounts(database: Database, management_url: str) -> int:
    """Delete the broker's users whose account is closed or was never there; answers how many.

    `management_url` is `http://user:password@host:15672` of a user that may administer the broker.
    """
    told = httpx2.URL(management_url)
    place = told.copy_with(userinfo=b"", path="/api")  # errors and logs quote addresses
    with httpx2.Client(base_url=place, auth=(told.username, told.password), timeout=SECONDS) as broker:
        answer = broker.get("/users", params={"columns": "name"})
        answer.raise_for_status()
        names = [str(one["name"]) for one in answer.json() if str(one["name"]).startswith(PREFIX)][:MOST_LOGINS]
        closed = _closed(database, names)
        for name in closed:
            broker.delete(f"/users/{quote(name, safe='')}").raise_for_status()
            log.warning("a user of the broker ended with its account", extra={"broker_user": name})
    return len(closed)


def _closed(database: Database, names: Iterable[str]) -> list[str]:
    """Those whose login is nobody's who may sign in now."""
    logins = {name: login_key(name.removeprefix(PREFIX)) for name in names}
    if not logins:
        return []
    with database.reading() as work:
        wanted = user.c.login_key.in_(set(logins.values()))
        open_ = set(work.execute(sa.select(user.c.login_key).where(wanted, sa.not_(is_gone(work.now)))).scalars())
    return [name for name, login in logins.items() if login not in open_]
