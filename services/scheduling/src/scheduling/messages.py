"""Records as the messages of the API, and the API's numbers for kinds, states, priorities, units and sides."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from chassis.dates import to_date, to_time
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling import records as of
from scheduling.rules import days_between, stop_of

KIND_NUMBERS = {
    of.TASK: pb.ACTIVITY_KIND_TASK,
    of.CALL: pb.ACTIVITY_KIND_CALL,
    of.MEETING: pb.ACTIVITY_KIND_MEETING,
}
STATE_NUMBERS = {
    of.OPEN: pb.ACTIVITY_STATE_OPEN,
    of.DONE: pb.ACTIVITY_STATE_DONE,
    of.CANCELLED: pb.ACTIVITY_STATE_CANCELLED,
}
PRIORITY_NUMBERS = {of.LOW: pb.PRIORITY_LOW, of.NORMAL: pb.PRIORITY_NORMAL, of.HIGH: pb.PRIORITY_HIGH}
UNIT_NUMBERS = {
    of.DAY: pb.REPETITION_UNIT_DAY,
    of.WEEK: pb.REPETITION_UNIT_WEEK,
    of.MONTH: pb.REPETITION_UNIT_MONTH,
}
SIDE_NUMBERS = {
    of.OWNER: pb.WAITING_SIDE_OWNER,
    of.USER: pb.WAITING_SIDE_USER,
    of.CUSTOMER: pb.WAITING_SIDE_CUSTOMER,
}
CHANGE_NUMBERS = {
    of.CREATED: pb.ACTIVITY_CHANGE_CREATED,
    of.UPDATED: pb.ACTIVITY_CHANGE_UPDATED,
    of.MOVED: pb.ACTIVITY_CHANGE_MOVED,
    of.REASSIGNED: pb.ACTIVITY_CHANGE_REASSIGNED,
    of.WAITING_SET: pb.ACTIVITY_CHANGE_WAITING_SET,
    of.REMINDED: pb.ACTIVITY_CHANGE_REMINDED,
    of.COMPLETED: pb.ACTIVITY_CHANGE_COMPLETED,
    of.CANCELLED: pb.ACTIVITY_CHANGE_CANCELLED,
}
NOTIFICATION_NUMBERS = {
    of.REMINDER: pb.NOTIFICATION_KIND_REMINDER,
    of.OVERDUE: pb.NOTIFICATION_KIND_OVERDUE,
    of.NUDGE: pb.NOTIFICATION_KIND_NUDGE,
    of.ASSIGNED: pb.NOTIFICATION_KIND_ASSIGNED,
    of.CUSTOMER_NEWS: pb.NOTIFICATION_KIND_CUSTOMER_NEWS,
}
KINDS = {number: name for name, number in KIND_NUMBERS.items()}
STATES = {number: name for name, number in STATE_NUMBERS.items()}
PRIORITIES = {number: name for name, number in PRIORITY_NUMBERS.items()}
UNITS = {number: name for name, number in UNIT_NUMBERS.items()}
SIDES = {number: name for name, number in SIDE_NUMBERS.items()}


def activity_message(one: of.Activity, now: datetime) -> pb.Activity:
    """An activity as it stands at the moment `now`, with the names known here."""
    facts, due = one.facts, one.facts.due
    message = pb.Activity(
        id=one.id,
        etag=str(one.revision),
        kind=KIND_NUMBERS[facts.kind],
        subject=facts.subject,
        description=facts.description,
        unit_id=facts.unit_id,
        owner_id=facts.owner_id,
        owner_name=one.names.owner,
        participant_user_ids=facts.participant_user_ids,
        participant_person_ids=facts.participant_person_ids,
        due_time=to_time(due.time),
        due_date=to_date(due.day),
        end_time=to_time(due.end),
        time_zone=due.zone,
        person_id=facts.person_id,
        person_name=one.names.person,
        organization_id=facts.organization_id,
        organization_name=one.names.organization,
        deal_id=facts.deal_id,
        deal_title=one.names.deal,
        priority=PRIORITY_NUMBERS[facts.priority],
        reminder_minutes=facts.reminder_minutes,
        repetition=_repetition_message(facts.repetition),
        waiting=_waiting_message(one, now),
        state=STATE_NUMBERS[one.state],
        overdue=one.state == of.OPEN and stop_of(due) <= now,
        series_id=one.series.id if one.series else "",
        occurrence=one.series.occurrence if one.series else 1,
        creator_id=one.creator_id,
        create_time=to_time(one.create_time),
        update_time=to_time(one.update_time),
    )
    if one.closing is not None:
        message.outcome, message.summary = one.closing.outcome, one.closing.summary
        message.closer_id = one.closing.user_id
        message.close_time.FromDatetime(one.closing.time)
    return message


def _repetition_message(one: of.Repetition | None) -> pb.Repetition | None:
    if one is None:
        return None
    return pb.Repetition(every=one.every, unit=UNIT_NUMBERS[one.unit], until_date=to_date(one.until), count=one.count)


def _waiting_message(one: of.Activity, now: datetime) -> pb.Waiting:
    waiting = one.waiting
    return pb.Waiting(
        side=SIDE_NUMBERS[waiting.side],
        user_id=waiting.user_id,
        user_name=one.names.waiting,
        note=waiting.note,
        since_time=to_time(waiting.since),
        days=days_between(waiting.since, now, one.facts.due.zone) if one.state == of.OPEN else 0,
    )


def history_message(one: of.Change, names: dict[str, str]) -> pb.HistoryEntry:
    """An entry of a history; `names` are those of users by id."""
    return pb.HistoryEntry(
        change_time=to_time(one.change_time),
        user_id=one.user_id,
        user_name=names.get(one.user_id, ""),
        change=CHANGE_NUMBERS[one.change],
        changed_fields=one.changed_fields,
        owner_id=one.owner_id,
        owner_name=names.get(one.owner_id, ""),
        waiting_side=SIDE_NUMBERS[one.waiting_side],
        waiting_user_id=one.waiting_user_id,
        state=STATE_NUMBERS[one.state],
        note=one.note,
        due_time=to_time(one.due_time),
    )


def holding_message(one: of.Holding, names: dict[str, str], now: datetime) -> pb.Holding:
    """A time during which one side had the move."""
    return pb.Holding(
        side=SIDE_NUMBERS[one.side],
        user_id=one.user_id,
        user_name=names.get(one.user_id, ""),
        start_time=to_time(one.start),
        end_time=to_time(one.end),
        seconds=max(int(((one.end or now) - one.start).total_seconds()), 0),
    )


def absence_message(one: of.Absence) -> pb.Absence:
    """An absence."""
    return pb.Absence(
        id=one.id,
        etag=str(one.version),
        user_id=one.user_id,
        user_name=one.user_name,
        unit_id=one.unit_id,
        start_date=to_date(one.start_date),
        end_date=to_date(one.end_date),
        reason=one.reason,
    )


def working_week_message(one: of.WorkingWeek) -> pb.WorkingWeek:
    """A working week."""
    hours = [pb.WorkingHours(weekday=each.weekday, start_minute=each.start, end_minute=each.end) for each in one.hours]
    return pb.WorkingWeek(unit_id=one.unit_id, hours=hours, etag=str(one.version) if one.version else "")


def holiday_message(one: of.Holiday) -> pb.Holiday:
    """A holiday."""
    return pb.Holiday(unit_id=one.unit_id, date=to_date(one.day), name=one.name, works=one.works)


def notification_message(one: of.Notification, about: of.Activity | None, now: datetime) -> pb.Notification:
    """A notification; `about` is its activity where the user may still see it."""
    shown = activity_message(about, now) if about else pb.Activity(id=one.activity_id)
    news = pb.CustomerNews(**asdict(one.news)) if one.news else None
    return pb.Notification(
        id=one.id,
        kind=NOTIFICATION_NUMBERS[one.kind],
        activity=None if news else shown,
        customer_news=news,
        actor_id=one.actor_id,
        actor_name=one.actor_name,
        note=one.note,
        count=one.count,
        create_time=to_time(one.create_time),
        read_time=to_time(one.read_time),
    )
