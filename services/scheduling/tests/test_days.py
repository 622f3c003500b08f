"""A user's day and calendars in one answer each: in the right zone, with what is still to come, and who is away."""

from __future__ import annotations

import pytest

from chassis import clock
from crm.scheduling.v1 import scheduling_pb2 as pb
from services.scheduling.tests.desk import (
    Desk,
    a_day,
    a_user,
    at,
    every,
    head_of,
    id_of,
    seller_of,
    written,
)

ANNA, BORIS, POLINA = (seller_of("moscow", name) for name in ("Anna", "Boris", "Polina"))
CALL, MEETING = pb.ACTIVITY_KIND_CALL, pb.ACTIVITY_KIND_MEETING
NOON = at("2024-05-06T12:00")


def test_today_holds_what_is_overdue_due_and_met_and_nothing_of_other_days(desk: Desk) -> None:
    with clock.at(NOON), desk.as_caller(ANNA):
        late = desk.plan(due_date="2024-05-03")
        missed = desk.plan(kind=CALL, due_time="2024-05-06T11:00")
        soon = desk.plan(kind=CALL, due_time="2024-05-06T15:00")
        whole = desk.plan(due_date="2024-05-06")
        night = desk.plan(kind=CALL, due_time="2024-05-06T23:59")
        met = desk.plan(kind=MEETING, due_time="2024-05-06T09:00", end_time="2024-05-06T10:00")
        desk.complete(met, summary="Agreed")
        for due in ("2024-05-07T00:00", "2024-05-05T23:59"):
            desk.plan(kind=MEETING, due_time=due)
        desk.plan(due_date="2024-05-07")
        with desk.as_caller(BORIS):
            invited = desk.plan(kind=MEETING, due_time="2024-05-06T16:00", participant_user_ids=[ANNA.user_id])
        found = desk.today()
    assert (found.date, found.time_zone) == (a_day("2024-05-06"), "Europe/Moscow")
    overdue = [one.id for one in found.overdue]
    assert (overdue[0], missed.id in overdue, found.overdue_count) == (late.id, True, 3)
    assert [one.id for one in found.due_today] == [soon.id, night.id, whole.id]
    assert [one.id for one in found.meetings] == [met.id, invited.id]
    assert (found.due_today_count, found.done_count) == (3, 1)


def test_a_whole_day_is_that_day_in_every_zone(desk: Desk) -> None:
    with clock.at(NOON), desk.as_caller(ANNA):
        whole = desk.plan(due_date="2024-05-06")
        for zone in ("Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"):
            assert [one.id for one in desk.today(time_zone=zone, date=a_day("2024-05-06")).due_today] == [whole.id]
            assert list(desk.today(time_zone=zone, date=a_day("2024-05-07")).due_today) == []
    refused = desk.refusal("GetToday", pb.GetTodayRequest(time_zone="Mars"))
    assert refused.violations[0].field == "time_zone"


def test_a_head_looks_at_a_sellers_day_and_a_stranger_sees_nothing_of_it(desk: Desk) -> None:
    with clock.at(NOON):
        with desk.as_caller(ANNA):
            desk.plan(due_date="2024-05-03")
        with desk.as_caller(head_of("moscow")):
            assert desk.today(user_id=ANNA.user_id).overdue_count == 1
        with desk.as_caller(head_of("tula")):
            assert desk.today(user_id=ANNA.user_id).overdue_count == 0


def calendar(desk: Desk, start: str, end: str, **asked: object) -> pb.GetCalendarResponse:
    request = pb.GetCalendarRequest(start_date=a_day(start), end_date=a_day(end), **asked)  # type: ignore[arg-type]
    return desk.call("GetCalendar", request)  # type: ignore[no-any-return]


def test_a_calendar_shows_occurrences_to_come_that_do_not_exist_yet(desk: Desk) -> None:
    with clock.at(NOON), desk.as_caller(ANNA):
        desk.plan(kind=CALL, due_time="2024-05-06T15:00", repetition=every(3, pb.REPETITION_UNIT_DAY))
        desk.plan(due_date="2024-05-08", repetition=every(1, pb.REPETITION_UNIT_WEEK, until="2024-05-15"))
        found = calendar(desk, "2024-05-06", "2024-05-20")
        shown = [
            (written(one.activity.due_time)[5:] if one.activity.HasField("due_time") else one.activity.due_date.day)
            for one in found.entries
        ]
        assert shown == ["05-06T15:00", 8, "05-09T15:00", "05-12T15:00", 15, "05-15T15:00", "05-18T15:00"]
        assert [one.virtual for one in found.entries] == [False, False, True, True, True, True, True]
        assert [one.occurrence for one in found.entries if one.virtual] == [2, 3, 2, 4, 5]
        far = calendar(desk, "2034-05-06", "2034-05-12").entries
        assert all(one.virtual for one in far)
        assert len(far) == 2


def test_a_calendar_is_of_users_of_a_unit_or_of_the_caller(desk: Desk) -> None:
    with clock.at(NOON):
        with desk.as_caller(ANNA):
            own = desk.plan(due_date="2024-05-08", participant_user_ids=[BORIS.user_id])
        with desk.as_caller(BORIS):
            other = desk.plan(kind=MEETING, due_time="2024-05-07T10:00", end_time="2024-05-07T11:00")
            done = desk.plan(due_date="2024-05-09")
            desk.complete(done)
            assert {one.activity.id for one in calendar(desk, "2024-05-06", "2024-05-13").entries} == {own.id, other.id}
            found = calendar(desk, "2024-05-06", "2024-05-13", with_done=True, kinds=[pb.ACTIVITY_KIND_TASK])
            assert {one.activity.id for one in found.entries} == {own.id, done.id}
        with desk.as_caller(head_of("moscow")):
            for asked in ({"unit_id": id_of("moscow")}, {"user_ids": [ANNA.user_id, BORIS.user_id]}):
                found = calendar(desk, "2024-05-06", "2024-05-13", **asked)
                assert [one.activity.id for one in found.entries] == [other.id, own.id]
        with desk.as_caller(head_of("tula")):
            assert list(calendar(desk, "2024-05-06", "2024-05-13", user_ids=[ANNA.user_id]).entries) == []


@pytest.mark.parametrize(("start", "end"), [("2024-05-06", "2024-05-06"), ("2024-05-06", "2024-06-18")])
def test_a_calendar_of_no_day_or_of_more_than_six_weeks_is_refused(desk: Desk, start: str, end: str) -> None:
    request = pb.GetCalendarRequest(start_date=a_day(start), end_date=a_day(end))
    assert desk.refusal("GetCalendar", request).violations[0].field == "end_date"


def test_a_night_meeting_stands_on_both_of_its_days(desk: Desk) -> None:
    with clock.at(NOON), desk.as_caller(ANNA):
        desk.plan(kind=MEETING, due_time="2024-05-07T22:00", end_time="2024-05-08T02:00")
        for day in ("07", "08"):
            assert len(desk.today(date=a_day(f"2024-05-{day}")).meetings) == 1
        assert len(calendar(desk, "2024-05-08", "2024-05-09").entries) == 1
        assert len(calendar(desk, "2024-05-09", "2024-05-10").entries) == 0


def test_who_is_on_leave_is_listed_for_those_who_see_the_unit(desk: Desk) -> None:
    desk.hear(a_user("Polina", "moscow"))
    leave = pb.Absence(start_date=a_day("2024-05-06"), end_date=a_day("2024-05-08"), reason="illness")
    with clock.at(NOON):
        with desk.as_caller(POLINA):
            kept = desk.call("SetAbsence", pb.SetAbsenceRequest(request_id="once", absence=leave)).absence
            assert desk.call("SetAbsence", pb.SetAbsenceRequest(request_id="once", absence=leave)).absence == kept
            assert len(desk.today().absences) == 1
        assert (kept.user_id, kept.user_name, kept.unit_id) == (POLINA.user_id, "Polina", id_of("moscow"))

        def away(day: str) -> list[str]:
            request = pb.ListAbsencesRequest(start_date=a_day(day), unit_id=id_of("moscow"))
            return [one.user_name for one in desk.call("ListAbsences", request).absences]

        with desk.as_caller(head_of("moscow")):
            assert [away(day) for day in ("2024-05-05", "2024-05-06", "2024-05-07", "2024-05-08")] == [
                [],
                ["Polina"],
                ["Polina"],
                [],
            ]
            assert [
                one.reason for one in calendar(desk, "2024-05-01", "2024-06-01", unit_id=id_of("moscow")).absences
            ] == ["illness"]
            longer = pb.Absence(id=kept.id, start_date=a_day("2024-05-06"), end_date=a_day("2024-05-09"))
            changed = desk.call("SetAbsence", pb.SetAbsenceRequest(absence=longer)).absence
            assert (changed.etag, changed.end_date, changed.reason) == ("2", a_day("2024-05-09"), "")
        with desk.as_caller(BORIS):
            assert away("2024-05-06") == []
            removal = pb.RemoveAbsenceRequest(absence_id=kept.id)
            assert desk.refusal("RemoveAbsence", removal).reason == "ABSENCE_NOT_FOUND"
            foreign = pb.Absence(user_id=ANNA.user_id, start_date=leave.start_date, end_date=leave.end_date)
            assert desk.refusal("SetAbsence", pb.SetAbsenceRequest(absence=foreign)).reason == "NOT_PERMITTED"
        with desk.as_caller(POLINA):
            desk.call("RemoveAbsence", removal)
            assert list(desk.today().absences) == []
    kinds = [one.kind for one in desk.told(aggregate_id=kept.id)]
    assert kinds == ["AbsenceSet", "AbsenceSet", "AbsenceRemoved"]


def test_an_absence_without_days_or_of_years_is_refused(desk: Desk) -> None:
    for field, absence in (
        ("absence.start_date", pb.Absence(end_date=a_day("2024-05-06"))),
        ("absence.end_date", pb.Absence(start_date=a_day("2024-05-06"))),
        ("absence.end_date", pb.Absence(start_date=a_day("2024-05-06"), end_date=a_day("2024-05-06"))),
        ("absence.end_date", pb.Absence(start_date=a_day("2024-05-06"), end_date=a_day("2034-05-06"))),
        ("absence.reason", pb.Absence(start_date=a_day("2024-05-06"), end_date=a_day("2024-05-07"), reason="x" * 101)),
    ):
        assert desk.refusal("SetAbsence", pb.SetAbsenceRequest(absence=absence)).violations[0].field == field
