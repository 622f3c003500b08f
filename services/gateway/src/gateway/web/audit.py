"""The audit page: who did or saw what, for those who may audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from starlette.responses import Response

from chassis.errors import NotPermitted
from chassis.ids import is_id
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.platform.v1 import audit_pb2 as pb
from gateway import trails
from gateway.web.account import device_words
from gateway.web.mounting import Page
from gateway.web.names import look_up_names
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

CARDS = {"person": "/customers/", "organization": "/organizations/", "deal": "/deals/"}
MOST_NAMED = 20  # records of one entry that are named; the others are counted
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2200, 1, 1)


def show_audit(visit: Visit) -> Response:
    """The entries that fit what is asked for, youngest first."""
    if not visit.may_audit:
        raise NotPermitted(_("Only those who may audit see this."))
    asked = _asked(visit)
    found = trails.read_trails(visit.services, asked, visit.query.get("page", ""), _side_by_side(visit))
    return visit.render(
        "audit/page.html",
        help="audit",
        lines=found.lines,
        next_token=found.next_token,
        away=found.away,
        words=action_words(),
        names=look_up_names(visit, [line.entry.actor_id for line in found.lines]),
        records=_record_names(visit, found),
        cards=CARDS,
        most=MOST_NAMED,
        origin=_origin_words,
        asked={name: visit.query.get(name, "") for name in ("person", "record", "action", "day", "text")},
        narrowed=any(visit.query.get(name) for name in ("person", "record", "action", "day", "text")),
    )


def action_words() -> dict[str, str]:
    """What somebody did."""
    return {
        "read": _("opened"),
        "list": _("saw in a list"),
        "search": _("searched"),
        "report": _("ran a report"),
        "file": _("took a file"),
        "change": _("changed"),
        "act": _("did"),
        "sign-in": _("signed in"),
        "refused": _("was refused"),
        "alarm": _("alarm: read far more than usual"),
    }


def _asked(visit: Visit) -> pb.ListAuditEntriesRequest:
    """What the form asks; what is no id or day narrows nothing."""
    asked = pb.ListAuditEntriesRequest(text=visit.query.get("text", "").strip()[:200])
    for field, name in (("actor_id", "person"), ("record_id", "record")):
        given = visit.query.get(name, "").strip().rpartition("/")[2]
        if is_id(given):
            setattr(asked, field, given)
    if visit.query.get("action", "") in action_words():
        asked.actions.append(visit.query["action"])
    day = _day(visit.query.get("day", ""))
    if day:
        start = datetime(day.year, day.month, day.day, tzinfo=visit.texts.zone)
        asked.start_time.CopyFrom(_stamp(start))
        asked.end_time.CopyFrom(_stamp(start + timedelta(days=1)))
    return asked


def _day(text: str) -> date | None:
    """A day that has one before and one after it in every zone; None for what is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_DAY <= day <= LAST_DAY else None


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp


def _side_by_side(visit: Visit) -> trails.Ask:
    def ask(calls: Mapping[str, Callable[[], Any]]) -> Mapping[str, Any]:
        return visit.gather_calls(**dict(calls))

    return ask


def _record_names(visit: Visit, found: trails.Trail) -> dict[str, str]:
    """Names of the customers that the viewer may see."""
    wanted: dict[str, list[str]] = {"person": [], "organization": []}
    for line in found.lines:
        wanted.get(line.entry.records, []).extend(line.entry.record_ids[:MOST_NAMED])
    asked = contacts.BatchGetCustomerNamesRequest(
        person_ids=list(dict.fromkeys(wanted["person"]))[:500],
        organization_ids=list(dict.fromkeys(wanted["organization"]))[:500],
    )
    if not asked.person_ids and not asked.organization_ids:
        return {}
    answer = visit.gather(names=("contacts", "BatchGetCustomerNames", asked))["names"]
    return {**answer.person_names, **answer.organization_names} if answer else {}


def _origin_words(origin: str) -> str:
    """Address and device in words."""
    address, _blank, device = origin.partition(" ")
    return ", ".join(filter(None, (address, device_words(device) if device else "")))


def show_alarms(visit: Visit) -> Response:
    """How many alarms there were since yesterday, as a link in the rail; nothing where there were none."""
    if not visit.may_audit:
        raise NotPermitted(_("Only those who may audit see this."))
    asked = pb.ListAuditEntriesRequest(actions=["alarm"], start_time=_stamp(visit.now - timedelta(days=1)))
    found = trails.read_trails(visit.services, asked, "", _side_by_side(visit))
    return visit.render("audit/alarms.html", count=len(found.lines))


PAGES = (Page("GET", "/audit", show_audit), Page("GET", "/audit/alarms", show_alarms))
