"""What today, the calendar and the workload found, as the answers of the API."""

from __future__ import annotations

from datetime import datetime

from chassis.dates import to_date
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling import today
from scheduling.calendars import Calendar
from scheduling.messages import absence_message, activity_message
from scheduling.workload import Load, LoadOfDay

MAX_ITEMS = 5  # of a day in the grid; the others are told by their number


def today_answer(found: today.Today, now: datetime) -> pb.GetTodayResponse:
    """A day of a user."""

    def shown(name: str) -> list[pb.Activity]:
        return [activity_message(one, now) for one in found.lists[name]]

    return pb.GetTodayResponse(
        date=to_date(found.day),
        time_zone=found.zone,
        overdue=shown(today.OVERDUE),
        due_today=shown(today.DUE_TODAY),
        meetings=shown(today.MEETINGS),
        waiting=shown(today.WAITING),
        asked=shown(today.ASKED),
        overdue_count=found.counts[today.OVERDUE],
        due_today_count=found.counts[today.DUE_TODAY],
        waiting_count=found.counts[today.WAITING],
        asked_count=found.counts[today.ASKED],
        done_count=found.done_count,
        unread_count=found.unread_count,
        absences=[absence_message(one) for one in found.absences],
    )


def calendar_answer(found: Calendar, now: datetime) -> pb.GetCalendarResponse:
    """Calendars of a range of days."""
    entries = [
        pb.CalendarEntry(activity=activity_message(one.activity, now), virtual=one.virtual, occurrence=one.occurrence)
        for one in found.entries
    ]
    away = [absence_message(one) for one in found.absences]
    return pb.GetCalendarResponse(entries=entries, absences=away, truncated=found.truncated)


def load_message(one: Load, now: datetime) -> pb.Workload:
    """The days of a person."""
    return pb.Workload(
        user_id=one.person.user_id,
        user_name=one.person.name,
        unit_id=one.person.unit_id,
        capacity_minutes=one.capacity,
        planned_minutes=one.planned,
        days=[_day_message(each, now) for each in one.days],
    )


def _day_message(one: LoadOfDay, now: datetime) -> pb.WorkloadDay:
    items = [
        pb.WorkloadItem(
            activity=activity_message(each.entry.activity, now),
            planned_minutes=each.minutes,
            virtual=each.entry.virtual,
        )
        for each in one.items[:MAX_ITEMS]
    ]
    return pb.WorkloadDay(
        date=to_date(one.day),
        capacity_minutes=one.capacity,
        planned_minutes=one.planned,
        away=one.away,
        holiday=one.holiday,
        activity_count=len(one.items),
        items=items,
    )
