"""Where events wait that could not be handled: behind an earlier one of their aggregate, for a retry, for a person."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.bus.events import Envelope, clean_text
from chassis.copying import array_text, plain_array
from chassis.database import UnitOfWork, sqlstate_of
from chassis.errors import DomainError
from chassis.prepared import Prepared
from chassis.schema import inbox, parked_event

BEHIND, RETRY, PARKED, RESOLVED, SKIPPED = "behind", "retry", "parked", "resolved", "skipped"
OPEN = (RETRY, BEHIND, PARKED)
# Seconds until the next try after each failed one; long enough for a deployment to mend what is wrong, then a person.
RETRY_SECONDS = (10, 60, 300, 1_800, 7_200, 21_600)
JITTER = 0.2
COPY_FROM = 50  # events; fewer are claimed in one trip to the server instead of four
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
# Asked each second by every consumer: putting it into words anew took longer than the answer.
_DUE = Prepared(
    sa.text("""
SELECT CAST(aggregate_id AS text) AS aggregate_id
FROM (SELECT DISTINCT ON (aggregate_id) aggregate_id, state, next_time FROM parked_event
      WHERE consumer = :consumer AND state IN ('retry','behind','parked')
      ORDER BY aggregate_id, epoch, version, id) AS head
WHERE state = 'behind' OR state = 'retry' AND next_time <= clock_timestamp() LIMIT :most""")
)
_is_open = parked_event.c.state.in_(OPEN)


def claim_new(work: UnitOfWork, consumer: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Claim events for this consumer and keep those nobody claimed before, each once, in order of arrival."""
    first: dict[str, Envelope] = {}
    for one in envelopes:
        first.setdefault(one.event_id, one)
    if len(first) >= COPY_FROM:  # nearly always all of them are new, and COPY takes half of the server's time
        rows = [(consumer, one.event_id, one.source) for one in first.values()]
        if work.copy_new_rows(inbox, ("consumer", "event_id", "source"), rows):
            return list(first.values())
    sources = array_text([one.source for one in first.values()])
    [claimed] = work.fetch(_CLAIM, {"consumer": consumer, "ids": plain_array(first), "sources": sources})
    if claimed.claimed == len(first):
        return list(first.values())
    new = set(claimed.ids or ())
    return [one for event_id, one in first.items() if event_id in new]


def held_aggregates(work: UnitOfWork, consumer: str, aggregate_ids: Iterable[str]) -> set[str]:
    """Those of the aggregates that have an event waiting."""
    asked = plain_array(dict.fromkeys(aggregate_ids))
    return {row.aggregate_id for row in work.fetch(_HELD, {"consumer": consumer, "asked": asked})}


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
    furthest: dict[str, Envelope] = {}
    for one in envelopes:
        before = furthest.get(one.source)
        if not one.flaw and (before is None or (before.epoch, before.position) < (one.epoch, one.position)):
            furthest[one.source] = one
    mark_places(work, consumer, [Place(one.source, one.epoch, one.position, one.time) for one in furthest.values()])


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
    return [row.aggregate_id for row in work.fetch(_DUE, {"consumer": consumer, "most": limit})]


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
