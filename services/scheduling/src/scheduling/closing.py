"""Ending an activity: done with an outcome, or cancelled; and the next occurrence of one that repeats."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chassis.database import UnitOfWork
from scheduling.composing import MAX_TEXT, MAX_WORD
from scheduling.errors import invalid
from scheduling.events import tell_closed, tell_created
from scheduling.locking import check_etag, lock_for_part, require_open
from scheduling.planning import begin, touch
from scheduling.queries import get_activities
from scheduling.records import (
    CANCELLED,
    COMPLETED,
    CREATED,
    DONE,
    OWNER,
    Activity,
    Closing,
    Due,
    Series,
    Waiting,
)
from scheduling.rules import FIRST_DAY, check_text, later_occurrences
from scheduling.storing import insert_next, keep_history, update_activities
from units.visibility import Unit

AHEAD = timedelta(minutes=5)  # clocks differ
Ended = tuple[Activity, Activity | None]


def complete_activity(
    work: UnitOfWork,
    activity_id: str,
    etag: str,
    outcome: str,
    summary: str,
    time: datetime | None = None,
    end_series: bool = False,
) -> Ended:
    """Close an activity as done, and plan its next occurrence. The same done again changes nothing.

    Errors: ActivityNotFound, ActivityClosed, NotPermitted, StaleEtag, FieldInvalid.
    """
    outcome = check_text("outcome", outcome, MAX_WORD).strip() or DONE
    check_text("summary", summary, MAX_TEXT)
    known, place = lock_for_part(work, activity_id)
    if known.state == DONE and known.closing and (known.closing.outcome, known.closing.summary) == (outcome, summary):
        return known, None
    closing = Closing(outcome, summary, _check_time(time, work.now), work.access.user_id)
    return _end(work, known, place, etag, DONE, closing, comes_again=not end_series)


def cancel_activity(work: UnitOfWork, activity_id: str, etag: str, summary: str, only_this: bool = False) -> Ended:
    """Close an activity that will not take place; with `only_this` a repeating one comes again all the same.

    Errors: ActivityNotFound, ActivityClosed, NotPermitted, StaleEtag, FieldInvalid.
    """
    check_text("summary", summary, MAX_TEXT)
    known, place = lock_for_part(work, activity_id)
    if known.state == CANCELLED and known.closing and known.closing.summary == summary:
        return known, None
    closing = Closing("", summary, work.now, work.access.user_id)
    return _end(work, known, place, etag, CANCELLED, closing, comes_again=only_this)


def _check_time(time: datetime | None, now: datetime) -> datetime:
    if time is None:
        return now
    if time.date() < FIRST_DAY or time > now + AHEAD:
        raise invalid("close_time", "is before 1900 or still to come; say when it took place")
    return time


def _end(
    work: UnitOfWork, known: Activity, place: Unit, etag: str, state: str, closing: Closing, comes_again: bool
) -> Ended:
    check_etag(work, known, etag)
    require_open(known)
    ended = touch(known, work, state=state, closing=closing, remind_time=None, lapse_time=None)
    update_activities(work, [ended])
    keep_history(work, [ended], COMPLETED if state == DONE else CANCELLED, closing.summary)
    tell_closed(work, ended, place.path)
    return ended, _come_again(work, ended, place) if comes_again else None


def _come_again(work: UnitOfWork, ended: Activity, place: Unit) -> Activity | None:
    """The next occurrence: the first of the rhythm that has not passed, so that what was missed does not pile up."""
    facts, series = ended.facts, ended.series
    if facts.repetition is None or series is None:
        return None
    number, due = next(later_occurrences(facts.repetition, series, facts.due, work.now), (0, facts.due))
    if not number:
        return None
    again = _occurrence(work, ended, replace(series, occurrence=number), due)
    if not insert_next(work, again):
        return None
    keep_history(work, [again], CREATED)
    tell_created(work, again, place.path)
    return next(iter(get_activities(work, [again.id])), again)


def _occurrence(work: UnitOfWork, ended: Activity, series: Series, due: Due) -> Activity:
    waiting = Waiting(OWNER, ended.facts.owner_id, "", work.now)
    again = begin(work, replace(ended.facts, due=due), waiting, series)
    return replace(again, creator_id=ended.creator_id)
