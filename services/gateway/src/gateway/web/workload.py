"""The workload: three weeks of people's days, how full each is, and what can be dragged to another day or person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from babel.dates import format_skeleton
from starlette.datastructures import URL

from chassis.dates import from_date, to_date
from crm.scheduling.v1 import scheduling_pb2 as pb
from gateway.web import activity_words as words
from gateway.web.texts import gettext as _
from gateway.web.values import to_datetime
from gateway.web.visits import Visit

DAYS = 21
PEOPLE = 50  # on one page: more is more than anybody compares
SHOWN = 3  # of a day's activities


@dataclass(frozen=True)
class Item:
    """An activity in a cell; `drag` only where the person is its owner and it is still to be done."""

    id: str
    etag: str
    title: str
    kind: str
    time: str
    words: str
    drag: bool


@dataclass(frozen=True)
class Cell:
    """A day of a person: how full it is in words, what shades it and why, and what stands in it."""

    day: date
    full: str
    words: str
    over: bool
    shade: str
    why: str
    items: list[Item]
    more: int
    path: str


@dataclass(frozen=True)
class Row:
    """A person with the days."""

    user_id: str
    name: str
    full: str
    words: str
    over: bool
    cells: list[Cell]


@dataclass(frozen=True)
class Grid:
    """What the page draws; `days` as (day, name of the day, day of the month, free or not)."""

    rows: list[Row]
    days: list[tuple[date, str, str, bool]]
    full: str
    words: str
    over: bool
    next_token: str
    truncated: bool
    topics: str


def weigh(visit: Visit, first: date, who: str) -> Grid | None:
    """The grid from a day on: of a unit, of a colleague, or of the viewer's own unit; None while scheduling is away.

    Errors: RemoteError.
    """
    kind, _colon, id = who.partition(":")
    request = pb.GetWorkloadRequest(
        start_date=to_date(first),
        end_date=to_date(first + timedelta(days=DAYS)),
        time_zone=visit.texts.zone.key,
        page_size=PEOPLE,
        page_token=visit.query.get("page", ""),
        unit_id=id if kind == "unit" else "",
        user_ids=[id] if kind == "user" else [],
    )
    found = visit.gather(load=("scheduling", "GetWorkload", request))["load"]
    if not found:
        return None
    rows = [_row_of(visit, one) for one in found.people]
    locale = visit.texts.locale
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return Grid(
        rows,
        [
            (day, format_skeleton("E", day, locale=locale), format_skeleton("d", day, locale=locale), day.weekday() > 4)
            for day in days
        ],
        *_fullness(visit, found.planned_minutes, found.capacity_minutes),
        found.next_page_token,
        found.truncated,
        " ".join(f"user:{row.user_id}" for row in rows),
    )


def first_day_of(visit: Visit, day: date) -> date:
    """The first day of the week in which a day lies, as the viewer's language begins it."""
    return day - timedelta(days=(day.weekday() - visit.texts.locale.first_week_day) % 7)


def _row_of(visit: Visit, one: Any) -> Row:
    cells = [_cell_of(visit, one.user_id, day) for day in one.days]
    return Row(one.user_id, one.user_name, *_fullness(visit, one.planned_minutes, one.capacity_minutes), cells)


def _cell_of(visit: Visit, user_id: str, one: Any) -> Cell:
    day = from_date(one.date, "date")
    assert day is not None
    shade, why = "", ""
    if one.away:
        shade, why = "away", _("away")
    elif one.holiday:
        shade, why = "off", one.holiday
    elif not one.capacity_minutes:
        shade = "off"
    address = URL("/calendar").include_query_params(view="day", date=day.isoformat(), who=f"user:{user_id}")
    return Cell(
        day,
        *_fullness(visit, one.planned_minutes, one.capacity_minutes),
        shade,
        why,
        [_item_of(visit, user_id, item) for item in one.items[:SHOWN]],
        max(one.activity_count - SHOWN, 0),
        str(address),
    )


def _fullness(visit: Visit, planned: int, capacity: int) -> tuple[str, str, bool]:
    """How full a time is: the share of what is worked, or the hours where nothing is; that in words; over or not."""
    if not planned:
        return "", "", False
    hours = visit.texts.number(round(planned / 60, 1))
    if not capacity:
        return _("%(hours)s h") % {"hours": hours}, _("%(hours)s h planned, no working time") % {"hours": hours}, True
    told = _("%(hours)s of %(worked)s h planned") % {
        "hours": hours,
        "worked": visit.texts.number(round(capacity / 60, 1)),
    }
    return visit.texts.percent(planned / capacity, 0), told, planned > capacity


def _item_of(visit: Visit, user_id: str, item: Any) -> Item:
    activity = item.activity
    begin = to_datetime(activity.due_time)
    title = words.title_of_activity(activity)
    told = [words.kind_words(activity.kind), title, visit.texts.time(begin) if begin else ""]
    is_open = activity.state == pb.ACTIVITY_STATE_OPEN
    return Item(
        activity.id,
        activity.etag,
        title,
        words.kind_key(activity.kind),
        begin.astimezone(visit.texts.zone).strftime("%H:%M") if begin else "",
        ", ".join(filter(None, told)),
        is_open and not item.virtual and activity.owner_id == user_id,
    )
