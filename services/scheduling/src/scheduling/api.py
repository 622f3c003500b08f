"""Door 1: the gRPC servicer of scheduling. Translate, call, translate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from chassis.database import Database, UnitOfWork
from chassis.dates import from_date
from chassis.once import answer_once
from chassis.paging import make_token, page_size, read_token
from chassis.rpc.server import Servicer, current_access
from crm.scheduling.v1 import scheduling_pb2 as pb
from crm.scheduling.v1 import scheduling_pb2_grpc as pb_grpc
from scheduling import (
    absences,
    calendars,
    closing,
    handing_over,
    history,
    listing,
    messages,
    next_steps,
    notifications,
    planning,
    queries,
    today,
    updating,
    waiting,
    working_weeks,
    workload,
)
from scheduling.answers import calendar_answer, load_message, today_answer
from scheduling.composing import compose_id
from scheduling.errors import invalid
from scheduling.readings import LISTS, READINGS, STOPPED
from scheduling.records import Activity, Stretch
from scheduling.rules import start_of
from scheduling.settings import Settings
from scheduling.times import time_in
from units.freezing import Freeze

POOL = 3  # connections at hand for a rush: with two cores more would only wait for each other
MAX_BATCH = 500
A = TypeVar("A", bound=Message)


def servicers(settings: Settings) -> tuple[Servicer, ...]:
    """The servicers of scheduling over its own database."""
    implementation = SchedulingServicer(Database(settings.database_url, "scheduling", pool_size=POOL, overflow=8))
    return (
        Servicer(
            "scheduling",
            implementation,
            pb_grpc.add_SchedulingServiceServicer_to_server,
            readings=READINGS,
            admit=Freeze(implementation.database, STOPPED, LISTS).admit,
        ),
    )


def _shown(work: UnitOfWork, one: Activity | None) -> pb.Activity | None:
    return None if one is None else messages.activity_message(one, work.now)


class SchedulingServicer(pb_grpc.SchedulingServiceServicer):
    """Answers the calls of crm.scheduling.v1.SchedulingService."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def _once(self, request: Message, kind: type[A], act: Callable[[UnitOfWork], A]) -> A:
        return self.database.attempt(lambda work: answer_once(work, request, kind, lambda: act(work)), current_access())

    def CreateActivity(self, request: pb.CreateActivityRequest, _: grpc.ServicerContext) -> pb.CreateActivityResponse:
        """Plan an activity."""

        def act(work: UnitOfWork) -> pb.CreateActivityResponse:
            return pb.CreateActivityResponse(activity=_shown(work, planning.plan_activity(work, request.activity)))

        return self._once(request, pb.CreateActivityResponse, act)

    def UpdateActivity(self, request: pb.UpdateActivityRequest, _: grpc.ServicerContext) -> pb.UpdateActivityResponse:
        """Change fields of an activity."""
        with self.database.transaction(current_access()) as work:
            changed = updating.update_activity(work, request.activity, request.update_mask.paths, request.etag)
            return pb.UpdateActivityResponse(activity=_shown(work, changed))

    def GetActivity(self, request: pb.GetActivityRequest, _: grpc.ServicerContext) -> pb.GetActivityResponse:
        """Read an activity."""
        with self.database.transaction(current_access()) as work:
            return pb.GetActivityResponse(activity=_shown(work, queries.get_activity(work, request.activity_id)))

    def BatchGetActivities(
        self, request: pb.BatchGetActivitiesRequest, _: grpc.ServicerContext
    ) -> pb.BatchGetActivitiesResponse:
        """Read several activities."""
        if len(request.activity_ids) > MAX_BATCH:
            raise invalid("activity_ids", f"has {len(request.activity_ids)} ids; ask for at most {MAX_BATCH} at once")
        with self.database.transaction(current_access()) as work:
            found = queries.get_activities(work, set(request.activity_ids))
            return pb.BatchGetActivitiesResponse(activities=[messages.activity_message(one, work.now) for one in found])

    def ListActivities(self, request: pb.ListActivitiesRequest, _: grpc.ServicerContext) -> pb.ListActivitiesResponse:
        """List activities by the time they are due."""
        size = page_size(request.page_size, 50, 500)
        asked = {
            name: compose_id(name, getattr(request, name))
            for name in ("owner_id", "person_id", "organization_id", "deal_id", "series_id", "waiting_user_id")
        }
        question = listing.Question(
            **asked,
            unit_id=request.unit_id,
            state=messages.STATES.get(request.state, ""),
            kind=messages.KINDS.get(request.kind, ""),
            due_from=time_in(request, "due_from_time"),
            due_before=time_in(request, "due_before_time"),
            overdue=request.overdue,
            latest_first=request.latest_first,
        )
        about = f"activities:{question}"
        with self.database.transaction(current_access()) as work:
            found = listing.list_activities(work, question, size + 1, read_token(about, request.page_token))
            page = [messages.activity_message(one, work.now) for one in found[:size]]
        last = found[size - 1] if len(found) > size else None
        token = make_token(about, [start_of(last.facts.due).isoformat(), last.id]) if last else ""
        return pb.ListActivitiesResponse(activities=page, next_page_token=token)

    def CompleteActivity(
        self, request: pb.CompleteActivityRequest, _: grpc.ServicerContext
    ) -> pb.CompleteActivityResponse:
        """Close an activity as done."""
        time = time_in(request, "close_time")

        def act(work: UnitOfWork) -> pb.CompleteActivityResponse:
            ended, again = closing.complete_activity(
                work, request.activity_id, request.etag, request.outcome, request.summary, time, request.end_series
            )
            return pb.CompleteActivityResponse(activity=_shown(work, ended), next_activity=_shown(work, again))

        return self._once(request, pb.CompleteActivityResponse, act)

    def CancelActivity(self, request: pb.CancelActivityRequest, _: grpc.ServicerContext) -> pb.CancelActivityResponse:
        """Close an activity that will not take place."""

        def act(work: UnitOfWork) -> pb.CancelActivityResponse:
            ended, again = closing.cancel_activity(
                work, request.activity_id, request.etag, request.summary, request.only_this
            )
            return pb.CancelActivityResponse(activity=_shown(work, ended), next_activity=_shown(work, again))

        return self._once(request, pb.CancelActivityResponse, act)

    def ReassignActivity(
        self, request: pb.ReassignActivityRequest, _: grpc.ServicerContext
    ) -> pb.ReassignActivityResponse:
        """Give an activity to another user."""

        def act(work: UnitOfWork) -> pb.ReassignActivityResponse:
            given = handing_over.reassign_activity(
                work, request.activity_id, request.etag, request.owner_id, request.unit_id, request.note
            )
            return pb.ReassignActivityResponse(activity=_shown(work, given))

        return self._once(request, pb.ReassignActivityResponse, act)

    def BatchReassignActivities(
        self, request: pb.BatchReassignActivitiesRequest, _: grpc.ServicerContext
    ) -> pb.BatchReassignActivitiesResponse:
        """Give many activities to another user."""

        def act(work: UnitOfWork) -> pb.BatchReassignActivitiesResponse:
            given = handing_over.reassign_activities(
                work, request.activity_ids, request.owner_id, request.unit_id, request.note
            )
            found = [messages.activity_message(one, work.now) for one in given]
            return pb.BatchReassignActivitiesResponse(activities=found)

        return self._once(request, pb.BatchReassignActivitiesResponse, act)

    def HandOverActivities(
        self, request: pb.HandOverActivitiesRequest, _: grpc.ServicerContext
    ) -> pb.HandOverActivitiesResponse:
        """Give a user's open activities to another one."""

        def act(work: UnitOfWork) -> pb.HandOverActivitiesResponse:
            return handing_over.hand_over_activities(work, request)

        return self._once(request, pb.HandOverActivitiesResponse, act)

    def MoveActivity(self, request: pb.MoveActivityRequest, _: grpc.ServicerContext) -> pb.MoveActivityResponse:
        """Put an activity to another time, owner or both."""
        time, end = time_in(request, "due_time"), time_in(request, "end_time")
        day = from_date(request.due_date, "due_date")

        def act(work: UnitOfWork) -> pb.MoveActivityResponse:
            moved = updating.move_activity(work, request.activity_id, request.etag, time, day, end, request.owner_id)
            return pb.MoveActivityResponse(activity=_shown(work, moved))

        return self._once(request, pb.MoveActivityResponse, act)

    def SetWaiting(self, request: pb.SetWaitingRequest, _: grpc.ServicerContext) -> pb.SetWaitingResponse:
        """Say whose move it is."""

        def act(work: UnitOfWork) -> pb.SetWaitingResponse:
            changed = waiting.set_waiting(work, request.activity_id, request.etag, request.waiting)
            return pb.SetWaitingResponse(activity=_shown(work, changed))

        return self._once(request, pb.SetWaitingResponse, act)

    def RemindNow(self, request: pb.RemindNowRequest, _: grpc.ServicerContext) -> pb.RemindNowResponse:
        """Remind the user whose move it is."""

        def act(work: UnitOfWork) -> pb.RemindNowResponse:
            return pb.RemindNowResponse(user_id=waiting.remind_now(work, request.activity_id, request.note))

        return self._once(request, pb.RemindNowResponse, act)

    def ListActivityHistory(
        self, request: pb.ListActivityHistoryRequest, _: grpc.ServicerContext
    ) -> pb.ListActivityHistoryResponse:
        """List what was done with an activity and who had the move when."""
        size = page_size(request.page_size, 100, 500)
        about = f"history:{request.activity_id}"
        after = int((read_token(about, request.page_token) or [0])[0])
        with self.database.transaction(current_access()) as work:
            found, names = history.list_history(work, request.activity_id, size + 1, after)
            held, more_names = ([], {}) if after else history.list_holdings(work, request.activity_id)
            holdings = [messages.holding_message(one, more_names, work.now) for one in held]
        token = make_token(about, [found[size - 1][0]]) if len(found) > size else ""
        entries = [messages.history_message(one, names) for _, one in found[:size]]
        return pb.ListActivityHistoryResponse(entries=entries, holdings=holdings, next_page_token=token)

    def GetToday(self, request: pb.GetTodayRequest, _: grpc.ServicerContext) -> pb.GetTodayResponse:
        """Answer a user's whole day."""
        day = from_date(request.date, "date")
        with self.database.transaction(current_access()) as work:
            found = today.look_at_today(work, request.user_id, day, request.time_zone)
            return today_answer(found, work.now)

    def GetCalendar(self, request: pb.GetCalendarRequest, _: grpc.ServicerContext) -> pb.GetCalendarResponse:
        """List what stands in calendars."""
        days = from_date(request.start_date, "start_date"), from_date(request.end_date, "end_date")
        kinds = [messages.KINDS[kind] for kind in request.kinds if kind in messages.KINDS]
        with self.database.transaction(current_access()) as work:
            found = calendars.look_at_calendar(
                work, days, request.time_zone, request.user_ids, request.unit_id, kinds, request.with_done
            )
            return calendar_answer(found, work.now)

    def BatchGetNextSteps(
        self, request: pb.BatchGetNextStepsRequest, _: grpc.ServicerContext
    ) -> pb.BatchGetNextStepsResponse:
        """Find the next open activity of customers and deals."""
        asked = {name: list(getattr(request, f"{name}s")) for name in next_steps.TARGETS}
        with self.database.transaction(current_access()) as work:
            found = next_steps.find_next_steps(work, asked)
            steps = [
                pb.NextStep(activity=_shown(work, one.activity), open_count=one.open_count, **{one.target: one.id})
                for one in found
            ]
        return pb.BatchGetNextStepsResponse(next_steps=steps)

    def ListNotifications(
        self, request: pb.ListNotificationsRequest, _: grpc.ServicerContext
    ) -> pb.ListNotificationsResponse:
        """List the caller's notifications, newest first."""
        size = page_size(request.page_size, 50, 200)
        about = f"notifications:{request.unread}"
        before = str((read_token(about, request.page_token) or [""])[0])
        with self.database.transaction(current_access()) as work:
            found, known = notifications.list_notifications(work, size + 1, before, request.unread)
            page = [messages.notification_message(one, known.get(one.activity_id), work.now) for one in found[:size]]
            unread = notifications.count_unread(work)
        token = make_token(about, [found[size - 1].id]) if len(found) > size else ""
        return pb.ListNotificationsResponse(notifications=page, next_page_token=token, unread_count=unread)

    def MarkNotificationsRead(
        self, request: pb.MarkNotificationsReadRequest, _: grpc.ServicerContext
    ) -> pb.MarkNotificationsReadResponse:
        """Mark notifications of the caller as read."""
        with self.database.transaction(current_access()) as work:
            return pb.MarkNotificationsReadResponse(
                unread_count=notifications.mark_read(work, request.notification_ids)
            )

    def SetAbsence(self, request: pb.SetAbsenceRequest, _: grpc.ServicerContext) -> pb.SetAbsenceResponse:
        """Record or change an absence."""

        def act(work: UnitOfWork) -> pb.SetAbsenceResponse:
            return pb.SetAbsenceResponse(absence=messages.absence_message(absences.set_absence(work, request.absence)))

        return self._once(request, pb.SetAbsenceResponse, act)

    def RemoveAbsence(self, request: pb.RemoveAbsenceRequest, _: grpc.ServicerContext) -> pb.RemoveAbsenceResponse:
        """Take an absence back."""
        with self.database.transaction(current_access()) as work:
            absences.remove_absence(work, request.absence_id)
        return pb.RemoveAbsenceResponse()

    def ListAbsences(self, request: pb.ListAbsencesRequest, _: grpc.ServicerContext) -> pb.ListAbsencesResponse:
        """List absences that touch a range of days."""
        size = page_size(request.page_size, 200, 1000)
        users, about = list(request.user_ids), f"absences:{request.start_date}:{request.end_date}:{request.unit_id}"
        if len(users) > MAX_BATCH:
            raise invalid("user_ids", f"has {len(users)} ids; ask for at most {MAX_BATCH}")
        about += ",".join(users)
        days = from_date(request.start_date, "start_date"), from_date(request.end_date, "end_date")
        with self.database.transaction(current_access()) as work:
            first, last = absences.range_of(days, work.now.date())
            after = read_token(about, request.page_token)
            found = absences.list_absences(work, first, last, users, request.unit_id, size + 1, after)
        cut = found[size - 1] if len(found) > size else None
        token = make_token(about, [cut.start_date.isoformat(), cut.id]) if cut else ""
        page = [messages.absence_message(one) for one in found[:size]]
        return pb.ListAbsencesResponse(absences=page, next_page_token=token)

    def GetWorkingWeeks(
        self, request: pb.GetWorkingWeeksRequest, _: grpc.ServicerContext
    ) -> pb.GetWorkingWeeksResponse:
        """Read the working weeks of a unit and those below."""
        with self.database.transaction(current_access()) as work:
            in_force, own = working_weeks.get_weeks(work, request.unit_id)
        return pb.GetWorkingWeeksResponse(
            in_force=messages.working_week_message(in_force),
            working_weeks=[messages.working_week_message(one) for one in own],
        )

    def SetWorkingWeek(self, request: pb.SetWorkingWeekRequest, _: grpc.ServicerContext) -> pb.SetWorkingWeekResponse:
        """Give a unit a working week."""
        said = request.working_week
        hours = [Stretch(one.weekday, one.start_minute, one.end_minute) for one in said.hours]
        with self.database.transaction(current_access()) as work:
            week = working_weeks.set_week(work, said.unit_id, hours, request.etag)
        return pb.SetWorkingWeekResponse(working_week=messages.working_week_message(week))

    def RemoveWorkingWeek(
        self, request: pb.RemoveWorkingWeekRequest, _: grpc.ServicerContext
    ) -> pb.RemoveWorkingWeekResponse:
        """Let a unit work as the one above it does."""
        with self.database.transaction(current_access()) as work:
            working_weeks.remove_week(work, request.unit_id)
        return pb.RemoveWorkingWeekResponse()

    def GetHolidays(self, request: pb.GetHolidaysRequest, _: grpc.ServicerContext) -> pb.GetHolidaysResponse:
        """List the holidays in force in a unit."""
        days = from_date(request.start_date, "start_date"), from_date(request.end_date, "end_date")
        with self.database.transaction(current_access()) as work:
            found = working_weeks.get_holidays(work, request.unit_id, days)
        return pb.GetHolidaysResponse(holidays=[messages.holiday_message(one) for one in found])

    def SetHoliday(self, request: pb.SetHolidayRequest, _: grpc.ServicerContext) -> pb.SetHolidayResponse:
        """Record a holiday."""
        said, day = request.holiday, from_date(request.holiday.date, "holiday.date")
        with self.database.transaction(current_access()) as work:
            one = working_weeks.set_holiday(work, said.unit_id, day, said.name, said.works)
        return pb.SetHolidayResponse(holiday=messages.holiday_message(one))

    def RemoveHoliday(self, request: pb.RemoveHolidayRequest, _: grpc.ServicerContext) -> pb.RemoveHolidayResponse:
        """Take a holiday back."""
        with self.database.transaction(current_access()) as work:
            working_weeks.remove_holiday(work, request.unit_id, from_date(request.date, "date"))
        return pb.RemoveHolidayResponse()

    def GetWorkload(self, request: pb.GetWorkloadRequest, _: grpc.ServicerContext) -> pb.GetWorkloadResponse:
        """Answer how much is planned for whom against the time they work."""
        size = page_size(request.page_size, 50, 100)
        days = from_date(request.start_date, "start_date"), from_date(request.end_date, "end_date")
        about = f"workload:{request.unit_id}:{','.join(request.user_ids)}"
        with self.database.transaction(current_access()) as work:
            people = workload.find_people(
                work, request.unit_id, request.user_ids, size + 1, read_token(about, request.page_token)
            )
            found = workload.weigh_days(work, people[:size], days, request.time_zone)
            loads = [load_message(one, work.now) for one in found.loads]
        cut = people[size - 1] if len(people) > size else None
        return pb.GetWorkloadResponse(
            people=loads,
            capacity_minutes=sum(one.capacity_minutes for one in loads),
            planned_minutes=sum(one.planned_minutes for one in loads),
            next_page_token=make_token(about, [cut.name, cut.user_id]) if cut else "",
            truncated=found.truncated,
        )
