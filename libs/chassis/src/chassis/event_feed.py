"""A service's events as readers get them: behind a position in order, as news, or as the snapshot they amount to.

Plain SQL on the service's own database for the doors of any process; knows no transport.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.database import UnitOfWork
from chassis.errors import DomainError, Kind
from chassis.logged_event import LoggedEvent
from chassis.prepared import Prepared
from chassis.schema import event_log, event_snapshot, relay_state

FOLLOWED = 5_000  # events; a second or two of the fastest import
WORDS_BEFORE_UNIT = 6  # crm, service, aggregate, fact, major, partition
SNAPSHOT_MS = 60_000  # a page of a service with thirty full days, read from a cold disk


class EventsGone(DomainError):
    """The position asked for is older than the oldest event that is kept; begin with a snapshot."""

    kind = Kind.PRECONDITION
    reason = "EVENTS_GONE"


@dataclass(frozen=True)
class News:
    """What a follower gets: events and the position behind them, or word that there was too much."""

    next_position: int
    events: Sequence[LoggedEvent] = ()
    passed_over: bool = False
    from_now: bool = False

    @property
    def is_news(self) -> bool:
        """Whether there is anything to tell; a follower that begins is told at once where it stands."""
        return bool(self.events) or self.passed_over or self.from_now


@dataclass(frozen=True)
class Standing:
    """Where a source's log stands: its name, its epoch, the last position and when that was, the oldest one kept."""

    source: str
    epoch: int
    last_position: int
    oldest_position: int
    last_time: datetime | None


@dataclass(frozen=True)
class Chosen:
    """Which events are wanted: of some types where any are named, of a unit and those below it where one is."""

    types: Sequence[str] = ()
    unit_path: str = ""

    def conditions(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        """The choice as conditions on the log or the snapshot."""
        found: list[sa.ColumnElement[bool]] = []
        if self.types:
            found.append(table.c.type.in_(self.types))
        if self.unit_path:
            # The path is the rest of the key but for its last word, which closes it.
            pattern = rf"^([^.]+\.){{{WORDS_BEFORE_UNIT}}}{re.escape(self.unit_path)}\."
            found.append(table.c.routing_key.regexp_match(pattern))
        return found


EVERYTHING = Chosen()


def read_standing(work: UnitOfWork) -> Standing:
    """Where the log stands now."""
    state = work.execute(_STANDING).one()
    oldest = state.last_position + 1 if state.oldest is None else state.oldest
    return Standing(state.source, state.epoch, state.last_position, oldest, state.last_time)


def require_kept(standing: Standing, after_position: int, epoch: int = 0) -> None:
    """Errors: EventsGone when the log no longer holds what follows the position, or `epoch` (0: any) is over.

    A position behind the last one is of a state before a restore.
    """
    known = {
        "oldest_position": str(standing.oldest_position),
        "last_position": str(standing.last_position),
        "epoch": str(standing.epoch),
    }
    if epoch not in (0, standing.epoch):
        raise EventsGone(
            f"the source began epoch {standing.epoch}; read a snapshot first, then the events behind it", metadata=known
        )
    if after_position + 1 < standing.oldest_position:
        raise EventsGone(
            f"events before position {standing.oldest_position} are kept no longer; read a snapshot first, "
            "then the events behind it",
            metadata=known,
        )


def tail_events(
    work: UnitOfWork, after_position: int, limit: int = 500, chosen: Chosen = EVERYTHING, epoch: int = 0
) -> list[LoggedEvent]:
    """Events behind a position, in order. Errors: EventsGone, as `require_kept`."""
    require_kept(read_standing(work), after_position, epoch)
    statement = sa.select(*_columns(event_log)).where(
        event_log.c.position > after_position, *chosen.conditions(event_log)
    )
    return [_event_of(row) for row in work.execute(statement.order_by(event_log.c.position).limit(limit))]


def follow_events(work: UnitOfWork, after_position: int, limit: int) -> News:
    """What is new behind a position; from now on where it is below 0.

    More than `FOLLOWED` events behind, a follower is sent to the end without them: news is of no use when it is old.
    """
    last = int(work.fetch(_LAST_POSITION)[0].last_position)
    if after_position < 0:
        return News(last, from_now=True)
    if after_position == last:
        return News(last)
    if not 0 < last - after_position <= FOLLOWED:
        return News(last, passed_over=True)
    rows = work.fetch(_FOLLOW, {"after_position": after_position, "limit": limit})
    if not rows or rows[0].position > after_position + 1:
        return News(last, passed_over=True)
    return News(rows[-1].position, [LoggedEvent(**{**row._asdict(), "data": bytes(row.data)}) for row in rows])


def read_snapshot(
    work: UnitOfWork, after: tuple[str, str] | None = None, limit: int = 500, chosen: Chosen = EVERYTHING
) -> list[LoggedEvent]:
    """The last event of each type of each record, in order of record and type, behind `after` (record id, type).

    Read `read_standing` before the first page: all pages together tell at least what had happened by its position, and
    the feed behind that position tells the rest. What overlaps has the same or an older (epoch, version). Kept days and
    what dropped days left behind are one to the reader: no page can miss what moves between them.
    """
    work.execute(sa.text(f"SET LOCAL statement_timeout = {SNAPSHOT_MS}"))
    both = sa.union_all(*(_behind(table, after, chosen) for table in (event_snapshot, event_log))).subquery()
    latest = (
        sa.select(both)
        .ext(distinct_on(both.c.aggregate_id, both.c.type))
        .order_by(both.c.aggregate_id, both.c.type, both.c.position.desc())
        .limit(limit)
    )
    return [_event_of(row) for row in work.execute(latest)]


def _behind(table: sa.Table, after: tuple[str, str] | None, chosen: Chosen) -> sa.Select[Any]:
    statement = sa.select(*_columns(table)).where(*chosen.conditions(table))
    if after is None:
        return statement
    key = sa.tuple_(table.c.aggregate_id, table.c.type)
    place = sa.tuple_(sa.cast(after[0], table.c.aggregate_id.type), after[1])
    # The first condition says nothing new, but an index on the record's id can begin where it says.
    return statement.where(table.c.aggregate_id >= after[0], key > place)


def _columns(table: sa.Table) -> list[sa.Column[Any]]:
    return [table.c[name] for name in LoggedEvent._fields]


def _event_of(row: sa.Row[Any]) -> LoggedEvent:
    values = dict(row._mapping)
    return LoggedEvent(**{**values, "data": bytes(values["data"])})


_LAST_LOGGED = sa.select(event_log.c.create_time).order_by(event_log.c.position.desc()).limit(1).scalar_subquery()
_STANDING = sa.select(
    relay_state.c.source,
    relay_state.c.epoch,
    relay_state.c.last_position,
    sa.select(sa.func.min(event_log.c.position)).scalar_subquery().label("oldest"),
    sa.func.coalesce(_LAST_LOGGED, sa.select(sa.func.max(event_snapshot.c.create_time)).scalar_subquery()).label(
        "last_time"
    ),
)
_LAST_POSITION = Prepared(sa.select(relay_state.c.last_position))
_FOLLOW = Prepared(
    sa.select(*_columns(event_log))
    .where(event_log.c.position > sa.bindparam("after_position"))
    .order_by(event_log.c.position)
    .limit(sa.bindparam("limit"))
)
