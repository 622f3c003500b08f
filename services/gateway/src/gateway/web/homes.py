"""The unit a person belongs to, with all above it, for the top of the page and the time zone; kept for a minute."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

from chassis.access import Access
from chassis.errors import Kind, RemoteError
from crm.directory.v1 import directory_pb2 as pb
from gateway.services import Services

KEPT_SECONDS = 60.0
MOST = 5_000


class Homes:
    """Asks the directory for units; while it is away the last answer stands."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: dict[str, tuple[float, list[Any]]] = {}
        self._lock = threading.Lock()

    def of(self, access: Access) -> Any:
        """The home unit as a directory Unit; None when nothing is known of it. Called as the person."""
        line = self._line(access)
        return line[0] if line else None

    def above(self, access: Access) -> dict[str, str]:
        """The paths of the home unit and of all units above it, by their ids. Called as the person."""
        return {unit.id: unit.path for unit in self._line(access)}

    def _line(self, access: Access) -> list[Any]:
        """The home unit, the one above it, and so on; empty when nothing is known of it."""
        asked_at, line = self._kept.get(access.unit_id, (-KEPT_SECONDS, []))
        if not access.unit_id or time.monotonic() - asked_at < KEPT_SECONDS:
            return line
        with suppress(RemoteError):  # no name of the unit is no reason to show no page; asked again in a minute
            line = self._ask(access.unit_id)
        with self._lock:
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[access.unit_id] = (time.monotonic(), line)
        return line

    def _ask(self, unit_id: str) -> list[Any]:
        """The line as far up as the person may see. Errors: RemoteError."""
        line = [self._get(unit_id)]
        try:
            while line[-1].parent_id:
                line.append(self._get(line[-1].parent_id))
        except RemoteError as refusal:
            if refusal.kind is not Kind.NOT_FOUND:
                raise
        return line

    def _get(self, unit_id: str) -> Any:
        return self._services.call("directory", "GetUnit", pb.GetUnitRequest(unit=unit_id), timeout=1.0).unit
