"""Units' weeks and holidays: set by who may configure there, in force below, told once."""

from __future__ import annotations

from chassis.access import CONFIGURE, READ, SUBTREE, Access, Grant
from crm.scheduling.v1 import scheduling_pb2 as pb
from services.scheduling.tests.desk import PATHS, Desk, a_day, head_of, id_of, seller_of

STEWARD = Access(
    id_of("steward"),
    "Steward",
    id_of("moscow"),
    (Grant(READ, SUBTREE, PATHS["moscow"]), Grant(CONFIGURE, SUBTREE, PATHS["moscow"])),
)


def a_week(unit: str, *hours: tuple[int, int, int]) -> pb.WorkingWeek:
    stretches = [pb.WorkingHours(weekday=day, start_minute=start, end_minute=end) for day, start, end in hours]
    return pb.WorkingWeek(unit_id=id_of(unit), hours=stretches)


def set_week(desk: Desk, unit: str, *hours: tuple[int, int, int], etag: str = "") -> pb.WorkingWeek:
    request = pb.SetWorkingWeekRequest(working_week=a_week(unit, *hours), etag=etag)
    return desk.call("SetWorkingWeek", request).working_week  # type: ignore[no-any-return]


def weeks(desk: Desk, unit: str) -> tuple[str, list[str]]:
    found = desk.call("GetWorkingWeeks", pb.GetWorkingWeeksRequest(unit_id=id_of(unit)))
    return found.in_force.unit_id, [one.unit_id for one in found.working_weeks]


def set_holiday(desk: Desk, unit: str, day: str, name: str = "May", works: bool = False) -> None:
    holiday = pb.Holiday(unit_id=id_of(unit), date=a_day(day), name=name, works=works)
    desk.call("SetHoliday", pb.SetHolidayRequest(holiday=holiday))


def holidays(desk: Desk, unit: str, first: str, last: str) -> list[tuple[int, str, bool]]:
    request = pb.GetHolidaysRequest(unit_id=id_of(unit), start_date=a_day(first), end_date=a_day(last))
    return [(one.date.day, one.name, one.works) for one in desk.call("GetHolidays", request).holidays]


def test_a_units_week_holds_below_it_until_a_unit_has_its_own(desk: Desk) -> None:
    assert weeks(desk, "arbat") == ("", [])
    set_week(desk, "hq", (1, 540, 1080))
    own = set_week(desk, "arbat", (6, 600, 660), (1, 600, 660))
    assert [one.weekday for one in own.hours] == [1, 6]
    assert weeks(desk, "tula") == (id_of("hq"), [])
    assert weeks(desk, "arbat") == (id_of("arbat"), [id_of("arbat")])
    assert weeks(desk, "hq") == (id_of("hq"), [id_of("hq"), id_of("arbat")])
    for _ in range(2):
        desk.call("RemoveWorkingWeek", pb.RemoveWorkingWeekRequest(unit_id=id_of("arbat")))
    assert weeks(desk, "arbat") == (id_of("hq"), [])
    assert [len(desk.told(kind)) for kind in ("WorkingWeekSet", "WorkingWeekRemoved")] == [2, 1]


def test_a_stale_week_is_refused_and_the_same_week_again_says_nothing(desk: Desk) -> None:
    first = set_week(desk, "hq", (1, 540, 1080))
    assert set_week(desk, "hq", (1, 540, 1080), etag=first.etag) == first
    second = set_week(desk, "hq", (1, 540, 1020), etag=first.etag)
    request = pb.SetWorkingWeekRequest(working_week=a_week("hq", (2, 0, 60)), etag=first.etag)
    assert desk.refusal("SetWorkingWeek", request).reason == "STALE_ETAG"
    assert [one.version for one in desk.told("WorkingWeekSet")] == [1, 2]
    assert second.etag == "2"


def test_a_holiday_holds_below_and_a_unit_may_work_on_it_all_the_same(desk: Desk) -> None:
    set_holiday(desk, "hq", "2024-05-09", "Victory Day")
    set_holiday(desk, "moscow", "2024-05-09", "Open doors", works=True)
    set_holiday(desk, "moscow", "2024-05-10", "Bridge day")
    shown = {unit: holidays(desk, unit, "2024-05-01", "2024-06-01") for unit in ("tula", "arbat")}
    assert shown == {
        "tula": [(9, "Victory Day", False)],
        "arbat": [(9, "Open doors", True), (10, "Bridge day", False)],
    }
    for _ in range(2):
        desk.call("RemoveHoliday", pb.RemoveHolidayRequest(unit_id=id_of("moscow"), date=a_day("2024-05-09")))
    assert holidays(desk, "arbat", "2024-05-09", "2024-05-10") == [(9, "Victory Day", False)]
    assert [len(desk.told(kind)) for kind in ("HolidaySet", "HolidayRemoved")] == [3, 1]


def test_only_who_may_configure_a_unit_sets_its_calendar(desk: Desk) -> None:
    week = pb.SetWorkingWeekRequest(working_week=a_week("moscow", (1, 0, 60)))
    above = pb.SetHolidayRequest(holiday=pb.Holiday(unit_id=id_of("hq"), date=a_day("2024-05-09"), name="May"))
    for caller in (head_of("moscow"), seller_of("moscow", "Anna")):
        with desk.as_caller(caller):
            assert desk.refusal("SetWorkingWeek", week).reason == "NOT_PERMITTED"
    with desk.as_caller(STEWARD):
        desk.call("SetWorkingWeek", week)
        set_holiday(desk, "arbat", "2024-05-09")
        assert desk.refusal("SetHoliday", above).reason == "NOT_PERMITTED"


def test_a_holiday_without_a_day_or_a_name_is_refused_by_field(desk: Desk) -> None:
    unit = id_of("hq")
    wrong = {
        "holiday.date": pb.Holiday(unit_id=unit, name="May"),
        "holiday.name": pb.Holiday(unit_id=unit, date=a_day("2024-05-09"), name=" "),
    }
    for field, holiday in wrong.items():
        refused = desk.refusal("SetHoliday", pb.SetHolidayRequest(holiday=holiday))
        assert refused.violations[0].field == field
    days = pb.GetHolidaysRequest(unit_id=unit, start_date=a_day("2024-05-09"), end_date=a_day("2034-05-09"))
    assert desk.refusal("GetHolidays", days).violations[0].field == "end_date"
