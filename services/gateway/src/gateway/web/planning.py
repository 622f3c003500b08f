"""Planning an activity from anywhere: a task, a call or a meeting in one short form of the side panel."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id, new_id
from crm.scheduling.v1 import scheduling_pb2 as pb
from gateway.web import activity_words as words
from gateway.web.activities import CHANGED, read_moment
from gateway.web.form_values import read_day
from gateway.web.mounting import Page
from gateway.web.parties import find_parties
from gateway.web.people import ask_for_people, people_of
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

LENGTHS = (15, 30, 45, 60, 90, 120, 180, 240, 480)  # minutes of a meeting or a call
USUAL_LENGTH = {"meeting": 60, "call": 15}


def show_form(visit: Visit) -> Response:
    """The form, as a side panel or as a page of its own; what the address says is filled in."""
    kind = visit.query.get("kind", "")
    kind = kind if kind in words.KINDS else "task"
    person_id, organization_id, deal_id = (_asked(visit, name) for name in ("person", "organization", "deal"))
    day, clock = _asked_time(visit)
    owner = _asked(visit, "owner") or visit.user_id
    parties, found = find_parties(
        visit,
        [person_id],
        [organization_id],
        [owner],
        people=ask_for_people(),
    )
    return visit.render(
        "quick/task.html" if visit.is_part else "quick/task_page.html",
        kind=kind,
        kinds=words.kind_choices(),
        day=day,
        clock=clock,
        lengths=[(str(minutes), _length_words(visit, minutes)) for minutes in LENGTHS],
        length=str(USUAL_LENGTH.get(kind, 60)),
        units=words.unit_choices(),
        people=people_of(found["people"]),
        owner=(owner, parties.user(owner)),
        person=(person_id, parties.person(person_id)),
        organization=(organization_id, parties.organization(organization_id)),
        deal_id=deal_id,
        request_id=new_id(),
    )


def plan_activity(visit: Visit) -> Response:
    """Plan it. Errors: FieldInvalid, RemoteError."""
    activity = pb.Activity(
        kind=words.KINDS.get(visit.field("kind"), pb.ACTIVITY_KIND_UNSPECIFIED),
        subject=visit.field("subject"),
        description=visit.field("description"),
        owner_id=visit.field("owner_id"),
        person_id=visit.field("person_id"),
        organization_id=visit.field("organization_id"),
        deal_id=visit.field("deal_id"),
        time_zone=visit.texts.zone.key,
        repetition=read_repetition(visit),
    )
    begin = read_moment(visit, "day", "time")
    if begin is not None:
        activity.due_time.FromDatetime(begin)
        if activity.kind != pb.ACTIVITY_KIND_TASK:
            activity.end_time.FromDatetime(begin + timedelta(minutes=_length(visit)))
    elif visit.field("day"):
        activity.due_date.CopyFrom(read_day("day", visit.field("day")))
    elif visit.field("time"):
        raise FieldInvalid(FieldViolation("day", _("choose the day for this time")))
    request = pb.CreateActivityRequest(request_id=visit.field("request_id"), activity=activity)
    made = visit.call("scheduling", "CreateActivity", request).activity
    if not visit.is_part:
        return visit.go(f"/activities/{made.id}")
    headers = {"HX-Trigger": f"close-panel, {CHANGED}", "HX-Reswap": "none"}
    notice = _("Planned: %(title)s") % {"title": words.title_of_activity(made)}
    return visit.render("frame/notice.html", headers=headers, notice=notice)


def read_repetition(visit: Visit) -> pb.Repetition | None:
    """The rhythm a form asks for; None where it comes once. Errors: FieldInvalid."""
    unit = words.UNITS.get(visit.field("repeat_unit"))
    if unit is None:
        return None
    every = visit.field("repeat_every", "1") or "1"
    if not (every.isascii() and every.isdigit() and len(every) < 4):
        raise FieldInvalid(FieldViolation("repeat_every", _("write a whole number such as 2")))
    return pb.Repetition(every=int(every), unit=unit, until_date=read_day("until_date", visit.field("until_date")))


def _length(visit: Visit) -> int:
    written = visit.field("length")
    return int(written) if written in map(str, LENGTHS) else USUAL_LENGTH.get(visit.field("kind"), 60)


def _length_words(visit: Visit, minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)s min") % {"minutes": visit.texts.number(minutes)}
    if not rest:
        return _("%(hours)s h") % {"hours": visit.texts.number(hours)}
    return _("%(hours)s h %(minutes)s min") % {"hours": visit.texts.number(hours), "minutes": visit.texts.number(rest)}


def _asked(visit: Visit, name: str) -> str:
    written = visit.query.get(name, "")
    return written if is_id(written) else ""


def _asked_time(visit: Visit) -> tuple[str, str]:
    """Day and time of `start=2026-05-20T14:30`, the time left out for a whole day."""
    written = visit.query.get("start", "")
    try:
        start = datetime.fromisoformat(written)
    except ValueError:
        return visit.today.isoformat(), ""
    return start.date().isoformat(), start.strftime("%H:%M") if "T" in written else ""


PAGES = (Page("GET", "/quick/task", show_form), Page("POST", "/quick/task", plan_activity))
