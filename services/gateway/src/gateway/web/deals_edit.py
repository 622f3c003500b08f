"""Editing a deal in place, one fact at a time; when two people change the same, the page lets them choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.dates import from_date
from chassis.errors import RemoteError
from chassis.money import from_money
from crm.deals.v1 import deals_pb2 as pb
from crm.directory.v1 import directory_pb2 as directory
from gateway.web.conflicts import make_conflict
from gateway.web.deals_page import deal_id
from gateway.web.form_values import read_day, read_money
from gateway.web.mounting import Page
from gateway.web.parties import Parties, find_parties
from gateway.web.people import ask_for_people, people_of
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

TEXTS = ("title", "business_line", "external_id", "loss_reason", "loss_comment")
DAYS = ("open_date", "close_date", "expected_close_date")
LINKS = ("organization_id", "person_id", "owner_id", "unit_id")
FACTS = (*TEXTS, *DAYS, *LINKS, "amount")
MOST_UNITS = 1_000
AMOUNT_SPLIT = "|"  # between number and currency where a conflict holds both in one value


def labels() -> dict[str, str]:
    """What each fact is called."""
    return {
        "title": _("Title"),
        "amount": _("Amount"),
        "organization_id": _("Organization"),
        "person_id": _("Person"),
        "owner_id": _("Owner"),
        "unit_id": _("Unit"),
        "open_date": _("Opened"),
        "close_date": _("Closed"),
        "expected_close_date": _("Expected"),
        "loss_reason": _("Lost because of"),
        "loss_comment": _("Comment on the loss"),
        "business_line": _("Line of business"),
        "external_id": _("Number elsewhere"),
    }


def show_edit(visit: Visit) -> Response:
    """The form of one fact, in the place of the fact."""
    name = fact_name(visit)
    deal = visit.call("deals", "GetDeal", pb.GetDealRequest(deal_id=deal_id(visit))).deal
    choices = CHOICES[name](visit) if name in CHOICES else []
    people = people_of(visit.gather(people=ask_for_people())["people"]) if name == "owner_id" else None
    parties, _answers = find_parties(visit, [deal.person_id], [deal.organization_id], [deal.owner_id])
    return visit.render(
        "deals/edit.html",
        deal=deal,
        name=name,
        label=labels()[name],
        value=value_of(deal, name),
        choices=choices,
        people=people,
        parties=parties,
    )


def show_fact(visit: Visit) -> Response:
    """One fact as it stands, when an edit is given up."""
    return _render_fact(visit, visit.call("deals", "GetDeal", pb.GetDealRequest(deal_id=deal_id(visit))).deal)


def save_fact(visit: Visit) -> Response:
    """Store one fact; where somebody else changed it too, let the person choose. Errors: RemoteError."""
    name = fact_name(visit)
    id, mine = deal_id(visit), written_value(visit, name)
    try:
        return _render_fact(visit, _store(visit, id, name, mine, visit.field("etag")), saved=True)
    except RemoteError as refusal:
        if refusal.reason != "STALE_ETAG":
            raise
    theirs = visit.call("deals", "GetDeal", pb.GetDealRequest(deal_id=id)).deal
    before = visit.field(f"before.{name}")
    values: tuple[Mapping[str, str], ...] = ({name: before}, {name: value_of(theirs, name)}, {name: mine})
    links = [one[name] for one in values] if name in LINKS else []
    parties, _answers = find_parties(
        visit,
        links if name == "person_id" else [],
        links if name == "organization_id" else [],
        links if name == "owner_id" else [],
    )
    conflict = make_conflict(
        f"/deals/{id}/edit/{name}", theirs.etag, f"#fact-{name}", labels(), (values[0], values[1], values[2]),
        lambda name, value: word_value(visit, parties, name, value),
    )  # fmt: skip
    if conflict is None and mine == before:  # nothing was written, and what somebody else wrote stays
        return _render_fact(visit, theirs)
    if conflict is None:  # somebody changed something else
        return _render_fact(visit, _store(visit, id, name, mine, theirs.etag), saved=True)
    return visit.render("deals/clash.html", 409, name=name, label=labels()[name], conflict=conflict)


def fact_name(visit: Visit) -> str:
    """The fact in the address. Errors: HTTPException where it is none."""
    if visit.path["name"] not in FACTS:
        raise HTTPException(404)
    return visit.path["name"]


def value_of(deal: Any, name: str) -> str:
    """A fact as a form posts it."""
    if name == "amount":
        if not deal.HasField("amount"):
            return ""
        amount, currency = from_money(deal.amount)
        return f"{amount.normalize():f}{AMOUNT_SPLIT}{currency}"
    if name in DAYS:
        day = from_date(getattr(deal, name), name)
        return day.isoformat() if day else ""
    return str(getattr(deal, name))


def written_value(visit: Visit, name: str) -> str:
    """What the form says of a fact, in the same form as `value_of`. Errors: FieldInvalid."""
    if name != "amount" or AMOUNT_SPLIT in visit.field(name):
        return visit.field(name)
    money = read_money("amount", visit.field("amount"), visit.field("currency"))
    return value_of(pb.Deal(amount=money), name) if money else ""


def word_value(visit: Visit, parties: Parties, name: str, value: str) -> str:
    """A value as people read it."""
    if not value:
        return ""
    if name == "amount":
        number, currency = value.split(AMOUNT_SPLIT)
        return f"{number} {currency}"
    if name in DAYS:
        return visit.texts.date(date.fromisoformat(value))
    words: dict[str, Callable[[str], str]] = {
        "organization_id": parties.organization,
        "person_id": parties.person,
        "owner_id": parties.user,
        "unit_id": parties.unit,
    }
    return words[name](value) or "…" if name in words else value


def _store(visit: Visit, id: str, name: str, value: str, etag: str) -> Any:
    said = pb.Deal(id=id)
    if name == "amount" and value:
        number, currency = value.split(AMOUNT_SPLIT)
        said.amount.CopyFrom(read_money("amount", number, currency))
    elif name in DAYS and value:
        getattr(said, name).CopyFrom(read_day(name, value))
    elif name not in DAYS and name != "amount":
        setattr(said, name, value)
    request = pb.UpdateDealRequest(deal=said, etag=etag)
    request.update_mask.paths.append(name)
    return visit.call("deals", "UpdateDeal", request).deal


def _render_fact(visit: Visit, deal: Any, saved: bool = False) -> Response:
    name = fact_name(visit)
    parties, _answers = find_parties(visit, [deal.person_id], [deal.organization_id], [deal.owner_id])
    headers = {"HX-Trigger": "deal-changed"} if saved else {}
    return visit.render("deals/fact.html", headers=headers, deal=deal, name=name, label=labels()[name], parties=parties)


def _units(visit: Visit) -> list[tuple[str, str]]:
    found = visit.call("directory", "ListUnits", directory.ListUnitsRequest(page_size=MOST_UNITS)).units
    return [(one.id, one.name) for one in found]


def _reasons(visit: Visit) -> list[tuple[str, str]]:
    names = visit.call("deals", "ListLossReasons", pb.ListLossReasonsRequest()).names
    return [(name, name) for name in names]


CHOICES = {"unit_id": _units, "loss_reason": _reasons}
PAGES = (
    Page("GET", "/deals/{id}/edit/{name}", show_edit),
    Page("GET", "/deals/{id}/fact/{name}", show_fact),
    Page("POST", "/deals/{id}/edit/{name}", save_fact),
)
