"""Stops what could carry data away from a frozen unit, at a service's door and within seconds; normal work goes on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from chassis.access import Access, is_below
from chassis.database import Database, UnitOfWork
from chassis.errors import NotPermitted
from chassis.ids import is_id
from chassis.prepared import Prepared
from units.tables import unit

READ_AGAIN = 1.0  # seconds: how long a freeze, once heard of, may be passed over
PAGES = 20  # of long lists that a person of a frozen unit may turn in an hour: looking something up, not copying a base
HOUR = 3_600.0
FIRST_PAGE = 100  # records; a longer first page counts as pages too
_FROZEN = Prepared(sa.select(unit.c.path, unit.c.freeze_reason).where(unit.c.freeze_reason != ""))
_PATH = Prepared(sa.select(unit.c.path).where(unit.c.id == sa.bindparam("unit_id")))


class Freeze:
    """Decides about calls: `stopped` carry data away or change many records, `lists` may be read page after page."""

    def __init__(self, database: Database, stopped: Collection[str] = (), lists: Collection[str] = ()) -> None:
        self.database, self.stopped, self.lists = database, frozenset(stopped), frozenset(lists)
        self._known: tuple[float, dict[str, str]] = (-READ_AGAIN, {})
        self._turned: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def admit(self, access: Access, method: str, request: Any) -> None:
        """Errors: NotPermitted, with the frozen unit in its metadata, for what is stopped."""
        stops = method in self.stopped or getattr(request, "as_file", False)
        pages = _pages(request) if method in self.lists else 0
        if not access.user_id or not (stops or pages):
            return
        frozen = self._read_frozen()
        if not frozen:
            return
        if stops:
            _refuse(frozen, [access.unit_path, self._path_of(getattr(request, "unit_id", ""))])
        elif self._count(access.user_id, pages) > PAGES:
            _refuse(frozen, [access.unit_path])

    def _read_frozen(self) -> dict[str, str]:
        read_at, known = self._known
        if time.monotonic() - read_at >= READ_AGAIN:
            with self.database.reading() as work:
                known = {row.path: row.freeze_reason for row in work.fetch(_FROZEN)}
            self._known = (time.monotonic(), known)
        return known

    def _path_of(self, unit_id: str) -> str:
        if not is_id(unit_id):
            return ""
        with self.database.reading() as work:
            found = work.fetch(_PATH, {"unit_id": unit_id})
        return str(found[0].path) if found else ""

    def _count(self, user_id: str, pages: int) -> int:
        """How many pages the user has turned within the hour, these included."""
        now = time.monotonic()
        with self._lock:
            turned = self._turned.setdefault(user_id, deque(maxlen=PAGES + 1))
            turned.extend([now] * pages)
            while turned and turned[0] < now - HOUR:
                turned.popleft()
            return len(turned)


def refuse_frozen(work: UnitOfWork, unit_path: str, unit_id: str = "") -> None:
    """Errors: NotPermitted where what carries data away is stopped at a path or in a unit. For work that takes long."""
    frozen = {row.path: row.freeze_reason for row in work.fetch(_FROZEN)}
    if frozen:
        found = work.fetch(_PATH, {"unit_id": unit_id}) if is_id(unit_id) else []
        _refuse(frozen, [unit_path, *(str(row.path) for row in found)])


def _pages(request: Any) -> int:
    """How many pages beyond a first one a call asks for."""
    size = getattr(request, "page_size", 0)
    return size // FIRST_PAGE + bool(getattr(request, "page_token", ""))


def _refuse(frozen: dict[str, str], paths: list[str]) -> None:
    hit = next((top for top in frozen for path in paths if is_below(path, top)), None)
    if hit is not None:
        raise NotPermitted(
            f"exports, mass reading and mass changes are stopped in {hit}: {frozen[hit]}", metadata={"frozen": hit}
        )
