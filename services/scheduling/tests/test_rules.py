"""Repetition by the clock on the wall, over every change of clocks and every end of a month; who had the move when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling import rules
from scheduling.records import (
    DAY,
    DONE,
    MONTH,
    NEVER,
    OPEN,
    OWNER,
    TASK,
    USER,
    WEEK,
    Change,
    Due,
    Facts,
    Repetition,
    Series,
)

ZONES = ("Europe/Moscow", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo",
         "Asia/Tehran", "Pacific/Apia", "America/Sao_Paulo", "Asia/Tokyo", "Pacific/Kiritimati", "UTC")  # fmt: skip
days = st.dates(date(1990, 1, 1), date(2037, 12, 31))
repetitions = st.builds(
    Repetition, st.integers(1, 60), st.sampled_from((DAY, WEEK, MONTH)), st.none(), st.sampled_from((0, 0, 5, 40))
)


def occurrences(repetition: Repetition, due: Due, number: int, after: datetime) -> list[tuple[int, Due]]:
    series = Series("", 1, rules.local_start(due))
    return list(islice(rules.later_occurrences(repetition, series, due, after), number))


def a_moment(local: str, zone: str) -> datetime:
    return rules.moment_of(datetime.fromisoformat(local), zone)


@settings(max_examples=200, deadline=None)
@given(repetitions, days, st.times(), st.sampled_from(ZONES))
def test_an_occurrence_is_at_the_same_time_of_day_whatever_the_clocks_do(
    repetition: Repetition, day: date, time: object, zone: str
) -> None:
    local = datetime.combine(day, time)  # type: ignore[arg-type]
    due = Due(rules.moment_of(local, zone), None, None, zone)
    first = rules.local_start(due)
    for number in range(2, 12):
        again = rules.due_at(repetition, first, number, due)
        if again is None:
            assert 0 < repetition.count < number
            continue
        assert again.time is not None
        shown = again.time.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        gap = shown - datetime.combine(shown.date(), first.time())
        # Clocks that were moved on skip what is asked for; then it is as much later as they were moved.
        assert gap == timedelta(0) or (timedelta(0) < gap <= timedelta(hours=1)) or gap > timedelta(hours=23)


@settings(max_examples=200, deadline=None)
@given(repetitions, days, st.sampled_from(ZONES), st.integers(0, 20_000))
def test_the_next_occurrence_is_the_first_of_the_rhythm_that_has_not_passed(
    repetition: Repetition, day: date, zone: str, later: int
) -> None:
    due = Due(None, day, None, zone)
    after = rules.start_of(due) + timedelta(days=later, hours=7)
    slowly = [
        (number, again)
        for number in range(2, 700)
        if (again := rules.due_at(repetition, rules.local_start(due), number, due)) and rules.stop_of(again) > after
    ]
    found = occurrences(repetition, due, 3, after)
    assert found[: len(slowly)] == slowly[:3] or not slowly
    days_of = [again.day for _, again in found if again.day]
    assert days_of == sorted(set(days_of))


@settings(max_examples=200, deadline=None)
@given(days, st.integers(1, 24))
def test_a_short_month_shortens_itself_only(day: date, every: int) -> None:
    due = Due(None, day, None, "Europe/Moscow")
    repetition = Repetition(every, MONTH, None, 0)
    for number in range(1, 14):
        again = rules.due_at(repetition, rules.local_start(due), number, due)
        assert again is not None
        assert again.day is not None
        assert again.day.day == day.day or (again.day + timedelta(days=1)).day == 1
        assert (again.day.year * 12 + again.day.month) - (day.year * 12 + day.month) == every * (number - 1)


def test_the_31st_becomes_the_last_day_of_a_short_month_and_the_31st_again() -> None:
    due = Due(None, date(2024, 1, 31), None, "UTC")
    found = occurrences(Repetition(1, MONTH, None, 0), due, 3, a_moment("2024-01-31T12:00", "UTC"))
    assert [again.day for _, again in found] == [date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]


def test_a_clock_reading_that_spring_skips_is_an_hour_later_that_day_only() -> None:
    zone = "Europe/Berlin"
    due = Due(a_moment("2024-03-30T02:30", zone), None, None, zone)
    found = occurrences(Repetition(1, DAY, None, 0), due, 2, a_moment("2024-03-30T03:00", zone))
    shown = [again.time.astimezone(ZoneInfo(zone)).isoformat() for _, again in found if again.time]
    assert shown == ["2024-03-31T03:30:00+02:00", "2024-04-01T02:30:00+02:00"]


def test_of_two_equal_clock_readings_in_autumn_the_first_is_meant() -> None:
    zone = "Europe/Berlin"
    due = Due(a_moment("2024-10-26T02:30", zone), None, None, zone)
    ((_, again),) = occurrences(Repetition(1, DAY, None, 0), due, 1, a_moment("2024-10-26T03:00", zone))
    assert again.time == datetime(2024, 10, 27, 0, 30, tzinfo=UTC)


def test_a_meeting_keeps_its_length_over_a_change_of_clocks() -> None:
    zone = "Europe/Berlin"
    start = a_moment("2024-03-23T22:00", zone)
    due = Due(start, None, start + timedelta(hours=10), zone)
    ((_, again),) = occurrences(Repetition(1, WEEK, None, 0), due, 1, start)
    assert again.time is not None
    assert again.end is not None
    assert again.end - again.time == timedelta(hours=10)


def test_a_repetition_ends_with_its_count_or_on_its_last_day() -> None:
    due = Due(None, date(2024, 5, 1), None, "UTC")
    after = a_moment("2024-05-01T12:00", "UTC")
    assert [number for number, _ in occurrences(Repetition(2, DAY, None, 3), due, 9, after)] == [2, 3]
    until = Repetition(1, WEEK, date(2024, 5, 15), 0)
    assert [again.day for _, again in occurrences(until, due, 9, after)] == [date(2024, 5, 8), date(2024, 5, 15)]
    assert occurrences(Repetition(366, MONTH, None, 0), due, 9, a_moment("2199-12-31T00:00", "UTC")) == []


@pytest.mark.parametrize(
    ("due", "minutes", "remind", "lapse"),
    [
        (Due(datetime(2024, 5, 20, 8, tzinfo=UTC), None, None, "UTC"), 15, "2024-05-20T07:45", "2024-05-20T08:00"),
        (
            Due(datetime(2024, 5, 20, 8, tzinfo=UTC), None, datetime(2024, 5, 20, 9, tzinfo=UTC), "UTC"),
            0,
            "2024-05-20T08:00",
            "2024-05-20T09:00",
        ),
        (Due(None, date(2024, 5, 20), None, "Europe/Moscow"), 60, "2024-05-20T05:00", "2024-05-20T21:00"),
        (Due(datetime(2024, 5, 20, 8, tzinfo=UTC), None, None, "UTC"), -1, None, "2024-05-20T08:00"),
        (Due(datetime(2024, 4, 20, 8, tzinfo=UTC), None, None, "UTC"), 15, None, "2024-04-20T08:00"),
        (Due(None, None, None, "UTC"), 15, None, None),
    ],
)
def test_a_reminder_comes_before_the_start_and_an_alert_at_the_end(
    due: Due, minutes: int, remind: str | None, lapse: str | None
) -> None:
    facts = Facts(TASK, "x", "", "", "", (), (), due, "", "", "", "normal", minutes, None)
    found = rules.tell_times(facts, datetime(2024, 5, 1, tzinfo=UTC))
    assert [moment and moment.strftime("%Y-%m-%dT%H:%M") for moment in found] == [remind, lapse]


def test_what_has_no_time_is_never_overdue() -> None:
    assert rules.stop_of(Due(None, None, None, "UTC")) == NEVER


def test_holdings_tell_who_had_the_move_and_end_when_it_is_done() -> None:
    start = datetime(2024, 5, 1, tzinfo=UTC)

    def entry(day: int, side: str, user: str, state: str = OPEN) -> Change:
        return Change(start + timedelta(days=day), "", "updated", (), "anna", side, user, state, "", None)

    changes = [entry(0, OWNER, "anna"), entry(1, OWNER, "anna"), entry(2, USER, "boss"), entry(5, USER, "boss", DONE)]
    assert [(one.side, one.user_id, one.end and (one.end - one.start).days) for one in rules.holdings_of(changes)] == [
        (OWNER, "anna", 2),
        (USER, "boss", 3),
    ]
