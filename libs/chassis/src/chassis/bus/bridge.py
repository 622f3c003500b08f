"""How events of one cell reach another: read from each service's log behind a cursor, published there with confirms.

One direction is one `Bridge`: what a branch says goes up to headquarters, what headquarters says of some things comes
down. An event keeps its id, epoch, version and position, so inboxes and copies at the far side treat it as ever. No
event goes further than one cell: a log holds only what its own service wrote, a lane carries only what its source says
is of the home it was given, and an event that carries a cell's mark is left behind.

The far side's confirm moves the cursor; a crash repeats one batch at most. Blocks on sockets and SQL: a thread of its
own, no hub.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chassis import clock, measuring
from chassis.bus.bridge_lanes import Cursors, Place
from chassis.bus.sources import EventSource
from chassis.bus.transport import Publisher, PublishInDoubt
from chassis.cells import source_of, with_cell
from chassis.errors import DomainError, Kind
from chassis.event_feed import EVERYTHING, Chosen, EventsGone, Standing
from chassis.logged_event import LoggedEvent
from chassis.naming import EXCHANGE

log = logging.getLogger(__name__)
BATCH = 500  # events; about half a megabyte in flight, and what a door gives at once
CHECK_SECONDS = 2.0  # between looks whether a bridge that has nothing to carry still leads
STAND_SECONDS = 60.0  # between looks where a log ends, for lanes that take little of what is written there


class NotItsCell(DomainError):
    """A log is of another cell than the bridge was told; it carries nothing of it."""

    kind = Kind.PRECONDITION
    reason = "NOT_ITS_CELL"


@dataclass(frozen=True)
class Lane:
    """One service's events: where they are read, and which of them are carried."""

    source: EventSource
    chosen: Chosen = EVERYTHING


@dataclass
class _Telling:
    """A lane while its bridge leads: how far it is, and the rest of everything where all is told."""

    lane: Lane
    place: Place
    standing: Standing | None = None
    stood: float = 0.0
    pages: Iterator[list[LoggedEvent]] | None = None
    page: list[LoggedEvent] = field(default_factory=list)  # of `pages`, not yet confirmed


class Bridge:
    """Carries the events of cell `home` in one direction. `lead` once, then `carry` again and again."""

    def __init__(self, home: str, lanes: Sequence[Lane], cursors: Cursors) -> None:
        self.home, self._lanes, self._cursors = home, {one.source.service: one for one in lanes}, cursors
        self._tellings: dict[str, _Telling] = {}
        self._checked = 0.0

    def lead(self) -> bool:
        """Become the one bridge of this direction. Errors: DBAPIError."""
        places = self._cursors.lead()
        if places is None:
            return False
        self._tellings = {name: _Telling(one, places[name]) for name, one in self._lanes.items()}
        return True

    def resign(self) -> None:
        """Let another one lead."""
        self._cursors.resign()

    def carry(self, publisher: Publisher) -> int:
        """Carry what there is now, a batch of each lane; answers how many events went over.

        Errors: PublishInDoubt, after which a new publisher goes on; Fenced, DBAPIError, after which the bridge leads
        anew; NotItsCell, and what the sources refuse.
        """
        carried = sum(self._carry_lane(one, publisher) for one in self._tellings.values())
        if not carried and time.monotonic() - self._checked > CHECK_SECONDS:
            self._checked = time.monotonic()
            self._cursors.check()
        return carried

    def tell_ages(self) -> None:
        """Measure how old the oldest event is that the far side has not got. Errors: those of the sources."""
        for service, one in self._tellings.items():
            waiting = [] if one.pages else self._read(one, 1)
            age = (clock.now() - waiting[0].create_time).total_seconds() if waiting else 0.0
            measuring.bridge_age.set(max(age, 0.0), {"branchline.source": source_of(self.home, service)})

    def _carry_lane(self, telling: _Telling, publisher: Publisher) -> int:
        if telling.standing is None:
            self._stand(telling)
        if telling.pages is not None:
            return self._tell_page(telling, publisher)
        events = self._read(telling, BATCH)
        if events:
            self._publish(telling, events, publisher)
        elif time.monotonic() - telling.stood > STAND_SECONDS:
            self._skip_unchosen(telling)
        return len(events)

    def _read(self, telling: _Telling, limit: int) -> list[LoggedEvent]:
        """What lies behind the cursor; nothing where the log no longer holds it, which is then told as a whole."""
        if telling.standing is None:
            return []
        position, chosen = telling.place.position, telling.lane.chosen
        try:
            return telling.lane.source.read_events(position, limit, chosen, telling.standing.epoch)
        except DomainError as refused:
            if refused.reason != EventsGone.reason:
                raise
            telling.standing = None
            return []

    def _stand(self, telling: _Telling) -> None:
        """Look where the log stands, and decide whether to go on behind the cursor or to tell everything."""
        source, place = telling.lane.source, telling.place
        standing = source.read_standing()
        if standing.source != source_of(self.home, source.service):
            raise NotItsCell(f"events of {standing.source} stand where those of cell {self.home} were to be carried")
        telling.standing, telling.stood = standing, time.monotonic()
        if place.epoch == 0 and standing.oldest_position == 1:
            telling.place = Place(standing.epoch, 0)
        elif place.epoch != standing.epoch or not self._holds(standing, place.position):
            log.info("everything is told", extra={"source": standing.source, "epoch": standing.epoch})
            telling.pages, telling.page = source.snapshot_pages(BATCH, telling.lane.chosen), []

    @staticmethod
    def _holds(standing: Standing, position: int) -> bool:
        return standing.oldest_position <= position + 1 and position <= standing.last_position

    def _tell_page(self, telling: _Telling, publisher: Publisher) -> int:
        """Carry a page of everything; after the last one the log is read behind where it stood before the first."""
        assert telling.pages is not None
        assert telling.standing is not None
        telling.page = telling.page or next(telling.pages, [])
        if not telling.page:
            telling.pages = None
            self._move(telling, Place(telling.standing.epoch, telling.standing.last_position))
            return 0
        now = telling.standing.epoch
        page = [self._of_epoch(one, now) for one in sorted(telling.page, key=lambda one: one.position)]
        self._send(telling, page, publisher)
        telling.page = []
        return len(page)

    def _of_epoch(self, event: LoggedEvent, epoch: int) -> LoggedEvent:
        """What is true of the source now is true in its present epoch, and news to who heard it in an earlier one."""
        if event.epoch == epoch:
            return event
        return event._replace(epoch=epoch, event_id=str(uuid.uuid5(uuid.UUID(event.event_id), f"epoch {epoch}")))

    def _publish(self, telling: _Telling, events: Sequence[LoggedEvent], publisher: Publisher) -> None:
        """Carry events behind the cursor and move it as far as the far side confirmed."""
        epoch = telling.place.epoch
        try:
            self._send(telling, events, publisher)
        except PublishInDoubt as doubt:
            if doubt.confirmed:
                self._move(telling, Place(epoch, events[doubt.confirmed - 1].position))
            raise
        self._move(telling, Place(epoch, events[-1].position))

    def _send(self, telling: _Telling, events: Sequence[LoggedEvent], publisher: Publisher) -> None:
        source = source_of(self.home, telling.lane.source.service)
        marked = [made for one in events if (made := with_cell(one, self.home)) is not None]
        if len(marked) < len(events):  # a log of ours holds none; one that does was filled by somebody else
            raise NotItsCell(f"the log of {source} holds events of another cell; nothing behind them is carried")
        publisher.begin(source, marked)
        publisher.finish()
        measuring.sent.add(len(marked), {"messaging.destination.name": EXCHANGE, "branchline.source": source})

    def _skip_unchosen(self, telling: _Telling) -> None:
        """Move the cursor over what is not for this lane, or each look would go through all of it again."""
        standing = telling.lane.source.read_standing()
        if telling.standing is None or standing.epoch != telling.standing.epoch:
            telling.standing = None
        elif not self._read(telling, 1):
            telling.stood = time.monotonic()
            self._move(telling, Place(standing.epoch, standing.last_position))

    def _move(self, telling: _Telling, place: Place) -> None:
        if place != telling.place:
            self._cursors.move(telling.lane.source.service, place)
            telling.place = place
