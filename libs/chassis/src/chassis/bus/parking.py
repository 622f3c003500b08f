"""Where events wait that could not be handled: behind an earlier one of their aggregate, for a retry, for a person."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.bus.events import Envelope, clean_text
from chassis.database import UnitOfWork, sqlstate_of
from chassis.errors import DomainError
from chassis.prepared import Prepared
from chassis.schema import parked_event

BEHIND, RETRY, PARKED, RESOLVED = "behind", "retry", "parked", "resolved"
OPEN = (RETRY, BEHIND, PARKED)
# Seconds until the next try after each failed one; long enough for a deployment to mend what is wrong, then a person.
RETRY_SECONDS = (10, 60, 300, 1_800, 7_200, 21_600)
JITTER = 0.2
_CLAIM = Prepared(
    sa.text("""
WITH claimed AS (
  INSERT INTO inbox (consumer, event_id, source)
  SELECT CAST(:consumer AS text), e.id, e.source
  FROM unnest(CAST(:ids AS uuid[]), CAST(:sources AS text[])) AS e(id, source)
  ON CONFLICT DO NOTHING RETURNING event_id)
SELECT count(*) AS claimed,
       CASE WHEN count(*) < cardinality(CAST(:ids AS uuid[])) THEN array_agg(CAST(event_id AS text)) END AS ids
FROM claimed""")
)
_HELD = Prepared(
    sa.text("""
SELECT DISTINCT aggregate_id FROM parked_event
WHERE consumer = :consumer AND aggregate_id = ANY(CAST(:asked AS uuid[])) AND state IN ('retry','behind','parked')""")
)
_SEEN = Prepared(
    sa.text("""
INSERT INTO consumer_mark (consumer, source, epoch, position, event_time)
SELECT CAST(:consumer AS text), e.* FROM unnest(CAST(:sources AS text[]), CAST(:epochs AS int[]),
                                                CAST(:positions AS bigint[]), CAST(:times AS timestamptz[])) AS e
ON CONFLICT (consumer, source) DO UPDATE
SET epoch = excluded.epoch, position = excluded.position, event_time = excluded.event_time
WHERE (consumer_mark.epoch, consumer_mark.position) < (excluded.epoch, excluded.position)""")
)
_is_open = parked_event.c.state.in_(OPEN)


def claim_new(work: UnitOfWork, consumer: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Claim events for this consumer and keep those nobody claimed before, each once, in order of arrival."""
    first = {one.event_id: one for one in reversed(envelopes)}
    sources = [one.source for one in first.values()]
    [claimed] = work.fetch(_CLAIM, {"consumer": consumer, "ids": list(first), "sources": sources})
    if claimed.claimed == len(envelopes):
        return list(envelopes)
    new = set(first if claimed.claimed == len(first) else claimed.ids or ())
    return [one for one in envelopes if one.event_id in new and first[one.event_id] is one]


def held_aggregates(work: UnitOfWork, consumer: str, aggregate_ids: Iterable[str]) -> set[str]:
    """Those of the aggregates that have an event waiting."""
    return {row.aggregate_id for row in work.fetch(_HELD, {"consumer": consumer, "asked": sorted(set(aggregate_ids))})}


def parked_row(
    consumer: str, event: Envelope, state: str, *, error: tuple[str, str] = ("", ""), tries: int = 0, work: UnitOfWork
) -> dict[str, Any]:
    """A row for `park`; `error` is class and code, never a text that may hold personal data."""
    return {
        "consumer": consumer, "event_id": event.event_id, "source": event.source, "aggregate": event.aggregate,
        "aggregate_id": event.aggregate_id, "epoch": event.epoch, "version": event.version, "position": event.position,
        "type": event.type, "headers": {key: clean_text(value) for key, value in event.headers.items()},
        "data": event.body, "state": state, "tries": tries,
        "next_time": work.now + _wait_after(tries) if state == RETRY else None,
        "error_class": error[0] or None, "error_code": error[1] or None, "first_time": work.now,
    }  # fmt: skip


def park(work: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    """Put events aside; one that is aside already stays as it is."""
    if rows:
        work.execute(insert(parked_event).on_conflict_do_nothing(), list(rows))


class Place(NamedTuple):
    """A position in the log of a source, and when the event there was committed."""

    source: str
    epoch: int
    position: int
    event_time: datetime


def mark_seen(work: UnitOfWork, consumer: str, envelopes: Sequence[Envelope]) -> None:
    """Remember the furthest position of each source that this consumer has accounted for."""
    mark_places(
        work, consumer, [Place(one.source, one.epoch, one.position, one.time) for one in envelopes if not one.flaw]
    )


def mark_places(work: UnitOfWork, consumer: str, places: Sequence[Place]) -> None:
    """Remember the furthest of the places in each source; a mark never goes back."""
    furthest: dict[str, Place] = {}
    for one in places:
        before = furthest.get(one.source)
        if before is None or (before.epoch, before.position) < (one.epoch, one.position):
            furthest[one.source] = one
    if not furthest:
        return
    work.run(
        _SEEN,
        {
            "consumer": consumer,
            "sources": list(furthest),
            "epochs": [one.epoch for one in furthest.values()],
            "positions": [one.position for one in furthest.values()],
            "times": [one.event_time for one in furthest.values()],
        },
    )


def due_aggregates(work: UnitOfWork, consumer: str, limit: int = 200) -> list[str]:
    """Aggregates whose first waiting event may be tried now: its time has come, or nothing is before it any more."""
    heads = (
        sa.select(parked_event.c.aggregate_id, parked_event.c.state, parked_event.c.next_time)
        .ext(distinct_on(parked_event.c.aggregate_id))
        .where(parked_event.c.consumer == consumer, _is_open)
        .order_by(parked_event.c.aggregate_id, *_IN_ORDER)
        .subquery()
    )
    rows = work.execute(sa.select(heads.c.aggregate_id).where(_may_be_tried(heads.c)).limit(limit))
    return list(rows.scalars())


def take_head(work: UnitOfWork, consumer: str, aggregate_id: str, started: int | None = None) -> sa.Row[Any] | None:
    """An aggregate's first waiting event, when nobody is at it and it may be tried now or its try has `started`."""
    lock = sa.func.pg_try_advisory_xact_lock(sa.func.hashtextextended(f"{consumer}/{aggregate_id}", 0))
    if not work.execute(sa.select(lock)).scalar():
        return None
    row = work.execute(
        sa.select(parked_event, _may_be_tried(parked_event.c).label("due"))
        .where(parked_event.c.consumer == consumer, parked_event.c.aggregate_id == aggregate_id, _is_open)
        .order_by(*_IN_ORDER)
        .limit(1)
        .with_for_update()
    ).one_or_none()
    return row if row is not None and (row.due or row.id == started) else None


def resolve(work: UnitOfWork, row_id: int) -> None:
    """Close a waiting event that has been handled."""
    work.execute(sa.update(parked_event).where(parked_event.c.id == row_id).values(state=RESOLVED, next_time=None))


def postpone(work: UnitOfWork, row_id: int, tries: int, error: tuple[str, str]) -> None:
    """Let a waiting event wait longer after its failed try number `tries`, or for a person after the last."""
    last = tries > len(RETRY_SECONDS)
    work.execute(
        sa.update(parked_event)
        .where(parked_event.c.id == row_id)
        .values(
            state=PARKED if last else RETRY, tries=tries, error_class=error[0], error_code=error[1],
            next_time=None if last else work.now + _wait_after(tries),
        )
    )  # fmt: skip


def error_of(trouble: BaseException) -> tuple[str, str]:
    """Class and code of a failure, without its text."""
    if isinstance(trouble, sa.exc.DBAPIError):
        return type(trouble).__name__, sqlstate_of(trouble)
    if isinstance(trouble, DomainError):
        return type(trouble).__name__, trouble.reason
    return type(trouble).__name__, ""


_IN_ORDER = (parked_event.c.epoch, parked_event.c.version, parked_event.c.id)


def _may_be_tried(columns: Any) -> sa.ColumnElement[bool]:
    return sa.or_(
        columns.state == BEHIND, sa.and_(columns.state == RETRY, columns.next_time <= sa.func.clock_timestamp())
    )


def _wait_after(tries: int) -> timedelta:
    if tries == 0:
        return timedelta()
    base = RETRY_SECONDS[min(tries, len(RETRY_SECONDS)) - 1]
    return timedelta(seconds=base * random.uniform(1 - JITTER, 1 + JITTER))
