"""Names that stand beside records of other services: who a user id is, when they left, what a unit is called.

Units and users change rarely and stand on every page, so what a viewer may see of units is kept for a minute, and of
users for half a one, or until the directory has news. Users that are not kept are asked for in one call for all the ids
of a page.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from chassis.dates import from_date
from chassis.errors import RemoteError
from chassis.ids import is_id
from crm.directory.v1 import directory_pb2 as pb
from gateway.services import Services
from gateway.web.visits import Visit

KEPT_SECONDS = 60.0
MOST_VIEWERS = 2_000
MOST_USERS = 500
USER_SECONDS = 30.0  # as soon as a session ended elsewhere is noticed, a leaver's last day is
MOST_KEPT_USERS = 10_000  # of all viewers together; about 10 MB
PAGE = 1_000  # units

_kept: WeakKeyDictionary[Services, dict[str, tuple[float, dict[str, Any]]]] = WeakKeyDictionary()
KeptUsers = OrderedDict[tuple[str, str], tuple[float, Any]]  # by viewer and user: when asked, what was told
_kept_users: WeakKeyDictionary[Services, KeptUsers] = WeakKeyDictionary()
_lock = threading.Lock()


@dataclass(frozen=True)
class Colleague:
    """A user as a page names them: `unit` is the unit's name, `left` the last day of one who left."""

    id: str
    name: str
    unit: str = ""
    left: date | None = None
    active: bool = True


@dataclass(frozen=True)
class Names:
    """The names a page needs. What the viewer may not see, or the directory could not tell, has none."""

    users: dict[str, Colleague] = field(default_factory=dict)
    units: dict[str, Any] = field(default_factory=dict)

    def user(self, user_id: str, else_name: str = "") -> Colleague | None:
        """The user; where nothing is known of them, one with the name that a record kept; None where there is none."""
        found = self.users.get(user_id)
        return found or (Colleague(user_id, else_name) if else_name else None)

    def unit(self, unit_id: str) -> str:
        """What a unit is called, empty when unknown."""
        found = self.units.get(unit_id)
        return str(found.name) if found else ""


def look_up_names(visit: Visit, user_ids: Iterable[str]) -> Names:
    """Names of these users and of all units the viewer may see; nothing where the directory is away."""
    units = list_units(visit)
    return Names(_users(visit, sorted({one for one in user_ids if is_id(one)})[:MOST_USERS], units), units)


def list_units(visit: Visit) -> dict[str, Any]:
    """The directory's units by id, parents before children, as far as the viewer may see them."""
    with _lock:
        kept = _kept.setdefault(visit.services, {})
        asked_at, units = kept.get(visit.user_id, (-KEPT_SECONDS, {}))
    if time.monotonic() - asked_at < KEPT_SECONDS:
        return units
    try:
        found = visit.call("directory", "ListUnits", pb.ListUnitsRequest(page_size=PAGE), timeout=1.0).units
    except RemoteError:  # a page without names of units is better than none; asked again next time
        return units
    units = {unit.id: unit for unit in found}
    with _lock:
        if len(kept) >= MOST_VIEWERS:
            kept.clear()
        kept[visit.user_id] = (time.monotonic(), units)
    return units


def forget_names(services: Services) -> None:
    """Ask anew for every unit and user; what is being asked for at this moment is not kept either."""
    with _lock:
        _kept.pop(services, None)
        _kept_users.pop(services, None)


def colleague_of(user: Any, units: dict[str, Any]) -> Colleague:
    """The directory's user as pages name them, with the unit of the latest position."""
    latest = max(user.positions, key=_latest, default=None)
    unit = units.get(latest.unit_id) if latest else None
    left = from_date(user.leave_date, "leave_date")
    return Colleague(user.id, user.display_name, unit.name if unit else "", left, user.active)


def _users(visit: Visit, user_ids: list[str], units: dict[str, Any]) -> dict[str, Colleague]:
    with _lock:
        kept = _kept_users.setdefault(visit.services, OrderedDict())
    found = _recall(kept, visit.user_id, user_ids)
    missing = [one for one in user_ids if one not in found]
    if missing:
        try:
            asked = pb.BatchGetUsersRequest(user_ids=missing)
            answer = visit.call("directory", "BatchGetUsers", asked, timeout=1.0).users
        except RemoteError:  # names only; the record itself is shown
            pass
        else:
            told = {user.id: user for user in answer}
            _keep(kept, visit.user_id, {one: told.get(one) for one in missing})
            found |= told
    return {user.id: colleague_of(user, units) for user in found.values() if user}


def _recall(kept: KeptUsers, viewer: str, user_ids: list[str]) -> dict[str, Any]:
    """The users this viewer asked for lately; None for one of whom the directory told nothing."""
    oldest = time.monotonic() - USER_SECONDS
    with _lock:
        known = [(one, kept.get((viewer, one))) for one in user_ids]
    return {user_id: entry[1] for user_id, entry in known if entry and entry[0] > oldest}


def _keep(kept: KeptUsers, viewer: str, users: dict[str, Any]) -> None:
    now = time.monotonic()
    with _lock:
        for user_id, user in users.items():
            kept[viewer, user_id] = (now, user)
            kept.move_to_end((viewer, user_id))
        while len(kept) > MOST_KEPT_USERS:
            kept.popitem(last=False)


def _latest(position: Any) -> tuple[bool, int, int, int]:
    start = position.start_date
    return not position.HasField("end_date"), start.year, start.month, start.day
