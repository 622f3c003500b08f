"""One event as the log holds it: what a relay publishes, a feed tells and a snapshot keeps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple


class LoggedEvent(NamedTuple):
    """One row of the event log. `headers` are those its writer gave it (actor, trace)."""

    position: int
    epoch: int
    event_id: str
    aggregate: str
    aggregate_id: str
    version: int
    type: str
    routing_key: str
    headers: Mapping[str, str]
    data: bytes
    create_time: datetime
