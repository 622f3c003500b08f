"""The unit a person belongs to, for the top of the page and the time zone; remembered for a minute."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

from chassis.access import Access
from chassis.errors import RemoteError
from crm.directory.v1 import directory_pb2 as pb
from gateway.services import Services

KEPT_SECONDS = 60.0
MOST = 5_000


class Homes:
    """Asks the directory for units; while it is away the last answer stands."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._kept: dict[str, tuple[float, Any]] = {}
        self._lock = threading.Lock()

    def of(self, access: Access) -> Any:
        """The home unit as a directory Unit; None when nothing is known of it. Called as the person."""
        asked_at, unit = self._kept.get(access.unit_id, (-KEPT_SECONDS, None))
        if not access.unit_id or time.monotonic() - asked_at < KEPT_SECONDS:
            return unit
        with suppress(RemoteError):  # no name of the unit is no reason to show no page; asked again in a minute
            unit = self._services.call("directory", "GetUnit", pb.GetUnitRequest(unit=access.unit_id), timeout=1.0).unit
        with self._lock:
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[access.unit_id] = (time.monotonic(), unit)
        return unit
