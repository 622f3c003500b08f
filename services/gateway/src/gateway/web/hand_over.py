"""One operation for who leaves or moves on: their customers, open deals and open activities go to colleagues.

The page shows by unit what there is before anything changes. Each service decides which records the viewer may assign;
a service that is away keeps its records, and the page can be used again for them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from chassis.access import ASSIGN
from chassis.errors import FieldInvalid, FieldViolation, NotPermitted
from chassis.ids import is_id, new_id
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from crm.directory.v1 import directory_pb2 as directory
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from gateway.web.mounting import Page
from gateway.web.names import list_units
from gateway.web.people import ask_for_people, people_of
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

AT_ONCE = 200  # records of one call: some tenths of a second
SECONDS = 5.0  # then the page shows how far it is, and goes on by itself


@dataclass(frozen=True)
class Kind:
    """Records of one service: which call hands them over, and which fields of an answer count them."""

    name: str
    service: str
    rpc: str
    request: type[Any]
    counts: tuple[str, ...]


KINDS = (
    Kind(
        "customers",
        "contacts",
        "HandOverCustomers",
        contacts.HandOverCustomersRequest,
        ("persons", "organizations"),
    ),
    Kind("deals", "deals", "HandOverDeals", deals.HandOverDealsRequest, ("deals",)),
    Kind("activities", "scheduling", "HandOverActivities", scheduling.HandOverActivitiesRequest, ("activities",)),
)


def show_hand_over(visit: Visit) -> Response:
    """What a person is responsible for, by unit, and who may take it over."""
    _require_right(visit)
    user_id = visit.path["user"]
    user = visit.call("directory", "GetUser", directory.GetUserRequest(user_id=user_id)).user
    found = visit.gather(people=ask_for_people(), **{one.name: _count(one, user_id) for one in KINDS})
    answers = {one.name: found[one.name] for one in KINDS}
    return visit.render(
        "hand_over/page.html",
        help="hand-over",
        user=user,
        away=[answer.service for answer in answers.values() if not answer],
        rows=_rows(answers, list_units(visit)),
        totals={name: answer.remaining for name, answer in answers.items() if answer},
        not_allowed=sum(answer.not_allowed for answer in answers.values() if answer),
        columns=tuple(field for one in KINDS for field in one.counts),
        people=people_of(found["people"]).without(user_id),
        kinds=[one.name for one in KINDS],
        words=column_words(),
        request_id=new_id(),
    )


def hand_over(visit: Visit) -> Response:
    """Hand over what was chosen, for some seconds; the answer shows how far it is and asks to go on."""
    _require_right(visit)
    chosen = {one: visit.field(one.name) for one in KINDS if visit.field(one.name)}
    if not chosen:
        raise FieldInvalid(FieldViolation("to_owner_id", _("choose a colleague for one kind of record at least")))
    done = {field: _number(visit.field(f"done_{field}")) for one in KINDS for field in one.counts}
    left, end = {}, time.monotonic() + SECONDS
    for kind, heir in chosen.items():
        left[kind.name] = _hand_over_kind(visit, kind, heir, done, end)
    return visit.render(
        "hand_over/progress.html",
        user_id=visit.path["user"],
        done=done,
        left=sum(left.values()),
        chosen={kind.name: heir for kind, heir in chosen.items() if left[kind.name]},
        only_unit=visit.field("only_unit"),
        note=visit.field("note"),
        request_id=new_id(),
        words=column_words(),
    )


def column_words() -> dict[str, str]:
    """The kinds of records as people say them."""
    return {
        "persons": _("Persons"),
        "organizations": _("Organizations"),
        "customers": _("Customers"),
        "deals": _("Open deals"),
        "activities": _("Open activities"),
    }


def _hand_over_kind(visit: Visit, kind: Kind, heir: str, done: dict[str, int], end: float) -> int:
    """Call until none remain or the time is up; counts into `done` and answers how many are left."""
    number = 0
    while True:
        asked = kind.request(
            request_id=f"{visit.field('request_id')[:40]}:{heir[:40]}:{visit.field('only_unit')[:40]}:{number}",
            from_owner_id=visit.path["user"],
            to_owner_id=heir,
            unit_id=visit.field("only_unit"),
            note=visit.field("note"),
            most=AT_ONCE,
        )
        answer = visit.call(kind.service, kind.rpc, asked)
        for field in kind.counts:
            done[field] += getattr(answer, field)
        number += 1
        if not answer.remaining or time.monotonic() > end or not any(getattr(answer, one) for one in kind.counts):
            return int(answer.remaining)


def _count(kind: Kind, user_id: str) -> tuple[str, str, Any]:
    return kind.service, kind.rpc, kind.request(from_owner_id=user_id, dry_run=True)


def _rows(answers: dict[str, Any], units: dict[str, Any]) -> list[tuple[str, str, dict[str, int]]]:
    """Unit id, its name, and the counts by column; units in the order of the tree, unknown ones last."""
    counts: dict[str, dict[str, int]] = {}
    for one in KINDS:
        for unit in answers[one.name].units if answers[one.name] else ():
            counts.setdefault(unit.unit_id, {}).update({field: getattr(unit, field) for field in one.counts})
    order = {unit_id: at for at, unit_id in enumerate(units)}
    names = {unit_id: units[unit_id].name if unit_id in units else "–" for unit_id in counts}
    return [(one, names[one], counts[one]) for one in sorted(counts, key=lambda one: order.get(one, len(order)))]


def _require_right(visit: Visit) -> None:
    if not visit.session.access.allows_somewhere(ASSIGN) or not is_id(visit.path["user"]):
        raise NotPermitted(_("Your positions do not allow to hand records over."))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


PAGES = (
    Page("GET", "/people/{user}/hand-over", show_hand_over),
    Page("POST", "/people/{user}/hand-over", hand_over),
)
