"""One activity in the side panel: do it, move it, give it to somebody, say whose move it is; and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id, new_id
from crm.scheduling.v1 import scheduling_pb2 as pb
from gateway.web import activity_words as words
from gateway.web.customer_words import outcome_words
from gateway.web.form_values import read_date, read_day
from gateway.web.mounting import Page
from gateway.web.people import ask_for_people, people_of
from gateway.web.texts import gettext as _
from gateway.web.values import to_datetime
from gateway.web.visits import Visit

CHANGED = "activities-changed"
HISTORY_SHOWN = 50


def show_activity(visit: Visit) -> Response:
    """The panel, or a page of its own where the address is opened."""
    return render_activity(visit)


def render_activity(visit: Visit, notice: str = "") -> Response:
    """The activity as it is now. Errors: RemoteError."""
    id = activity_id(visit)
    found = visit.gather(
        activity=("scheduling", "GetActivity", pb.GetActivityRequest(activity_id=id)),
        history=(
            "scheduling", "ListActivityHistory",
            pb.ListActivityHistoryRequest(activity_id=id, page_size=HISTORY_SHOWN),
        ),
        people=ask_for_people(),
    )  # fmt: skip
    if not found["activity"]:
        template = "activities/away.html" if visit.is_part else "activities/away_page.html"
        return visit.render(template, 503, service=found["activity"].service)
    activity = found["activity"].activity
    begin = to_datetime(activity.due_time)
    end = to_datetime(activity.end_time)
    return visit.render(
        "activities/panel.html" if visit.is_part else "activities/page.html",
        headers={"HX-Trigger": CHANGED} if notice and visit.is_part else {},
        one=activity,
        title=words.title_of_activity(activity),
        words=words,
        outcomes=[(key, outcome_words(key)) for key in words.USUAL_OUTCOMES],
        outcome_words=outcome_words,
        people=people_of(found["people"]),
        history=list(found["history"].entries)[::-1] if found["history"] else [],
        local_day=begin.astimezone(visit.texts.zone).date().isoformat() if begin else "",
        local_time=begin.astimezone(visit.texts.zone).strftime("%H:%M") if begin else "",
        minutes=int((end - begin).total_seconds() // 60) if begin and end else 0,
        request_id=new_id(),
        notice=notice,
    )


def complete(visit: Visit) -> Response:
    """Close it with its outcome; the next occurrence of a repeating one is told."""
    answer = visit.call(
        "scheduling",
        "CompleteActivity",
        pb.CompleteActivityRequest(
            request_id=visit.field("request_id"),
            activity_id=activity_id(visit),
            outcome=visit.field("outcome"),
            summary=visit.field("summary"),
            end_series=visit.field("end_series") == "1",
        ),
    )
    if answer.HasField("next_activity"):
        moment = to_datetime(answer.next_activity.due_time)
        day = visit.texts.moment(moment) if moment else ""
        return _closed(visit, _("Done. The next one: %(day)s") % {"day": day})
    return _closed(visit, _("Done"))


def cancel(visit: Visit) -> Response:
    """Close it as one that will not take place."""
    request = pb.CancelActivityRequest(
        request_id=visit.field("request_id"),
        activity_id=activity_id(visit),
        summary=visit.field("summary"),
        only_this=visit.field("only_this") == "1",
    )
    visit.call("scheduling", "CancelActivity", request)
    return _closed(visit, _("Cancelled"))


def move(visit: Visit) -> Response:
    """Move it to another time, by a drag in the workload also to another owner; from the panel's form or by a drag."""
    request = pb.MoveActivityRequest(
        request_id=visit.field("request_id") or new_id(),
        activity_id=activity_id(visit),
        etag=visit.field("etag"),
        owner_id=visit.field("owner_id"),
    )
    begin = read_moment(visit, "day", "time")
    if begin is None:
        day = read_day("day", visit.field("day"))
        if day is None:
            raise FieldInvalid(FieldViolation("day", _("choose a day")))
        request.due_date.CopyFrom(day)
    else:
        request.due_time.FromDatetime(begin)
    end = read_moment(visit, "end_day", "end_time")
    if end is not None:
        request.end_time.FromDatetime(end)
    visit.call("scheduling", "MoveActivity", request)
    if visit.field("drag"):
        return visit.done(_("Moved"), refresh=CHANGED)
    return render_activity(visit, _("Moved"))


def reassign(visit: Visit) -> Response:
    """Give it to another user."""
    request = pb.ReassignActivityRequest(
        request_id=visit.field("request_id"),
        activity_id=activity_id(visit),
        owner_id=visit.field("owner_id"),
        note=visit.field("note"),
    )
    owner = visit.call("scheduling", "ReassignActivity", request).activity.owner_name
    return render_activity(visit, _("Now with %(name)s") % {"name": owner} if owner else _("Given on"))


def set_waiting(visit: Visit) -> Response:
    """Say whose move it is."""
    side = words.SIDES.get(visit.field("side"), pb.WAITING_SIDE_UNSPECIFIED)
    waiting = pb.Waiting(side=side, note=visit.field("note"))
    if side == pb.WAITING_SIDE_USER:
        waiting.user_id = visit.field("user_id")
    request = pb.SetWaitingRequest(
        request_id=visit.field("request_id"), activity_id=activity_id(visit), waiting=waiting
    )
    visit.call("scheduling", "SetWaiting", request)
    return render_activity(visit, _("Noted"))


def remind(visit: Visit) -> Response:
    """Remind whoever has the move, at once."""
    request = pb.RemindNowRequest(request_id=visit.field("request_id"), activity_id=activity_id(visit))
    visit.call("scheduling", "RemindNow", request)
    return render_activity(visit, _("Reminded"))


def activity_id(visit: Visit) -> str:
    """The id in the address. Errors: HTTPException where it is none."""
    if not is_id(visit.path["id"]):
        raise HTTPException(404)
    return visit.path["id"]


def read_moment(visit: Visit, day_name: str, time_name: str) -> datetime | None:
    """An instant from a form's day and time on the viewer's clock; None without a time. Errors: FieldInvalid."""
    day, written = read_date(day_name, visit.field(day_name)), visit.field(time_name)
    if not written or day is None:
        return None
    try:
        clock = time.fromisoformat(written)
    except ValueError:
        raise FieldInvalid(FieldViolation(time_name, _("is not a time of day; write it such as 14:30"))) from None
    return datetime.combine(day, clock.replace(tzinfo=None), visit.texts.zone).astimezone(UTC)


def _closed(visit: Visit, notice: str) -> Response:
    """After an end nothing is left to do in the panel."""
    if not visit.is_part:
        return visit.go("/today")
    headers = {"HX-Trigger": f"close-panel, {CHANGED}", "HX-Reswap": "none"}
    return visit.render("frame/notice.html", headers=headers, notice=notice)


ACTS: dict[str, Callable[[Visit], Response]] = {
    "complete": complete,
    "cancel": cancel,
    "move": move,
    "reassign": reassign,
    "waiting": set_waiting,
    "remind": remind,
}
PAGES = (
    Page("GET", "/activities/{id}", show_activity),
    *(Page("POST", f"/activities/{{id}}/{name}", act) for name, act in ACTS.items()),
)
