"""How messaging stands in a service's own database: what is unpublished, how far consumers are, which events wait.

Plain SQL for the doors of any process; knows no transport. The events themselves: chassis/event_feed.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.errors import DomainError, Kind
from chassis.schema import consumer_mark, event_log, outbox, parked_edit, parked_event, relay_state

OPEN_STATES = ("retry", "behind", "parked")


class ParkedEventNotFound(DomainError):
    """No event that waits has this id."""

    kind = Kind.NOT_FOUND
    reason = "PARKED_EVENT_NOT_FOUND"


@dataclass(frozen=True)
class ParkedEvent:
    """An event one consumer could not handle yet. `state`: retry, parked, or behind an earlier one of its aggregate."""

    id: int
    consumer: str
    event_id: str
    source: str
    aggregate: str
    aggregate_id: str
    epoch: int
    version: int
    position: int
    type: str
    state: str
    tries: int
    next_time: datetime | None
    error_class: str
    error_code: str
    first_time: datetime
    resolved_by: str


@dataclass(frozen=True)
class ParkedEdit:
    """What an event held before somebody changed it."""

    data: bytes
    editor: str
    edit_time: datetime


@dataclass(frozen=True)
class ParkedContent:
    """A parked event with headers, body, and what it held before."""

    parked: ParkedEvent
    headers: Mapping[str, str]
    data: bytes
    edits: Sequence[ParkedEdit]


@dataclass(frozen=True)
class ConsumerLag:
    """How far a consumer is in one source, and how many of its events wait by state."""

    consumer: str
    source: str
    epoch: int
    position: int
    event_time: datetime


@dataclass(frozen=True)
class Lag:
    """The state of one service's messaging. Units: seconds; the age is of the oldest event not yet on the bus."""

    source: str
    epoch: int
    last_position: int
    published_position: int
    unnumbered: int
    oldest_unpublished_seconds: float
    relay_holder: str
    consumers: Sequence[ConsumerLag]
    waiting: Mapping[tuple[str, str], int]  # (consumer, state) -> events


def lag(work: UnitOfWork) -> Lag:
    """Measure how far publishing and consuming are behind."""
    state = work.execute(sa.select(relay_state)).one()
    unnumbered = work.execute(sa.select(sa.func.count()).select_from(outbox)).scalar_one()
    return Lag(
        source=state.source,
        epoch=state.epoch,
        last_position=state.last_position,
        published_position=state.published_position,
        unnumbered=unnumbered,
        oldest_unpublished_seconds=read_oldest_unsent(work),
        relay_holder=state.holder or "",
        consumers=_list_marks(work),
        waiting=count_waiting(work),
    )


def read_oldest_unsent(work: UnitOfWork) -> float:
    """The age of the oldest event that is not on the bus, in seconds; 0 when all are."""
    published = sa.select(relay_state.c.published_position).scalar_subquery()
    oldest_logged = sa.select(sa.func.min(event_log.c.create_time)).where(event_log.c.position > published)
    oldest_written = sa.select(sa.func.min(outbox.c.create_time))
    oldest = sa.func.least(oldest_logged.scalar_subquery(), oldest_written.scalar_subquery())
    age = work.execute(sa.select(sa.func.extract("epoch", sa.func.clock_timestamp() - oldest))).scalar()
    return max(float(age or 0.0), 0.0)


def count_waiting(work: UnitOfWork) -> dict[tuple[str, str], int]:
    """How many events wait, by consumer and state."""
    rows = work.execute(
        sa.select(parked_event.c.consumer, parked_event.c.state, sa.func.count().label("events"))
        .where(parked_event.c.state.in_(OPEN_STATES))
        .group_by(parked_event.c.consumer, parked_event.c.state)
    )
    return {(row.consumer, row.state): row.events for row in rows}


def list_parked(
    work: UnitOfWork, consumer: str = "", state: str = "", after_id: int = 0, limit: int = 100
) -> list[ParkedEvent]:
    """Events that wait, in order of id, those of a consumer or in a state where one is named."""
    statement = sa.select(parked_event).where(
        parked_event.c.state.in_((state,) if state else OPEN_STATES), parked_event.c.id > after_id
    )
    if consumer:
        statement = statement.where(parked_event.c.consumer == consumer)
    return [_parked_of(row) for row in work.execute(statement.order_by(parked_event.c.id).limit(limit))]


def show_parked(work: UnitOfWork, parked_id: int) -> ParkedContent:
    """One waiting or settled event in full. Errors: ParkedEventNotFound."""
    row = work.execute(sa.select(parked_event).where(parked_event.c.id == parked_id)).one_or_none()
    if row is None:
        raise _not_found(parked_id)
    history = sa.select(parked_edit).where(parked_edit.c.parked_id == parked_id).order_by(parked_edit.c.id)
    edits = [ParkedEdit(bytes(one.data), one.editor, one.edit_time) for one in work.execute(history)]
    return ParkedContent(_parked_of(row), row.headers, bytes(row.data), edits)


def retry_parked(work: UnitOfWork, parked_id: int) -> ParkedEvent:
    """Have a waiting event tried anew, at once and with all tries before it. Errors: ParkedEventNotFound."""
    values = {"state": "retry", "tries": 0, "next_time": work.now, "resolved_by": None}
    return _change(work, parked_id, ("retry", "parked"), values)


def edit_parked(work: UnitOfWork, parked_id: int, data: bytes) -> ParkedEvent:
    """Put another body in the place of a waiting event's, keep the old one, and have it tried anew at once.

    One whose headers cannot be read has no content to mend. Errors: ParkedEventNotFound.
    """
    mendable = sa.and_(
        parked_event.c.id == parked_id, parked_event.c.state.in_(("retry", "parked")), parked_event.c.aggregate != ""
    )
    editor = work.access.user_id or work.access.service
    before = sa.select(parked_event.c.id, parked_event.c.data, sa.literal(editor), sa.literal(work.now))
    work.execute(
        sa.insert(parked_edit).from_select(
            ["parked_id", "data", "editor", "edit_time"], before.where(mendable).with_for_update()
        )
    )
    values = {"data": data, "tries": 0, "next_time": work.now, "resolved_by": None, "state": "retry"}
    return _change(work, parked_id, ("retry", "parked"), values, parked_event.c.aggregate != "")


def skip_parked(work: UnitOfWork, parked_id: int) -> ParkedEvent:
    """Let an event go unhandled, so that those behind it go on. Errors: ParkedEventNotFound."""
    by = work.access.user_id or work.access.service
    return _change(work, parked_id, OPEN_STATES, {"state": "skipped", "next_time": None, "resolved_by": by})


def _change(
    work: UnitOfWork, parked_id: int, states: Sequence[str], values: dict[str, Any], *also: sa.ColumnElement[bool]
) -> ParkedEvent:
    row = work.execute(
        sa.update(parked_event)
        .where(parked_event.c.id == parked_id, parked_event.c.state.in_(states), *also)
        .values(values)
        .returning(parked_event)
    ).one_or_none()
    if row is None:
        raise _not_found(parked_id)
    return _parked_of(row)


def _not_found(parked_id: int) -> ParkedEventNotFound:
    return ParkedEventNotFound(f"no event with id {parked_id} waits here", metadata={"id": str(parked_id)})


def _list_marks(work: UnitOfWork) -> list[ConsumerLag]:
    rows = work.execute(sa.select(consumer_mark).order_by(consumer_mark.c.consumer, consumer_mark.c.source))
    return [ConsumerLag(row.consumer, row.source, row.epoch, row.position, row.event_time) for row in rows]


def _parked_of(row: sa.Row[Any]) -> ParkedEvent:
    return ParkedEvent(
        row.id, row.consumer, row.event_id, row.source, row.aggregate, row.aggregate_id, row.epoch, row.version,
        row.position, row.type, row.state, row.tries, row.next_time, row.error_class or "", row.error_code or "",
        row.first_time, row.resolved_by or "",
    )  # fmt: skip
