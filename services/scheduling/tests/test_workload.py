"""Three weeks of a team: what is planned against the time people work, by the rights of who asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chassis import clock
from crm.scheduling.v1 import scheduling_pb2 as pb
from services.scheduling.tests.desk import Desk, a_day, a_user, at, every, head_of, id_of, seller_of

MEETING = pb.ACTIVITY_KIND_MEETING
NOON = at("2024-05-03T12:00")
TEAM = ("Anna", "Boris", "Polina", "Vera")
WORKDAYS = [f"2024-05-{day:02}" for day in range(6, 27) if day not in (11, 12, 18, 19, 25, 26)]


def ask(desk: Desk, first: str = "2024-05-06", last: str = "2024-05-27", **more: object) -> pb.GetWorkloadResponse:
    request = pb.GetWorkloadRequest(start_date=a_day(first), end_date=a_day(last), **more)  # type: ignore[arg-type]
    return desk.call("GetWorkload", request)  # type: ignore[no-any-return]


def loads(found: pb.GetWorkloadResponse) -> dict[str, tuple[int, int]]:
    """Hours planned and worked by person."""
    return {one.user_name: (one.planned_minutes // 60, one.capacity_minutes // 60) for one in found.people}


def hire(desk: Desk, *names: str, unit: str = "moscow") -> None:
    desk.hear(*(a_user(name, unit) for name in names))


def meet(desk: Desk, name: str, hours: int, days: Iterable[str], **more: Any) -> list[pb.Activity]:
    """A meeting of so many hours on each of the days."""
    return [
        desk.plan(
            kind=MEETING,
            owner_id=id_of(name),
            due_time=f"{day}T08:00",
            end_time=f"{day}T{8 + hours:02}:00",
            **more,
        )
        for day in days
    ]


def test_three_weeks_of_a_team_are_weighed_and_giving_work_on_balances_them(desk: Desk) -> None:
    hire(desk, *TEAM)
    with clock.at(NOON):
        anna = meet(desk, "Anna", 10, WORKDAYS)
        meet(desk, "Boris", 8, WORKDAYS)
        meet(desk, "Polina", 4, WORKDAYS)
        meet(desk, "Anna", 8, ["2024-05-27"])  # the 22nd day
        before = ask(desk, unit_id=id_of("moscow"))
        for one in anna[:3]:
            desk.call("MoveActivity", pb.MoveActivityRequest(activity_id=one.id, owner_id=id_of("Vera")))
        after = ask(desk, unit_id=id_of("moscow"))
    assert loads(before) == {"Anna": (150, 120), "Boris": (120, 120), "Polina": (60, 120), "Vera": (0, 120)}
    assert (before.planned_minutes, before.capacity_minutes) == (330 * 60, 480 * 60)
    assert loads(after) == {"Anna": (120, 120), "Boris": (120, 120), "Polina": (60, 120), "Vera": (30, 120)}


def test_holidays_and_absence_take_time_away_and_say_so(desk: Desk) -> None:
    hire(desk, "Anna")
    holiday = pb.Holiday(unit_id=id_of("hq"), date=a_day("2024-05-09"), name="Victory Day")
    desk.call("SetHoliday", pb.SetHolidayRequest(holiday=holiday))
    away = pb.Absence(user_id=id_of("Anna"), start_date=a_day("2024-05-13"), end_date=a_day("2024-05-15"))
    desk.call("SetAbsence", pb.SetAbsenceRequest(absence=away))
    (anna,) = ask(desk, unit_id=id_of("moscow")).people
    assert anna.capacity_minutes == (15 - 1 - 2) * 480
    assert [one.date.day for one in anna.days if one.away] == [13, 14]
    assert [(one.date.day, one.holiday) for one in anna.days if one.holiday] == [(9, "Victory Day")]
    assert {one.capacity_minutes for one in anna.days if one.away or one.holiday} == {0}


def test_the_week_of_the_unit_says_how_long_a_day_is(desk: Desk) -> None:
    hire(desk, "Anna", unit="arbat")
    hire(desk, "Boris", unit="tula")
    week = pb.WorkingWeek(unit_id=id_of("moscow"), hours=[pb.WorkingHours(weekday=6, start_minute=0, end_minute=90)])
    desk.call("SetWorkingWeek", pb.SetWorkingWeekRequest(working_week=week))
    found = ask(desk, "2024-05-06", "2024-05-13", unit_id=id_of("hq"))
    assert {one.user_name: one.capacity_minutes for one in found.people} == {"Anna": 90, "Boris": 5 * 480}


def test_a_day_names_its_activities_also_those_to_come_and_of_guests(desk: Desk) -> None:
    hire(desk, "Anna", "Boris")
    with clock.at(NOON):
        (met,) = meet(desk, "Anna", 2, ["2024-05-07"], participant_user_ids=[id_of("Boris")])
        weekly = desk.plan(owner_id=id_of("Boris"), due_date="2024-05-07", repetition=every(1, pb.REPETITION_UNIT_WEEK))
        done = desk.plan(owner_id=id_of("Anna"), due_date="2024-05-07")
        desk.complete(done)
        anna, boris = ask(desk, unit_id=id_of("moscow")).people
    assert [(one.activity.id, one.planned_minutes) for one in anna.days[1].items] == [(met.id, 120)]
    assert {(one.activity.id, one.planned_minutes) for one in boris.days[1].items} == {(weekly.id, 60), (met.id, 120)}
    assert [(one.date.day, one.items[0].virtual) for one in boris.days if one.items] == [
        (7, False),
        (14, True),
        (21, True),
    ]
    assert (boris.days[1].activity_count, boris.days[1].planned_minutes) == (2, 180)


def test_a_day_with_much_in_it_names_the_first_and_counts_all(desk: Desk) -> None:
    hire(desk, "Anna")
    with clock.at(NOON):
        for _ in range(7):
            desk.plan(owner_id=id_of("Anna"), due_date="2024-05-07")
        (anna,) = ask(desk, unit_id=id_of("moscow")).people
    day = anna.days[1]
    assert (len(day.items), day.activity_count, day.planned_minutes) == (5, 7, 420)


def test_a_head_sees_the_people_below_a_seller_only_himself_and_nobody_a_leaver(desk: Desk) -> None:
    hire(desk, "Anna", "Boris")
    hire(desk, "Tonya", unit="tula")
    desk.hear(a_user("Left", "moscow", active=False))
    with clock.at(NOON):
        meet(desk, "Anna", 2, ["2024-05-07"])
        with desk.as_caller(head_of("moscow")):
            head = ask(desk)
        with desk.as_caller(seller_of("moscow", "Boris")):
            seller, other = ask(desk), ask(desk, user_ids=[id_of("Anna")])
    assert loads(head) == {"Anna": (2, 120), "Boris": (0, 120)}
    assert loads(seller) == {"Boris": (0, 120)}
    assert loads(other) == {}
    with desk.as_caller(head_of("tula")):
        assert loads(ask(desk)) == {"Tonya": (0, 120)}


def test_people_come_by_name_a_page_at_a_time(desk: Desk) -> None:
    hire(desk, *TEAM)
    names, token = list[str](), ""
    for _ in range(3):
        found = ask(desk, unit_id=id_of("hq"), page_size=2, page_token=token)
        names += [one.user_name for one in found.people]
        token = found.next_page_token
        if not token:
            break
    assert (names, token) == (list(TEAM), "")


def test_more_than_three_weeks_are_not_looked_at(desk: Desk) -> None:
    request = pb.GetWorkloadRequest(start_date=a_day("2024-05-06"), end_date=a_day("2024-05-28"))
    assert desk.refusal("GetWorkload", request).violations[0].field == "end_date"
