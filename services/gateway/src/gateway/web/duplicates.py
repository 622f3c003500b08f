"""Pairs of cards that may be one customer, side by side with the reasons: looked at, searched for, said to be two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from chassis.ids import new_id
from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web.card_reading import ORGANIZATION, PATHS, PERSON
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.values import show_date
from gateway.web.visits import Visit

ROWS = 20  # pairs of a page, with two cards each
FACT = "attributes."
PHONE, EMAIL = pb.CHANNEL_KIND_PHONE, pb.CHANNEL_KIND_EMAIL


@dataclass(frozen=True)
class Compared:
    """One line of a pair: what both cards say of a field, how far they agree, and what that is worth in bits."""

    name: str
    first: str
    second: str
    agreement: int = 0
    bits: float = 0.0


@dataclass(frozen=True)
class Pair:
    """A pair as it is shown; `strength` is the probability in per cent, None where nothing compared the cards."""

    found: pb.PossibleDuplicate
    lines: list[Compared]

    @property
    def strength(self) -> int | None:
        """Per cent, never a hundred: that they are one customer is for people to say."""
        return min(int(self.found.probability * 100), 99) if self.found.agreements else None


def show_pairs(visit: Visit) -> Response:
    """The page of pairs, likeliest first."""
    dismissed = visit.query.get("view") == "dismissed"
    asked = pb.ListPossibleDuplicatesRequest(
        page_size=ROWS, page_token=visit.query.get("page", ""), likeliest_first=True, dismissed=dismissed
    )
    found = visit.call("contacts", "ListPossibleDuplicates", asked)
    cards = _read_cards(visit, found.possible_duplicates)
    searches: dict[str, pb.DuplicateSearch] = {}
    if visit.may_import:
        told = visit.call("contacts", "GetDuplicateSearches", pb.GetDuplicateSearchesRequest())
        searches = {one.record_type: one for one in told.duplicate_searches}
    return visit.render(
        "duplicates/page.html",
        help="duplicates",
        pairs=[Pair(one, _compare(one, cards)) for one in found.possible_duplicates],
        next_token=found.next_page_token,
        dismissed=dismissed,
        searches=searches,
        paths=PATHS,
        words=agreement_words(),
        states=state_words(),
        kinds={PERSON: _("Persons"), ORGANIZATION: _("Organizations")},
        request_id=new_id(),
    )


def dismiss_pair(visit: Visit) -> Response:
    """Remember that a pair is two customers."""
    asked = pb.DismissPossibleDuplicateRequest(
        request_id=visit.field("request_id"),
        first_id=visit.field("first_id"),
        second_id=visit.field("second_id"),
        note=visit.field("note"),
    )
    visit.call("contacts", "DismissPossibleDuplicate", asked)
    return visit.go("/duplicates")


def start_search(visit: Visit) -> Response:
    """Have the whole base searched."""
    asked = pb.FindDuplicatesRequest(
        request_id=visit.field("request_id"), record_type=visit.field("record_type"), whole_base=True
    )
    visit.call("contacts", "FindDuplicates", asked)
    return visit.go("/duplicates")


def agreement_words() -> dict[int, str]:
    """How far two values agree."""
    return {
        pb.AGREEMENT_AGREES: _("the same"),
        pb.AGREEMENT_NEARLY: _("nearly the same"),
        pb.AGREEMENT_PARTLY: _("partly the same"),
        pb.AGREEMENT_DIFFERS: _("different"),
    }


def state_words() -> dict[str, str]:
    """How far a search is."""
    return {"waiting": _("waits"), "running": _("runs"), "done": _("done"), "failed": _("failed")}


def _read_cards(visit: Visit, pairs: Iterable[pb.PossibleDuplicate]) -> dict[str, Any]:
    """The cards of the pairs, by id."""
    ids: dict[str, dict[str, None]] = {PERSON: {}, ORGANIZATION: {}}
    for one in pairs:
        ids[one.record_type] |= {one.first_id: None, one.second_id: None}
    cards: list[Any] = []
    if ids[PERSON]:
        asked = pb.BatchGetPersonsRequest(person_ids=ids[PERSON])
        cards += visit.call("contacts", "BatchGetPersons", asked).persons
    if ids[ORGANIZATION]:
        wanted = pb.BatchGetOrganizationsRequest(organization_ids=ids[ORGANIZATION])
        cards += visit.call("contacts", "BatchGetOrganizations", wanted).organizations
    return {card.id: card for card in cards}


def _compare(pair: pb.PossibleDuplicate, cards: Mapping[str, Any]) -> list[Compared]:
    """The lines of a pair: fields that a card has, with what was found of each."""
    first, second = (_values_of(cards.get(one)) for one in (pair.first_id, pair.second_id))
    agreed = {one.field: one for one in pair.agreements}
    lines = []
    for field, name in _field_names(pair.record_type, agreed).items():
        ours, theirs, told = first.get(field, ""), second.get(field, ""), agreed.get(field)
        if ours or theirs:
            lines.append(Compared(name, ours, theirs, told.agreement if told else 0, told.bits if told else 0.0))
    return lines


def _field_names(record_type: str, agreed: Mapping[str, Any]) -> dict[str, str]:
    """What the compared fields are called, in the order of the card."""
    own = (
        {"given_name": _("Given name"), "middle_name": _("Middle name"), "family_name": _("Family name"),
            "birth_date": _("Birthday")}
        if record_type == PERSON
        else {"name": _("Name")}
    )  # fmt: skip
    shared = {
        "phone": _("Phone"),
        "email": _("E-mail"),
        "street": _("Street"),
        "place": _("Town"),
        "tax_id": _("Tax id"),
    }
    last = {"organization": _("Organization")} if record_type == PERSON else {}
    facts = {field: field.removeprefix(FACT) for field in agreed if field.startswith(FACT)}
    return {**own, **shared, **last, **facts}


def _values_of(card: Any) -> dict[str, str]:
    """What a card says of each compared field, as text."""
    if card is None:
        return {}
    values = {
        "phone": _channels(card, PHONE),
        "email": _channels(card, EMAIL),
        "street": card.address.street,
        "place": " ".join(filter(None, (card.address.postal_code, card.address.city))),
        "tax_id": card.tax_id,
        **{f"{FACT}{name}": text for name, text in card.attributes.items()},
    }
    if isinstance(card, pb.Organization):
        return values | {"name": card.display_name}
    born = show_date(card.birth_date) if card.HasField("birth_date") else ""
    employers = ", ".join(one.organization_name for one in card.affiliations)
    parts = {name: getattr(card, name) for name in ("given_name", "middle_name", "family_name")}
    if not any(parts.values()):
        parts["given_name"] = card.display_name
    return values | parts | {"birth_date": born, "organization": employers}


def _channels(card: Any, kind: int) -> str:
    return ", ".join(one.value or one.raw for one in card.channels if one.kind == kind)


PAGES = (
    Page("GET", "/duplicates", show_pairs),
    Page("POST", "/duplicates/dismiss", dismiss_pair),
    Page("POST", "/duplicates/search", start_search),
)
