"""Weeks and holidays hold down the tree until a unit has its own; an activity takes its minutes of each day once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid
from scheduling.records import CALL, MEETING, TASK, Due, Holiday, Stretch, WorkingWeek
from scheduling.working_rules import USUAL, check_hours, days_of, minutes_of, minutes_on, nearest
from services.scheduling.tests.desk import at

MONDAY = date(2024, 5, 6)
ZONE = "Europe/Moscow"


def test_the_nearest_unit_says_how_its_units_work() -> None:
    known = {"hq": "five days", "hq.ru.moscow": "six days"}
    paths = ["hq.ru.moscow.arbat", "hq.ru.moscow", "hq.ru.moscow_2", "hq", "other"]
    assert [nearest(path, known) for path in paths] == ["six days", "six days", "five days", "five days", None]


def test_a_day_has_the_hours_of_its_week_unless_it_is_a_holiday() -> None:
    saturday = MONDAY + timedelta(days=5)
    week = WorkingWeek("", 1, "", (Stretch(1, 0, 30), Stretch(6, 600, 660)))
    off, on = (Holiday("", 1, "", MONDAY, "May", works) for works in (False, True))
    assert (minutes_on(MONDAY, USUAL, None), minutes_on(saturday, USUAL, None)) == (480, 0)
    assert (minutes_on(MONDAY, USUAL, off), minutes_on(MONDAY, USUAL, on)) == (0, 480)
    assert (minutes_on(MONDAY, week, None), minutes_on(saturday, week, None)) == (30, 60)


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ([Stretch(0, 0, 60)], "working_week.hours.weekday"),
        ([Stretch(8, 0, 60)], "working_week.hours.weekday"),
        ([Stretch(1, 60, 60)], "working_week.hours.end_minute"),
        ([Stretch(1, 0, 1441)], "working_week.hours.end_minute"),
        ([Stretch(1, 0, 60), Stretch(1, 59, 61)], "working_week.hours.start_minute"),
        ([Stretch(1, n, n + 1) for n in range(43)], "working_week.hours"),
    ],
)
def test_hours_that_are_none_are_refused_by_field(hours: list[Stretch], field: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        check_hours(hours)
    assert refused.value.violations[0].field == field


def test_stretches_that_touch_are_two_and_come_in_order() -> None:
    assert check_hours([Stretch(1, 60, 120), Stretch(1, 0, 60)]) == (Stretch(1, 0, 60), Stretch(1, 60, 120))


def test_what_has_no_end_takes_the_usual_minutes_and_a_whole_days_meeting_the_working_day() -> None:
    noon, whole = Due(at("2024-05-06T12:00"), None, None, ZONE), Due(None, MONDAY, None, ZONE)
    taken = [minutes_of(kind, due, MONDAY, ZONE, 480) for due in (noon, whole) for kind in (TASK, CALL, MEETING)]
    assert taken == [60, 15, 60, 60, 15, 480]


def test_a_long_day_counts_in_full_and_days_on_end_no_more_than_is_worked() -> None:
    long = Due(at("2024-05-06T08:00"), None, at("2024-05-06T20:00"), ZONE)
    trip = Due(at("2024-05-06T17:00"), None, at("2024-05-08T10:00"), ZONE)
    assert minutes_of(MEETING, long, MONDAY, ZONE, 480) == 720
    assert [minutes_of(MEETING, trip, day, ZONE, 480) for day in days_of(trip, ZONE)] == [420, 480, 480]
    assert days_of(Due(at("2024-05-06T23:00"), None, at("2024-05-07T00:00"), ZONE), ZONE) == [MONDAY]


@given(st.integers(0, 6 * 24 * 60), st.integers(1, 5 * 24 * 60), st.sampled_from(["Europe/Moscow", "America/New_York"]))
def test_the_days_of_an_activity_hold_its_whole_length_in_every_zone(start: int, length: int, zone: str) -> None:
    begin = at("2024-03-08T00:00") + timedelta(minutes=start)  # New York's clocks spring forward within
    due = Due(begin, None, begin + timedelta(minutes=length), ZONE)
    days = days_of(due, zone)
    assert sum(minutes_of(MEETING, due, day, zone, 25 * 60) for day in days) == length
    assert days == sorted(set(days))
