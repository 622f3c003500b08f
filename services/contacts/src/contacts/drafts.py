"""What a request says of a customer, read into a card that is not stored yet, with all its identities."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from chassis.dates import from_date
from chassis.ids import new_id
from contacts import keys
from contacts.cards import Address, Affiliation, AnyCard, OrganizationCard, PersonCard
from contacts.customer_fields.fields import NO_RULES, Rules
from contacts.errors import invalid
from contacts.fields import NAME, ROLE, TAX_ID, TEXT, read_attributes, read_id, read_text
from contacts.reaching import read_channels
from contacts.tags import read_tags
from crm.contacts.v1 import contacts_pb2 as pb
from units.visibility import Unit
from values.tax_ids import TaxId, TaxIdProblem, TaxIdTrouble, normalize_tax_id

NOWHERE = Address()


@dataclass(frozen=True, slots=True)
class Batch:
    """What holds for all drafts of one call. `source` is the numbering of external ids, empty for people's entries."""

    unit: Unit
    now: datetime
    user_id: str
    source: str = ""
    lenient: bool = False  # a flawed tax id is kept as a further fact instead of refused
    allow_duplicate: bool = False
    dry_run: bool = False  # what would become of the drafts is only told
    rules: Rules = NO_RULES  # of the cards drafted, not of organizations that a person's row mentions


class Origin(NamedTuple):
    """Where a draft stands: run, file, sheet and row of an import."""

    run_id: str = ""
    file: str = ""
    sheet: str = ""
    row: int = 0


@dataclass(slots=True)
class Draft:
    """A card to be joined to the base; `fingerprint`: a digest of all that was said, empty where it does not count."""

    card: AnyCard
    external_id: str = ""
    origin: Origin = Origin()
    fingerprint: str = ""
    keys: list[keys.Key] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def draft_person(person: pb.Person, batch: Batch) -> PersonCard:
    """The card a request's person describes; affiliations are not read here. Errors: FieldInvalid."""
    given = read_text("person.given_name", person.given_name, NAME)
    middle = read_text("person.middle_name", person.middle_name, NAME)
    family = read_text("person.family_name", person.family_name, NAME)
    display = read_text("person.display_name", person.display_name, NAME)
    display = display or read_text("person.display_name", " ".join(filter(None, (given, middle, family))), NAME)
    if not display:
        raise invalid("person.display_name", "is empty; a person needs a name", "MISSING")
    attributes = read_attributes("person.attributes", person.attributes)
    attributes = batch.rules.read("person.attributes", attributes) if batch.rules else attributes
    tax_id, country = read_tax_id("person.tax_id", person.tax_id, attributes, batch)
    return PersonCard(
        id=new_id(),
        display_name=display,
        given_name=given,
        middle_name=middle,
        family_name=family,
        birth_date=_read_birth(person, batch),
        individual_customer=person.individual_customer,
        channels=read_channels(person.channels, batch.unit, "person.channels") if person.channels else [],
        address=read_address(person.address, "person.address") if person.HasField("address") else NOWHERE,
        tax_id=tax_id,
        tax_country=country,
        owner_id=read_id("person.owner_id", person.owner_id),
        attributes=attributes,
        tags=read_tags("person.tags", person.tags) if person.tags else [],
        **_made_by(batch),
    )


def draft_organization(message: pb.Organization, batch: Batch) -> OrganizationCard:
    """The card a request's organization describes. Errors: FieldInvalid."""
    display = read_text("organization.display_name", message.display_name, NAME)
    if not display:
        raise invalid("organization.display_name", "is empty; an organization needs a name", "MISSING")
    attributes = read_attributes("organization.attributes", message.attributes)
    attributes = batch.rules.read("organization.attributes", attributes) if batch.rules else attributes
    tax_id, country = read_tax_id("organization.tax_id", message.tax_id, attributes, batch)
    return OrganizationCard(
        id=new_id(),
        display_name=display,
        industry=read_text("organization.industry", message.industry, ROLE),
        parent_id=read_id("organization.parent_id", message.parent_id),
        channels=read_channels(message.channels, batch.unit, "organization.channels") if message.channels else [],
        address=read_address(message.address, "organization.address") if message.HasField("address") else NOWHERE,
        tax_id=tax_id,
        tax_country=country,
        owner_id=read_id("organization.owner_id", message.owner_id),
        attributes=attributes,
        tags=read_tags("organization.tags", message.tags) if message.tags else [],
        **_made_by(batch),
    )


def name_organization(name: str, tax_id: str, batch: Batch) -> OrganizationCard:
    """The card of an organization of which a row only says name and tax id. Errors: FieldInvalid."""
    attributes: dict[str, str] = {}
    value, country = read_tax_id("organization_tax_id", tax_id, attributes, batch)
    return OrganizationCard(
        id=new_id(),
        display_name=read_text("organization_name", name, NAME),
        tax_id=value,
        tax_country=country,
        attributes=attributes,
        **_made_by(batch),
    )


def read_affiliation(message: pb.Affiliation, field: str) -> Affiliation:
    """A membership as asked for; the name of its organization is not taken over. Errors: FieldInvalid."""
    start = from_date(message.start_date, f"{field}.start_date")
    end = from_date(message.end_date, f"{field}.end_date")
    if start and end and end < start:
        raise invalid(f"{field}.end_date", f"{end} is before the first day {start}", "BEFORE_START")
    role = read_text(f"{field}.role", message.role, ROLE)
    return Affiliation(read_id(f"{field}.id", message.id) or new_id(), message.organization_id, "", role, start, end)


def read_tax_id(field: str, text: str, attributes: dict[str, str], batch: Batch) -> tuple[str, str]:
    """The tax id in normal form and the country that issued it; both empty where there is none.

    Of an import a flawed one is no identity and is kept as written among the further facts. Errors: FieldInvalid.
    """
    text = read_text(field, text, TAX_ID)
    if not text:
        return "", ""
    found = normalize_tax_id(text, batch.unit.country_code or None)
    if isinstance(found, TaxId):
        return found.value, found.country or ""
    if found.reason is not TaxIdTrouble.EMPTY:
        _keep_flawed(field, text, found, attributes, batch)
    return "", ""


def _keep_flawed(field: str, text: str, found: TaxIdProblem, attributes: dict[str, str], batch: Batch) -> None:
    if not batch.lenient:
        raise invalid(field, f"{text!r}: {found.reason.value}", "NOT_A_TAX_ID")
    attributes.setdefault("tax_id", text)


def read_address(message: pb.Address, field: str) -> Address:
    """A postal address. Errors: FieldInvalid."""
    return Address(
        read_text(field, message.street, TEXT),
        read_text(field, message.city, TEXT),
        read_text(field, message.region, TEXT),
        read_text(field, message.postal_code, TEXT),
        read_text(field, message.country, TEXT),
    )


def _read_birth(person: pb.Person, batch: Batch) -> date | None:
    if not person.HasField("birth_date"):
        return None
    birth = from_date(person.birth_date, "person.birth_date")
    if birth and birth > batch.now.date():
        raise invalid("person.birth_date", f"{birth} is in the future", "IN_FUTURE")
    return birth


def _made_by(batch: Batch) -> dict[str, Any]:
    return {
        "unit_id": batch.unit.id,
        "unit_path": batch.unit.path,
        "unit_ids": [batch.unit.id],
        "creator_id": batch.user_id,
        "create_time": batch.now,
        "update_time": batch.now,
    }
