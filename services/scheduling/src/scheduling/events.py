"""Rows of scheduling as the facts it publishes: full new state, nothing to be asked back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import Message
from sqlalchemy import Row

from chassis.database import UnitOfWork
from chassis.dates import to_time
from crm.scheduling.events.v1 import scheduling_events_pb2 as events
from scheduling.records import CANCELLED, Absence, Activity, Holiday, Repetition, WorkingWeek


def tell_created(work: UnitOfWork, one: Activity, unit_path: str) -> None:
    """Say that an activity was planned or came again."""
    _tell(work, events.ActivityCreated(activity=activity_state(one)), one, unit_path)


def tell_updated(work: UnitOfWork, one: Activity, unit_path: str, changed: Sequence[str]) -> None:
    """Say that fields of an activity changed."""
    message = events.ActivityUpdated(activity=activity_state(one))
    message.changed.paths.extend(changed)
    _tell(work, message, one, unit_path)


def tell_reassigned(work: UnitOfWork, one: Activity, unit_path: str, from_owner_id: str) -> None:
    """Say that an activity was given to another user."""
    message = events.ActivityReassigned(activity=activity_state(one), from_owner_id=from_owner_id)
    _tell(work, message, one, unit_path)


def tell_closed(work: UnitOfWork, one: Activity, unit_path: str) -> None:
    """Say that an activity was done, or that it will not take place."""
    state = activity_state(one)
    state.personal.closer_name = work.access.user_name
    kind = events.ActivityCancelled if one.state == CANCELLED else events.ActivityCompleted
    _tell(work, kind(activity=state), one, unit_path)


def tell_reminded(work: UnitOfWork, one: Activity, unit_path: str, user_ids: Sequence[str]) -> None:
    """Say that users are reminded of an activity that is due soon."""
    _tell(work, events.ActivityReminded(activity=activity_state(one), user_ids=user_ids), one, unit_path)


def tell_lapsed(work: UnitOfWork, one: Activity, unit_path: str, user_ids: Sequence[str]) -> None:
    """Say that the time of an open activity has passed."""
    _tell(work, events.ActivityLapsed(activity=activity_state(one), user_ids=user_ids), one, unit_path)


def tell_nudged(work: UnitOfWork, one: Activity, unit_path: str, user_id: str) -> None:
    """Say that somebody reminded the user whose move it is."""
    _tell(work, events.ActivityNudged(activity=activity_state(one), user_ids=[user_id]), one, unit_path)


def tell_news(work: UnitOfWork, one: Row[Any], unit_path: str, user_ids: Sequence[str]) -> None:
    """Say that users were told of an interaction; `one` is its row here."""
    state = events.NewsState(
        id=one.id,
        unit_id=one.unit_id,
        person_id=one.person_id or "",
        organization_id=one.organization_id or "",
        user_ids=user_ids,
    )
    work.add_event(events.NewsReported(news=state), "news", one.id, one.look_count, unit_path, one.person_id)


def tell_absence(work: UnitOfWork, one: Absence, unit_path: str, removed: bool = False) -> None:
    """Say that an absence was set or taken back."""
    state = events.AbsenceState(
        id=one.id,
        user_id=one.user_id,
        unit_id=one.unit_id,
        start_date=one.start_date.isoformat(),
        end_date=one.end_date.isoformat(),
        personal=events.AbsencePersonal(reason=one.reason),
    )
    message = events.AbsenceRemoved(absence=state) if removed else events.AbsenceSet(absence=state)
    work.add_event(message, "absence", one.id, one.version, unit_path)


def tell_working_week(work: UnitOfWork, one: WorkingWeek, unit_path: str, removed: bool = False) -> None:
    """Say that a unit got a working week, or that it works as the unit above it does from now on."""
    hours = [
        events.WorkingStretch(weekday=each.weekday, start_minute=each.start, end_minute=each.end) for each in one.hours
    ]
    state = events.WorkingWeekState(id=one.id, unit_id=one.unit_id, hours=hours)
    kind = events.WorkingWeekRemoved if removed else events.WorkingWeekSet
    work.add_event(kind(working_week=state), "working_week", one.id, one.version, unit_path)


def tell_holiday(work: UnitOfWork, one: Holiday, unit_path: str, removed: bool = False) -> None:
    """Say that a holiday was recorded or taken back."""
    state = events.HolidayState(
        id=one.id, unit_id=one.unit_id, date=one.day.isoformat(), name=one.name, works=one.works
    )
    kind = events.HolidayRemoved if removed else events.HolidaySet
    work.add_event(kind(holiday=state), "holiday", one.id, one.version, unit_path)


def activity_state(one: Activity) -> events.ActivityState:
    """An activity as others learn of it."""
    facts, due, closing = one.facts, one.facts.due, one.closing
    return events.ActivityState(
        id=one.id,
        kind=facts.kind,
        status=one.state,
        unit_id=facts.unit_id,
        owner_id=facts.owner_id,
        participant_user_ids=facts.participant_user_ids,
        participant_person_ids=facts.participant_person_ids,
        due_time=to_time(due.time),
        due_date=due.day.isoformat() if due.day else "",
        end_time=to_time(due.end),
        time_zone=due.zone,
        person_id=facts.person_id,
        organization_id=facts.organization_id,
        deal_id=facts.deal_id,
        priority=facts.priority,
        reminder_minutes=facts.reminder_minutes,
        repetition=_repetition_state(facts.repetition),
        waiting=events.WaitingState(
            side=one.waiting.side, user_id=one.waiting.user_id, since_time=to_time(one.waiting.since)
        ),
        outcome=closing.outcome if closing else "",
        close_time=to_time(closing.time) if closing else None,
        closer_id=closing.user_id if closing else "",
        series_id=one.series.id if one.series else "",
        occurrence=one.series.occurrence if one.series else 1,
        creator_id=one.creator_id,
        create_time=to_time(one.create_time),
        personal=events.ActivityPersonal(
            subject=facts.subject,
            description=facts.description,
            summary=closing.summary if closing else "",
            waiting_note=one.waiting.note,
        ),
    )


def _repetition_state(one: Repetition | None) -> events.RepetitionState | None:
    if one is None:
        return None
    until = one.until.isoformat() if one.until else ""
    return events.RepetitionState(every=one.every, unit=one.unit, until_date=until, count=one.count)


def _tell(work: UnitOfWork, message: Message, one: Activity, unit_path: str) -> None:
    work.add_event(message, "activity", one.id, one.version, unit_path, one.facts.person_id or None)
