"""Where a consumer reads what was said before: a service's log, in its database or behind its gRPC door."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from chassis.database import Database
from chassis.event_feed import Chosen, Standing, read_snapshot, read_standing, tail_events
from chassis.logged_event import LoggedEvent


class EventSource(Protocol):
    """One service's past."""

    service: str

    def read_standing(self) -> Standing:
        """Where its log stands now."""

    def read_events(self, after_position: int, limit: int, chosen: Chosen, epoch: int) -> list[LoggedEvent]:
        """Events behind a position of an epoch (0: any). Errors: those of a log that no longer holds them."""

    def snapshot_pages(self, limit: int, chosen: Chosen) -> Iterator[list[LoggedEvent]]:
        """The last event of each type of each record, page by page."""


class DatabaseSource:
    """A service's past, read from its database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.service = database.service

    def read_standing(self) -> Standing:
        """Where its log stands now."""
        with self._database.transaction() as work:
            return read_standing(work)

    def read_events(self, after_position: int, limit: int, chosen: Chosen, epoch: int) -> list[LoggedEvent]:
        """Events behind a position. Errors: EventsGone."""
        with self._database.transaction() as work:
            return tail_events(work, after_position, limit, chosen, epoch)

    def snapshot_pages(self, limit: int, chosen: Chosen) -> Iterator[list[LoggedEvent]]:
        """The last event of each type of each record, each page in a transaction of its own."""
        place: tuple[str, str] | None = None
        while True:
            with self._database.transaction() as work:
                page = read_snapshot(work, place, limit, chosen)
            if not page:
                return
            yield page
            place = (page[-1].aggregate_id, page[-1].type)


def event_pages(
    source: EventSource, after_position: int, limit: int, chosen: Chosen, epoch: int = 0
) -> Iterator[list[LoggedEvent]]:
    """Every event behind a position until there is none, page by page."""
    while page := source.read_events(after_position, limit, chosen, epoch):
        yield page
        after_position = page[-1].position
