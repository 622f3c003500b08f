"""The calendar: a day, a week, a month or the workload of somebody or of a unit, and what a browser draws in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import format_skeleton
from starlette.responses import JSONResponse, Response

from chassis.dates import from_date, to_date
from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id
from crm.scheduling.v1 import scheduling_pb2 as pb
from gateway.web import activity_words as words
from gateway.web.form_values import read_date
from gateway.web.frame import HEADERS
from gateway.web.mounting import Page
from gateway.web.names import list_units, look_up_names
from gateway.web.people import ask_for_people, people_of
from gateway.web.texts import gettext as _
from gateway.web.values import to_datetime
from gateway.web.visits import Visit
from gateway.web.workload import DAYS, first_day_of, weigh

WORKLOAD = "workload"
VIEWS = ("day", "week", "month", WORKLOAD)
MOST_DAYS = 42


@dataclass(frozen=True)
class Shown:
    """What a page of the calendar shows: `who` is me, user:ID or unit:ID."""

    view: str
    day: date
    who: str


def show_calendar(visit: Visit) -> Response:
    """The page; the browser asks for what stands in it."""
    shown = read_shown(visit)
    if visit.query.get("view") in VIEWS and visit.setting("calendar_view") != shown.view:
        visit.save_setting("calendar_view", shown.view)
    kind, _colon, id = shown.who.partition(":")
    calls = {"people": ask_for_people()} | ({"inside": ask_for_people(id)} if kind == "unit" else {})
    if shown.view == WORKLOAD:
        calls = {"people": ask_for_people()}
    found = visit.gather(**calls)
    people = people_of(found["people"])
    colleague = look_up_names(visit, [id]).user(id) if kind == "user" else None
    is_workload = shown.view == WORKLOAD
    return visit.render(
        "calendar/workload.html" if is_workload else "calendar/page.html",
        grid=weigh(visit, first_day_of(visit, shown.day), shown.who) if is_workload else None,
        help="calendar",
        shown=shown,
        users=[(f"user:{user}", name) for user, name in people.listed or () if user != visit.user_id],
        by_typing=people.listed is None,
        colleague=colleague,
        units=[(f"unit:{unit.id}", unit.name) for unit in list_units(visit).values()],
        topics=_topics(visit, shown, [one.id for one in found["inside"].users] if found.get("inside") else []),
        title=title_of_range(visit, shown),
        before=step_day(shown, -1).isoformat(),
        after=step_day(shown, 1).isoformat(),
        first_day=(visit.texts.locale.first_week_day + 1) % 7,  # the widget counts from Sunday
        hour12="a" in visit.texts.locale.time_formats["short"].pattern,
        says={
            "noEvents": _("Nothing here"), "allDay": _("All day"), "more": _("more"), "away": _("away"),
            "failed": _("The calendar could not be read just now"), "repeats": _("repeats"), "done": _("done"),
        },
    )  # fmt: skip


def show_workload(visit: Visit) -> Response:
    """The grid of the workload alone, as it is drawn again after news."""
    shown = read_shown(visit)
    grid = weigh(visit, first_day_of(visit, shown.day), shown.who)
    return visit.render("calendar/workload_grid.html", grid=grid, shown=shown, title=title_of_range(visit, shown))


def list_events(visit: Visit) -> Response:
    """What stands in a range of days, as the widget takes it; times are those of the viewer's clock."""
    start, end = (read_date(name, visit.query.get(name, "")) for name in ("start", "end"))
    if start is None or end is None or not timedelta(0) < end - start <= timedelta(days=MOST_DAYS):
        raise FieldInvalid(FieldViolation("start", _("ask for 1 to %(days)s days") % {"days": MOST_DAYS}))
    shown = read_shown(visit)
    request = pb.GetCalendarRequest(
        start_date=to_date(start), end_date=to_date(end), time_zone=visit.texts.zone.key, with_done=True
    )
    kind, _colon, id = shown.who.partition(":")
    if kind == "unit":
        request.unit_id = id
    else:
        request.user_ids.append(id or visit.user_id)
    answer = visit.call("scheduling", "GetCalendar", request)
    others = kind == "unit"
    events = [event for entry in answer.entries if (event := event_of(visit, entry, others)) is not None]
    absences = [_absence(visit, one) for one in answer.absences]
    return JSONResponse({"events": events, "absences": absences, "truncated": answer.truncated}, headers=HEADERS)


def read_shown(visit: Visit) -> Shown:
    """View, day and whose, as the address says."""
    view = visit.query.get("view", "") or visit.setting("calendar_view", "")
    try:
        day = date.fromisoformat(visit.query.get("date", ""))
    except ValueError:
        day = visit.today
    colleague = visit.query.get("colleague", "")
    who = f"user:{colleague}" if colleague else visit.query.get("who", "me")
    kind, _colon, id = who.partition(":")
    known = kind in ("user", "unit") and is_id(id)
    return Shown(
        view if view in VIEWS else "week", min(max(day, date(1970, 1, 1)), date(2200, 1, 1)), who if known else "me"
    )


def step_day(shown: Shown, way: int) -> date:
    """A day of the range before or after."""
    if shown.view == "day":
        return shown.day + timedelta(days=way)
    if shown.view in ("week", WORKLOAD):
        return shown.day + timedelta(days=(7 if shown.view == "week" else DAYS) * way)
    first = shown.day.replace(day=1)
    return (first + timedelta(days=31)).replace(day=1) if way > 0 else (first - timedelta(days=1)).replace(day=1)


def title_of_range(visit: Visit, shown: Shown) -> str:
    """What the page shows, in words."""
    locale = visit.texts.locale
    if shown.view == "month":
        return format_skeleton("yMMMM", shown.day, locale=locale)
    if shown.view == "day":
        return visit.texts.date(shown.day, "full")
    first = first_day_of(visit, shown.day)
    last = first + timedelta(days=(DAYS if shown.view == WORKLOAD else 7) - 1)
    return _("%(first)s – %(last)s") % {"first": visit.texts.date(first), "last": visit.texts.date(last)}


def event_of(visit: Visit, entry: Any, others: bool) -> dict[str, Any] | None:
    """One occurrence as the widget takes it; None where it has no time at all."""
    activity = entry.activity
    begin, end = to_datetime(activity.due_time), to_datetime(activity.end_time)
    day = from_date(activity.due_date, "due_date")
    if begin is None and day is None:
        return None
    title = words.title_of_activity(activity)
    is_open = activity.state == pb.ACTIVITY_STATE_OPEN
    with_whom = activity.person_name or activity.organization_name or activity.deal_title
    return {
        "id": f"{activity.id}:{entry.occurrence}",
        "title": f"{title} · {activity.owner_name}" if others and activity.owner_name else title,
        "start": _local(visit, begin) if begin else str(day),
        "end": end_of(visit, begin, end, day),
        "allDay": begin is None,
        "editable": is_open and not entry.virtual,
        "durationEditable": is_open and not entry.virtual and end is not None,
        "classNames": [
            f"bl-kind-{words.kind_key(activity.kind)}",
            *(["bl-closed"] if not is_open else []),
            *(["bl-virtual"] if entry.virtual else []),
            *(["bl-overdue"] if activity.overdue and not entry.virtual else []),
        ],
        "extendedProps": {
            "activity": activity.id, "etag": activity.etag, "with": with_whom, "kind": words.kind_words(activity.kind),
            "repeats": activity.HasField("repetition"), "done": not is_open, "ended": end is not None,
        },
    }  # fmt: skip


def end_of(visit: Visit, begin: datetime | None, end: datetime | None, day: date | None) -> str:
    """Where an entry ends: half an hour is drawn for what has no length of its own."""
    if begin is not None:
        return _local(visit, end or begin + timedelta(minutes=30))
    return str(day + timedelta(days=1)) if day else ""


def _absence(visit: Visit, absence: Any) -> dict[str, str]:
    start, end = from_date(absence.start_date, "start_date"), from_date(absence.end_date, "end_date")
    return {
        "name": absence.user_name,
        "reason": absence.reason,
        "start": str(start),
        "end": str(end),
        "words": _("%(name)s is away from %(first)s to %(last)s")
        % {
            "name": absence.user_name,
            "first": visit.texts.day(start) if start else "",
            "last": visit.texts.day(end - timedelta(days=1)) if end else "",
        },
    }


def _local(visit: Visit, moment: datetime) -> str:
    return str(moment.astimezone(visit.texts.zone).strftime("%Y-%m-%dT%H:%M:%S"))


def _topics(visit: Visit, shown: Shown, users: list[str]) -> str:
    """What the page listens to: the user whose calendar it is, or the first people of a unit's."""
    kind, _colon, id = shown.who.partition(":")
    if kind == "unit":
        return " ".join(f"user:{user}" for user in users[:50])
    return f"user:{id or visit.user_id}"


PAGES = (
    Page("GET", "/calendar", show_calendar),
    Page("GET", "/calendar/events", list_events),
    Page("GET", "/calendar/workload", show_workload),
)
