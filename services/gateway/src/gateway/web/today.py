"""The first page of the day: what is due, whom one meets, who waits for whom; for heads, first what their people did.

Checking off happens in place, with an outcome. The part of one's own day follows every change by live updates.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from chassis.dates import to_date
from chassis.ids import new_id
from crm.scheduling.v1 import scheduling_pb2 as pb
from gateway.web import customer_words as words
from gateway.web import webhooks
from gateway.web.access_requests import answered_to, ask_for_all, ask_for_open, state_words, waiting_for
from gateway.web.digest import read_digest
from gateway.web.mounting import Page
from gateway.web.report_sending import find_sent
from gateway.web.texts import gettext as _
from gateway.web.values import to_datetime
from gateway.web.visits import Visit

FIRST_HOUR, LAST_HOUR = 8, 20  # of the line of hours, wider where a meeting lies outside
HOUR_WIDTH = 60  # units of the drawing


@dataclass(frozen=True)
class Meeting:
    """A meeting on the line of hours: `left` and `width` in units of the drawing."""

    activity: Any
    left: float
    width: float


@dataclass(frozen=True)
class Hours:
    """The line of hours of a day."""

    first: int
    last: int
    meetings: list[Meeting]
    now: float | None

    @property
    def width(self) -> int:
        """Of the drawing."""
        return (self.last - self.first) * HOUR_WIDTH


def show_today(visit: Visit) -> Response:
    """The page."""
    calls: dict[str, Any] = {"own": lambda: read_own(visit)}
    if visit.is_head:
        calls["digest"] = lambda: read_digest(visit)
    found = visit.gather_calls(**calls)
    return visit.render("today/page.html", digest=found.get("digest"), help="today", **own_values(visit, found["own"]))


def show_own(visit: Visit) -> Response:
    """One's own day, as a part."""
    return visit.render("today/own.html", **own_values(visit, visit.gather_calls(own=lambda: read_own(visit))["own"]))


def read_own(visit: Visit) -> Any:
    """What scheduling knows of the person's day."""
    request = pb.GetTodayRequest(date=to_date(visit.today), time_zone=visit.texts.zone.key)
    return visit.call("scheduling", "GetToday", request, timeout=3.0)


def own_values(visit: Visit, own: Any) -> dict[str, Any]:
    """What the part of one's own day is drawn from."""
    lists: list[tuple[str, str, Any, int]] = []
    if own:
        lists = [
            ("overdue", _("Overdue"), own.overdue, own.overdue_count),
            ("due", _("Due today"), own.due_today, own.due_today_count),
            ("asked", _("Others wait for me"), own.asked, own.asked_count),
            ("waiting", _("I wait for others"), own.waiting, own.waiting_count),
        ]
    hours = draw_hours(visit, own.meetings) if own else None
    return {"own": own, "lists": lists, "hours": hours, "words": words}


def draw_hours(visit: Visit, meetings: Any) -> Hours | None:
    """Where each meeting of the day lies; None for a day without."""
    placed = [(one, start, _end(one, start)) for one in meetings if (start := _local(visit, one.due_time))]
    if not placed:
        return None
    today = visit.today
    spans = [(one, _hour(start, today), _hour(end, today)) for one, start, end in placed]
    first = int(min([FIRST_HOUR, *(start for _one, start, _last in spans)]))
    last = int(max([LAST_HOUR, *(-(-end // 1) for _one, _start, end in spans)]))
    drawn = [
        Meeting(one, (start - first) * HOUR_WIDTH, max(end - start, 0.25) * HOUR_WIDTH) for one, start, end in spans
    ]
    now = _hour(visit.now, today)
    return Hours(first, last, drawn, (now - first) * HOUR_WIDTH if first <= now <= last else None)


def show_done_form(visit: Visit) -> Response:
    """The small form below an activity: what came of it. Errors: RemoteError for one that is not to be seen."""
    visit.call("scheduling", "GetActivity", pb.GetActivityRequest(activity_id=visit.path["id"]))
    return visit.render("today/done_form.html", **_done_values(visit))


def complete(visit: Visit) -> Response:
    """Check an activity off."""
    request = pb.CompleteActivityRequest(
        request_id=visit.field("request_id"),
        activity_id=visit.path["id"],
        outcome=visit.field("outcome"),
        summary=visit.field("summary"),
    )
    visit.call("scheduling", "CompleteActivity", request)
    if not visit.is_part:
        return visit.go("/today")
    return visit.render("today/done.html", notice=_("Done"), **own_values(visit, read_own(visit)))


def show_bell(visit: Visit) -> Response:
    """The bell with the count of what is unread; nothing while scheduling is away."""
    answer = visit.gather(
        news=("scheduling", "ListNotifications", pb.ListNotificationsRequest(page_size=1, unread=True)),
        requests=ask_for_open(),
    )
    news = answer["news"]
    count = (news.unread_count if news else 0) + len(waiting_for(answer["requests"]))
    count += len(_troubled_webhooks(visit)) + len(find_sent(visit))
    return visit.render("today/bell.html", count=count)


def show_notifications(visit: Visit) -> Response:
    """What the bell tells, newest first; a page without htmx."""
    listed = pb.ListNotificationsRequest(page_size=50)
    found = visit.gather(
        news=("scheduling", "ListNotifications", listed), waiting=ask_for_open(), requests=ask_for_all()
    )
    template = "today/notifications.html" if visit.is_part else "today/notifications_page.html"
    return visit.render(
        template,
        news=found["news"],
        words=words,
        told=notification_words(),
        touched=dict(words.interaction_kinds()),
        waiting=waiting_for(found["waiting"]),
        answered=answered_to(visit, found["requests"]),
        states=state_words(),
        sent=find_sent(visit),
        webhooks=_troubled_webhooks(visit),
        webhook_states=webhooks.state_words(),
        webhook_state=visit.desk.state_of if visit.desk else str,
    )


def mark_read(visit: Visit) -> Response:
    """Everything up to now is read."""
    visit.call("scheduling", "MarkNotificationsRead", pb.MarkNotificationsReadRequest())
    if not visit.is_part:
        return visit.go("/notifications")
    return visit.done(_("All read"), refresh="notifications-read, close-panel")


def notification_words() -> dict[int, str]:
    """Why somebody is told of an activity."""
    return {
        pb.NOTIFICATION_KIND_REMINDER: _("Soon"),
        pb.NOTIFICATION_KIND_OVERDUE: _("Overdue"),
        pb.NOTIFICATION_KIND_NUDGE: _("Somebody waits for you"),
        pb.NOTIFICATION_KIND_ASSIGNED: _("Given to you"),
        pb.NOTIFICATION_KIND_CUSTOMER_NEWS: _("New on the customer of your deal"),
    }


def _troubled_webhooks(visit: Visit) -> list[Any]:
    return visit.desk.troubled(visit.session.access) if visit.desk else []


def _done_values(visit: Visit) -> dict[str, Any]:
    return {"id": visit.path["id"], "request_id": new_id(), "outcomes": words.outcome_choices()}


def _local(visit: Visit, moment: Any) -> datetime | None:
    found = to_datetime(moment)
    return found.astimezone(visit.texts.zone) if found else None


def _end(activity: Any, start: datetime) -> datetime:
    end = to_datetime(activity.end_time)
    return end.astimezone(start.tzinfo) if end else start


def _hour(moment: datetime, today: Any) -> float:
    """Hours since the day's midnight, kept within the day."""
    if moment.date() != today:
        return 0.0 if moment.date() < today else 24.0
    return moment.hour + moment.minute / 60


PAGES = (
    Page("GET", "/", lambda visit: visit.go("/today")),
    Page("GET", "/today", show_today),
    Page("GET", "/today/own", show_own),
    Page("GET", "/today/done/{id}", show_done_form),
    Page("POST", "/today/done/{id}", complete),
    Page("GET", "/notifications", show_notifications),
    Page("GET", "/notifications/bell", show_bell),
    Page("POST", "/notifications/read", mark_read),
)
