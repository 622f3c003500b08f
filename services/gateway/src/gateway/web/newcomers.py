"""A new person or organization in a moment: a name and a way to reach them; who may be the same is shown while typing.

The customer base joins a newcomer to the card that already is this customer, so the answer may be that card.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation, RemoteError
from chassis.ids import is_id, new_id
from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web import card_changing as changing
from gateway.web import own_fields
from gateway.web.card_reading import ORGANIZATION, PATHS, PERSON
from gateway.web.mounting import Page
from gateway.web.people import ask_for_people, people_of
from gateway.web.picking import find_customers
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit
from values.own_fields import FieldType

MOST_ALIKE = 5


def show_person_form(visit: Visit) -> Response:
    """The form of a new person; an organization may be named in the address."""
    firm: Any = None
    if is_id(visit.query.get("organization", "")):
        firm = changing.get_card(visit, ORGANIZATION, visit.query["organization"])
    return _form(visit, PERSON, firm)


def show_organization_form(visit: Visit) -> Response:
    """The form of a new organization."""
    return _form(visit, ORGANIZATION, None)


def show_alike(visit: Visit) -> Response:
    """Who is known already by what has been typed until now."""
    kind = visit.query.get("kind", PERSON)
    asked = [visit.query.get(name, "").strip()[:200] for name in ("phone", "email", "display_name")]
    found = visit.gather_calls(
        **{str(at): lambda text=text: find_customers(visit, text, kind) for at, text in enumerate(asked)}
    )
    hits = {one.id: one for hits in found.values() if hits for one in hits}
    return visit.render("quick/alike.html", hits=list(hits.values())[:MOST_ALIKE])


def create_person(visit: Visit) -> Response:
    """Make the person, and show the card: the new one, or the one that was there."""
    person = _person(visit)
    request = pb.CreatePersonRequest(
        request_id=visit.field("request_id"), person=person, allow_duplicate=bool(visit.field("allow_duplicate"))
    )
    try:
        made = visit.call("contacts", "CreatePerson", request)
    except RemoteError as refusal:
        return _hint(visit, refusal, PERSON)
    return visit.go(f"/{PATHS[PERSON]}/{made.person.id}" + ("?existed=1" if made.existed else ""))


def _person(visit: Visit) -> pb.Person:
    own = own_fields.read_new(visit, PERSON)
    person = pb.Person(display_name=_name(visit), channels=_channels(visit), attributes=own)
    firm_id, firm_name = visit.field("organization_id"), visit.field("organization_name")
    if firm_id or firm_name:
        job = pb.Affiliation(organization_id=firm_id, organization_name=firm_name, role=visit.field("role"))
        person.affiliations.append(job)
    return person


def create_organization(visit: Visit) -> Response:
    """Make the organization, and show the card: the new one, or the one that was there."""
    organization = _organization(visit)
    request = pb.CreateOrganizationRequest(
        request_id=visit.field("request_id"),
        organization=organization,
        allow_duplicate=bool(visit.field("allow_duplicate")),
    )
    try:
        made = visit.call("contacts", "CreateOrganization", request)
    except RemoteError as refusal:
        return _hint(visit, refusal, ORGANIZATION)
    return visit.go(f"/{PATHS[ORGANIZATION]}/{made.organization.id}" + ("?existed=1" if made.existed else ""))


def _organization(visit: Visit) -> pb.Organization:
    return pb.Organization(
        display_name=_name(visit),
        channels=_channels(visit),
        tax_id=visit.field("tax_id"),
        attributes=own_fields.read_new(visit, ORGANIZATION),
    )


def ask_for_person(visit: Visit) -> Response:
    """Ask the unit that has the person to be let in."""
    return _ask(visit, person=_person(visit))


def ask_for_organization(visit: Visit) -> Response:
    """Ask the unit that has the organization to be let in."""
    return _ask(visit, organization=_organization(visit))


def _ask(visit: Visit, **wanted: Any) -> Response:
    asked = pb.RequestCustomerAccessRequest(reason=visit.field("reason"), **wanted)
    visit.call("contacts", "RequestCustomerAccess", asked)
    return visit.go("/access-requests")


def _hint(visit: Visit, refusal: RemoteError, record_type: str) -> Response:
    """That the customer is known elsewhere, with the way to ask. Errors: RemoteError for any other refusal."""
    same = refusal.metadata.get("record_type") == record_type
    if refusal.reason != "KNOWN_ELSEWHERE" or not same or not visit.is_part:
        raise refusal
    place = {"HX-Retarget": f"#quick-{record_type} [data-problem]", "HX-Reswap": "innerHTML"}
    unit_name = refusal.metadata.get("unit_name", "")
    return visit.render("quick/elsewhere.html", 409, place, record_type=record_type, unit_name=unit_name)


def _form(visit: Visit, record_type: str, firm: Any) -> Response:
    template = "quick/newcomer.html" if visit.is_part else "quick/newcomer_page.html"
    found = visit.gather_calls(own=lambda: own_fields.ask_new(visit, record_type))
    own = found["own"] or []
    wants_users = any(one.kind == FieldType.USER for one in own)
    return visit.render(
        template,
        record_type=record_type,
        firm=firm,
        request_id=new_id(),
        own=own,
        people=people_of(visit.gather(people=ask_for_people())["people"]) if wants_users else None,
    )


def _name(visit: Visit) -> str:
    name = visit.field("display_name")
    if not name:
        raise FieldInvalid(FieldViolation("display_name", _("write a name")))
    return name


def _channels(visit: Visit) -> list[pb.Channel]:
    phone, email = visit.field("phone"), visit.field("email")
    channels = [pb.Channel(kind=pb.CHANNEL_KIND_PHONE, value=phone)] if phone else []
    return channels + ([pb.Channel(kind=pb.CHANNEL_KIND_EMAIL, value=email)] if email else [])


PAGES = (
    Page("GET", "/quick/person", show_person_form),
    Page("POST", "/quick/person", create_person),
    Page("GET", "/quick/organization", show_organization_form),
    Page("POST", "/quick/organization", create_organization),
    Page("POST", "/quick/person/ask", ask_for_person),
    Page("POST", "/quick/organization/ask", ask_for_organization),
    Page("GET", "/quick/alike", show_alike),
)
