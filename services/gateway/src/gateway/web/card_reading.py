"""Gathers what the card of a person or an organization shows: contacts, deals, scheduling and directory at once.

Two rounds of parallel calls: first the card, its line of time, deals, activities; then the names these refer to. A
service that is away leaves its own panel empty and nothing else. A panel asked for alone costs only its own calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from chassis.dates import to_date
from chassis.errors import FieldInvalid, FieldViolation
from crm.contacts.v1 import contacts_pb2 as pb
from crm.deals.v1 import deals_pb2
from crm.scheduling.v1 import scheduling_pb2
from gateway.web import own_fields, stories
from gateway.web.customer_words import is_leading, kind_number
from gateway.web.names import Colleague, Names, look_up_names
from gateway.web.parties import NO_NAMES, read_customer_names
from gateway.web.texts import gettext as _
from gateway.web.visits import Away, Visit

PERSON, ORGANIZATION = "person", "organization"
PATHS = {PERSON: "customers", ORGANIZATION: "organizations"}
LINE = 30  # entries of a page of the line of time
MOST_DEALS = 100
MOST_ACTIVITIES = 20
SHOWN_MEMBERS = 50
NEEDS = {
    "header": ("card", "activities", "members"),
    "facts": ("card", "members", "pairs", "children", "fields"),
    "story": ("interactions", "deals"),
    "deals": ("card", "deals"),
    "tasks": ("activities",),
    "people": ("card", "members"),
}
PANELS = {
    PERSON: ("header", "facts", "story", "deals", "tasks"),
    ORGANIZATION: ("header", "facts", "story", "deals", "tasks", "people"),
}


@dataclass(frozen=True)
class StoryFilter:
    """What the line of time is narrowed to, as the address says it."""

    kind: str = ""
    author_id: str = ""
    unit_id: str = ""
    year: int | None = None
    page: str = ""
    until: datetime | None = None

    @property
    def any(self) -> bool:
        """Whether something is left out."""
        return bool(self.kind or self.author_id or self.unit_id or self.year)

    @property
    def address(self) -> dict[str, str]:
        """The filter as values of an address."""
        values = {"kind": self.kind, "author": self.author_id, "in": self.unit_id}
        values |= {
            "year": str(self.year or ""),
            "page": self.page,
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True)
class Customer:
    """All that the panels of a card show; what was not asked for is None, what is away is `Away`."""

    record_type: str
    id: str
    card: Any = None
    members: Any = None
    pairs: Any = None
    children: Any = None
    fields: Any = None  # of the company's own, a list
    interactions: Any = None
    deals: Any = None
    activities: Any = None
    filter: StoryFilter = StoryFilter()
    story: list[stories.Entry] = field(default_factory=list)
    names: Names = Names()
    persons: Mapping[str, str] = field(default_factory=dict)
    organizations: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The address of the card."""
        return f"/{PATHS[self.record_type]}/{self.id}"

    @property
    def live(self) -> str:
        """What `data-live` says."""
        return f"{self.record_type}:{self.id}"

    def author(self, said: pb.Interaction) -> Colleague | None:
        """Who had an interaction."""
        return self.names.user(said.author_id, said.author_name)

    @property
    def current(self) -> list[pb.Affiliation]:
        """Memberships that last."""
        return [one for one in self.card.affiliations if not one.HasField("end_date")]

    @property
    def former(self) -> list[pb.Affiliation]:
        """Memberships that ended."""
        return [one for one in self.card.affiliations if one.HasField("end_date")]

    def leaders(self, organization_id: str) -> list[pb.Affiliation]:
        """Who heads an organization at present, this person aside."""
        return [
            one
            for one in (self.members.affiliations if self.members else ())
            if one.organization_id == organization_id and one.person_id != self.id and is_leading(one.role)
        ]

    @property
    def next_step(self) -> Any:
        """The open activity that is due first; None where there is none."""
        return self.activities.activities[0] if self.activities and self.activities.activities else None


def read_filter(visit: Visit) -> StoryFilter:
    """The filter of the line of time in an address. Errors: FieldInvalid."""
    query = visit.query
    year, until = query.get("year", ""), query.get("until", "")
    try:
        return StoryFilter(
            query.get("kind", ""),
            query.get("author", ""),
            query.get("in", ""),
            min(max(int(year), 1900), 9000) if year else None,
            query.get("page", ""),
            datetime.fromisoformat(until).astimezone(UTC) if until else None,
        )
    except (ValueError, OverflowError):
        raise FieldInvalid(FieldViolation("year", _("this filter cannot be read; go back to the card"))) from None


def read_customer(visit: Visit, record_type: str, card_id: str, panels: Iterable[str]) -> Customer:
    """What these panels show. Errors: RemoteError where the card is not to be seen."""
    wanted = {need for panel in panels for need in NEEDS[panel]}
    asked = read_filter(visit)
    calls: dict[str, Callable[[], Any]] = {
        "interactions": lambda: _interactions(visit, record_type, card_id, asked),
        "deals": lambda: _deals(visit, record_type, card_id),
        "activities": lambda: _activities(visit, record_type, card_id),
        "pairs": lambda: _pairs(visit, card_id),
        "fields": lambda: own_fields.list_fields(visit, record_type),
    }
    gathered = visit.gather_calls(
        cards=lambda: _read_card(visit, record_type, card_id, wanted),
        **{name: call for name, call in calls.items() if name in wanted},
    )
    cards = gathered.pop("cards")
    found = {**gathered, **(cards or dict.fromkeys(wanted & {"card", "members", "children"}, cards))}
    customer = Customer(record_type, card_id, filter=asked, story=_story(visit, asked, found), **found)
    return _named(visit, customer)


def _read_card(visit: Visit, record_type: str, card_id: str, wanted: set[str]) -> dict[str, Any] | Away:
    """The card, and after it who else is where it belongs to."""
    found: dict[str, Any] = {}
    if not wanted & {"card", "members", "children"}:
        return found
    if record_type == ORGANIZATION:
        found["card"] = visit.call(
            "contacts", "GetOrganization", pb.GetOrganizationRequest(organization_id=card_id)
        ).organization
        around: dict[str, tuple[str, str, Any]] = {}
        if "members" in wanted:
            around["members"] = ("contacts", "ListAffiliations", _members_of(visit, card_id))
        if "children" in wanted:
            below = pb.ListOrganizationsRequest(parent_id=card_id, page_size=20)
            around["children"] = ("contacts", "ListOrganizations", below)
        return found | visit.gather(**around)
    found["card"] = visit.call("contacts", "GetPerson", pb.GetPersonRequest(person_id=card_id)).person
    employers = list(dict.fromkeys(one.organization_id for one in found["card"].affiliations))[:100]
    if "members" in wanted and employers:
        request = pb.ListAffiliationsRequest(
            organization_ids=employers, on_date=to_date(visit.today), with_role_only=True, page_size=500
        )
        found["members"] = visit.call("contacts", "ListAffiliations", request)
    return found


def _members_of(visit: Visit, organization_id: str) -> pb.ListAffiliationsRequest:
    on, page = visit.query.get("on", ""), visit.query.get("people", "")
    request = pb.ListAffiliationsRequest(organization_ids=[organization_id], page_size=SHOWN_MEMBERS, page_token=page)
    if on:
        try:
            request.on_date.CopyFrom(to_date(datetime.fromisoformat(on).date()))
        except ValueError:
            raise FieldInvalid(FieldViolation("on", _("give a day such as 2024-05-20"))) from None
    return request


def _of(record_type: str, card_id: str) -> dict[str, Any]:
    return {f"{record_type}_id": card_id}


def _interactions(visit: Visit, record_type: str, card_id: str, asked: StoryFilter) -> Any:
    if asked.kind == "deal":
        return pb.ListInteractionsResponse()
    request = pb.ListInteractionsRequest(
        **_of(record_type, card_id),
        page_size=LINE,
        page_token=asked.page,
        kind=kind_number(asked.kind),
        author_id=asked.author_id,
        unit_id=asked.unit_id,
    )
    if asked.year:
        request.occur_from_time.FromDatetime(datetime(asked.year, 1, 1, tzinfo=visit.texts.zone))
        request.occur_before_time.FromDatetime(datetime(asked.year + 1, 1, 1, tzinfo=visit.texts.zone))
    return visit.call("contacts", "ListInteractions", request, timeout=3.0)


def _deals(visit: Visit, record_type: str, card_id: str) -> Any:
    request = deals_pb2.ListDealsRequest(**_of(record_type, card_id), page_size=MOST_DEALS)
    return visit.call("deals", "ListDeals", request, timeout=3.0)


def _activities(visit: Visit, record_type: str, card_id: str) -> Any:
    request = scheduling_pb2.ListActivitiesRequest(
        **_of(record_type, card_id), state=scheduling_pb2.ACTIVITY_STATE_OPEN, page_size=MOST_ACTIVITIES
    )
    return visit.call("scheduling", "ListActivities", request, timeout=3.0)


def _pairs(visit: Visit, card_id: str) -> Any:
    request = pb.ListPossibleDuplicatesRequest(record_id=card_id, page_size=5)
    return visit.call("contacts", "ListPossibleDuplicates", request, timeout=3.0)


def _story(visit: Visit, asked: StoryFilter, found: Mapping[str, Any]) -> list[stories.Entry]:
    said, deals = found.get("interactions"), found.get("deals")
    if not said:
        return []
    oldest = said.interactions[-1].occur_time.ToDatetime(UTC) if said.next_page_token else None
    span = stories.Span(asked.until, oldest)
    ended = deals.deals if deals and asked.kind in ("", "deal") else ()
    shown = stories.deals_of(ended, asked.author_id, asked.unit_id, asked.year)
    return stories.tell_story(said.interactions, shown, span, visit.texts.zone)


def _named(visit: Visit, customer: Customer) -> Customer:
    """The customer with the names of users, persons and organizations its panels refer to."""
    said = customer.interactions.interactions if customer.interactions else []
    deals = customer.deals.deals if customer.deals else []
    todo = customer.activities.activities if customer.activities else []
    users = {one.author_id for one in said} | {one.owner_id for one in (*deals, *todo)}
    users |= {customer.card.owner_id} if customer.card else set()
    users |= own_fields.users_named(customer.fields or (), customer.card.attributes) if customer.card else set()
    persons = {one.person_id for one in (*said, *deals)} - {"", customer.id}
    firms = {one.organization_id for one in (*said, *deals)} - {"", customer.id}
    firms |= {customer.card.parent_id} - {""} if customer.card and customer.record_type == ORGANIZATION else set()
    named = visit.gather_calls(
        names=lambda: look_up_names(visit, users),
        customers=lambda: read_customer_names(visit, persons, firms),
    )
    of_persons, of_firms = named["customers"] or NO_NAMES
    return replace(customer, persons=of_persons, organizations=of_firms, names=named["names"] or Names())
