"""Who is in which segment: found again and again, and told in the transaction in which it is noted.

The whole segment is looked through each time: conditions on days change with no event at all, and no way of writing a
card can be forgotten. What that costs is bounded by the pace: a segment rests 20 times as long as finding it took.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from contacts.segments.conditions import members_of
from contacts.segments.messages import segment_state
from contacts.segments.seeing import conditions_of, select_segments
from contacts.tables import person, segment, segment_member
from crm.contacts.events.v1 import contacts_events_pb2 as events_pb

PAUSE, RESTS = timedelta(seconds=15), 20
AGAIN = timedelta(minutes=1)  # after a failure, so that others come first
TOLD_AT_ONCE = 500  # ids in an event: 20 kB


def keep_segments(database: Database) -> None:
    """Find the members of every segment whose time has come."""
    while (segment_id := _claim(database)) is not None:
        with database.transaction() as work:
            keep_members(work, segment_id)


def _claim(database: Database) -> str | None:
    """A segment whose time has come, put off at once: another process takes another one."""
    c = segment.c
    with database.transaction() as work:
        due = sa.select(c.id).where(c.due_time <= work.now).order_by(c.due_time).limit(1)
        found: str | None = work.execute(due.with_for_update(skip_locked=True)).scalar_one_or_none()
        if found is not None:
            work.execute(sa.update(segment).where(c.id == found).values(due_time=work.now + AGAIN))
    return found


def keep_members(work: UnitOfWork, segment_id: str) -> None:
    """Note and tell who came and who went. The segment's row is taken first, as by those who change it."""
    row = work.execute(select_segments().where(segment.c.id == segment_id).with_for_update(of=segment)).one()
    began = time.monotonic()
    wanted = members_of(work, row.path, conditions_of(row), match_any=row.match_any)
    fitting = sa.select(person.c.id).where(*([sa.false()] if row.retired else wanted))
    c = segment_member.c
    stays = fitting.where(person.c.id == c.person_id).correlate(segment_member).exists()
    gone = sa.delete(segment_member).where(c.segment_id == segment_id, sa.not_(stays))
    left = sorted(work.execute(gone.returning(c.person_id)).scalars())
    present = sa.exists().where(c.segment_id == segment_id, c.person_id == person.c.id)
    new = fitting.with_only_columns(
        sa.literal(segment_id, c.segment_id.type), person.c.id, sa.literal(work.now, c.enter_time.type)
    ).where(sa.not_(present))
    noted = sa.insert(segment_member).from_select([c.segment_id, c.person_id, c.enter_time], new)
    entered = sorted(work.execute(noted.returning(c.person_id)).scalars())
    rest = max(PAUSE, timedelta(seconds=RESTS * (time.monotonic() - began)))
    _tell(work, row, left, entered, None if row.retired else work.now + rest)


def _tell(work: UnitOfWork, row: Any, left: Sequence[str], entered: Sequence[str], due_time: Any) -> None:
    state = segment_state(row)
    batches: list[tuple[Callable[..., Any], Sequence[str]]] = [
        *((events_pb.SegmentLeft, part) for part in _parts(left)),
        *((events_pb.SegmentEntered, part) for part in _parts(entered)),
    ]
    values = {"version": row.version + len(batches), "evaluate_time": work.now, "due_time": due_time}
    work.execute(sa.update(segment).where(segment.c.id == row.id).values(values))
    for version, (event, person_ids) in enumerate(batches, start=row.version + 1):
        work.add_event(event(segment=state, person_ids=person_ids), "segment", row.id, version, row.path)


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + TOLD_AT_ONCE] for at in range(0, len(ids), TOLD_AT_ONCE)]
