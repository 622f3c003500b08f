"""A service's past behind its gRPC door, for consumers whose databases are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any

from chassis.event_feed import Chosen, Standing
from chassis.logged_event import LoggedEvent
from chassis.rpc.client import Client, calling_as
from crm.platform.v1 import events_pb2 as pb
from crm.platform.v1.events_pb2_grpc import EventsServiceStub

TIMEOUT = 120.0  # seconds; a page of a snapshot from a cold disk
MOST = 500  # events a page of the door


class RemoteSource:
    """A service's past, asked for at its door; `token` gives a token that may follow. Errors: RemoteError."""

    def __init__(self, service: str, address: str, token: Callable[[], str]) -> None:
        self.service = service
        self._client = Client(service, address, EventsServiceStub)
        self._token = token

    def read_standing(self) -> Standing:
        """Where its log stands now."""
        found = self._ask("ListSnapshot", pb.ListSnapshotRequest(service=self.service, page_size=1))
        time = found.time.ToDatetime(UTC) if found.HasField("time") else None
        return Standing(found.source, found.epoch, found.position, found.oldest_position, time)

    def read_events(self, after_position: int, limit: int, chosen: Chosen, epoch: int) -> list[LoggedEvent]:
        """Events behind a position."""
        asked = pb.ListEventsRequest(
            service=self.service, after_position=after_position, types=chosen.types, unit_path=chosen.unit_path,
            epoch=epoch, page_size=min(limit, MOST),
        )  # fmt: skip
        return [_event_of(one) for one in self._ask("ListEvents", asked).events]

    def snapshot_pages(self, limit: int, chosen: Chosen) -> Iterator[list[LoggedEvent]]:
        """The last event of each type of each record, page by page."""
        asked = pb.ListSnapshotRequest(
            service=self.service, types=chosen.types, unit_path=chosen.unit_path, page_size=min(limit, MOST)
        )
        while True:
            found = self._ask("ListSnapshot", asked)
            yield [_event_of(one) for one in found.events]
            if not found.next_page_token:
                return
            asked.page_token = found.next_page_token

    def close(self) -> None:
        """Let the connection go."""
        self._client.close()

    def _ask(self, method: str, request: Any) -> Any:
        with calling_as(self._token()):
            return self._client.call(method, request, timeout=TIMEOUT)


def _event_of(event: pb.Event) -> LoggedEvent:
    return LoggedEvent(
        event.position, event.epoch, event.event_id, event.aggregate, event.aggregate_id, event.version, event.type,
        event.routing_key, dict(event.headers), event.data, event.create_time.ToDatetime(UTC),
    )  # fmt: skip
