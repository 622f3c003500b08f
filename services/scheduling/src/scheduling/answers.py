"""What today and the calendar found, as the answers of the API."""

from __future__ import annotations

from datetime import datetime

from chassis.dates import to_date
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling import today
from scheduling.calendars import Calendar
from scheduling.messages import absence_message, activity_message


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
