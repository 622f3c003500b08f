"""Webhooks on the administrator's pages: what is told to systems outside, how each stands, what to do about it."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from chassis.access import SUBSCRIBE
from chassis.errors import FieldInvalid, FieldViolation
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin_units import choose_units
from gateway.web.mounting import Page
from gateway.web.news import TOLD_TYPES
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit
from gateway.webhooks import rules
from gateway.webhooks.desk import Desk, WebhooksOff
from gateway.webhooks.subscriptions import Told

BASE = "/admin/webhooks"
MOST_UNITS = 1_000


def show_webhooks(visit: Visit) -> Response:
    """Those the person may see."""
    visit.session.access.require_somewhere(SUBSCRIBE)
    rows = _desk(visit).list_seen(visit.session.access) if visit.desk else []
    return visit.render(
        "webhooks/page.html",
        help="webhooks",
        place="webhooks",
        is_off=visit.desk is None,
        rows=rows,
        state_of=visit.desk.state_of if visit.desk else str,
        units=_unit_names(visit) if rows else {},
        states=state_words(),
    )


def show_new(visit: Visit) -> Response:
    """The form of a new one."""
    visit.session.access.require_somewhere(SUBSCRIBE)
    if not visit.is_part:  # it stands in the side panel only
        return visit.go(BASE)
    units = [("", _("all units")), *choose_units(visit)]
    return visit.render("webhooks/new.html", units=units, types=sorted(TOLD_TYPES))


def make_webhook(visit: Visit) -> Response:
    """Make one; its secret is on this answer and nowhere else."""
    row, secret = _desk(visit).make(visit.session.access, _told(visit))
    return visit.render("webhooks/secret.html", row=row, secret=secret)


def show_edit(visit: Visit) -> Response:
    """The form of one that is there."""
    row = _desk(visit).read(visit.session.access, visit.path["webhook"]).row
    if not visit.is_part:
        return visit.go(f"{BASE}/{row.id}")
    units = [("", _("all units")), *choose_units(visit)]
    return visit.render("webhooks/edit.html", row=row, units=units, types=sorted(TOLD_TYPES))


def change_webhook(visit: Visit) -> Response:
    """Say something else or elsewhere."""
    _desk(visit).change(visit.session.access, visit.path["webhook"], _told(visit), visit.field("etag"))
    return visit.go(f"{BASE}/{visit.path['webhook']}")


def replay(visit: Visit) -> Response:
    """Tell again what is behind a position."""
    service, position = visit.field("service"), _position(visit, "position")
    _desk(visit).replay(visit.session.access, visit.path["webhook"], service, position)
    return visit.go(f"{BASE}/{visit.path['webhook']}")


def show_webhook(visit: Visit) -> Response:
    """Where one stands, what waits, and its last tries."""
    desk = _desk(visit)
    seen = desk.read(visit.session.access, visit.path["webhook"])
    owner = pb.BatchGetUsersRequest(user_ids=[str(seen.row.owner_id)])
    users = visit.gather(users=("directory", "BatchGetUsers", owner))["users"]
    return visit.render(
        "webhooks/webhook.html",
        help="webhooks",
        place="webhooks",
        seen=seen,
        row=seen.row,
        state=desk.state_of(seen.row),
        owner=users.users[0].display_name if users and users.users else "",
        unit=_unit_names(visit).get(str(seen.row.unit_id), ""),
        services=[(one.service, one.service) for one in seen.cursors],
        states=state_words(),
        results=result_words(),
    )


def pause(visit: Visit) -> Response:
    """Tell nothing for a while."""
    _desk(visit).pause(visit.session.access, visit.path["webhook"])
    return visit.go(f"{BASE}/{visit.path['webhook']}")


def resume(visit: Visit) -> Response:
    """Go on."""
    _desk(visit).resume(visit.session.access, visit.path["webhook"])
    return visit.go(f"{BASE}/{visit.path['webhook']}")


def try_out(visit: Visit) -> Response:
    """Send a test; what became of it stands among the tries."""
    _desk(visit).try_out(visit.session.access, visit.path["webhook"])
    return visit.go(f"{BASE}/{visit.path['webhook']}")


def change_secret(visit: Visit) -> Response:
    """Give a new secret."""
    row, secret = _desk(visit).change_secret(visit.session.access, visit.path["webhook"])
    return visit.render("webhooks/secret.html", row=row, secret=secret)


def skip(visit: Visit) -> Response:
    """Let a waiting event go untold."""
    service, position = visit.field("service"), _position(visit, "position")
    _desk(visit).skip(visit.session.access, visit.path["webhook"], service, position)
    return visit.go(f"{BASE}/{visit.path['webhook']}")


def remove(visit: Visit) -> Response:
    """End it."""
    _desk(visit).remove(visit.session.access, visit.path["webhook"])
    return visit.go(BASE)


def state_words() -> dict[str, str]:
    """How a webhook is."""
    return {
        "on": _("on"),
        "paused": _("paused"),
        "key_lost": _("says nothing: its secret cannot be read, give it a new one"),
        "failed": _("stopped: its receiver failed for three days"),
        "gone": _("stopped: its receiver says it is gone"),
        "owner_closed": _("stopped: its owner may tell nothing any more"),
    }


def result_words() -> dict[str, str]:
    """What became of a try."""
    return {
        rules.DELIVERED: _("delivered"),
        rules.GONE: _("is gone"),
        rules.REFUSED: _("refused"),
        rules.REDIRECTED: _("sent elsewhere, which is not followed"),
        rules.THROTTLED: _("asked to come later"),
        rules.TIMED_OUT: _("did not answer in time"),
        rules.UNREACHABLE: _("not reached"),
        rules.BROKEN: _("answer broke off"),
        rules.FORBIDDEN: _("address not allowed"),
        rules.UNREADABLE: _("kept no longer"),
        "behind": _("waits behind an earlier one"),
    }


def _desk(visit: Visit) -> Desk:
    """Errors: WebhooksOff."""
    if visit.desk is None:
        raise WebhooksOff(_("The operator set no webhooks up here."))
    return visit.desk


def _told(visit: Visit) -> Told:
    types = tuple(one for one in visit.form.getlist("types") if isinstance(one, str))
    return Told(visit.field("name"), visit.field("address"), types, visit.field("unit_id"))


def _position(visit: Visit, name: str) -> int:
    """Errors: FieldInvalid."""
    text = visit.field(name)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise FieldInvalid(FieldViolation(name, _("is a whole number")))
    return int(text)


def _unit_names(visit: Visit) -> dict[str, Any]:
    found = visit.call("directory", "ListUnits", pb.ListUnitsRequest(page_size=MOST_UNITS)).units
    return {one.id: one.name for one in found}


PAGES = (
    Page("GET", BASE, show_webhooks),
    Page("POST", BASE, make_webhook),
    Page("GET", f"{BASE}/new", show_new),
    Page("GET", f"{BASE}/{{webhook}}", show_webhook),
    Page("GET", f"{BASE}/{{webhook}}/edit", show_edit),
    Page("POST", f"{BASE}/{{webhook}}/edit", change_webhook),
    Page("POST", f"{BASE}/{{webhook}}/replay", replay),
    Page("POST", f"{BASE}/{{webhook}}/pause", pause),
    Page("POST", f"{BASE}/{{webhook}}/resume", resume),
    Page("POST", f"{BASE}/{{webhook}}/test", try_out),
    Page("POST", f"{BASE}/{{webhook}}/secret", change_secret),
    Page("POST", f"{BASE}/{{webhook}}/skip", skip),
    Page("POST", f"{BASE}/{{webhook}}/remove", remove),
)
