"""What a customer's card is in memory; knows neither the wire nor the tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from values.names import person_key
from values.organization_names import organization_key

PHONE, EMAIL, MESSENGER, WEBSITE, POSTAL = "phone", "email", "messenger", "website", "address"


class Channel(NamedTuple):
    """One way to reach a customer. `value` is empty where `problem` says why there is no normal form."""

    kind: str
    value: str
    raw: str
    extension: str = ""
    label: str = ""
    verified: bool = False
    problem: str = ""

    @property
    def identity(self) -> tuple[str, str, str]:
        """Equal for two spellings of one channel."""
        return self.kind, (self.value or self.raw).casefold(), self.extension


class Affiliation(NamedTuple):
    """A membership; the day `end_date` is the first one no longer a member."""

    id: str
    organization_id: str
    organization_name: str
    role: str = ""
    start_date: date | None = None
    end_date: date | None = None


class Address(NamedTuple):
    """A postal address in parts, each empty where unknown."""

    street: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""


class Contribution(NamedTuple):
    """That a source said something of a card: under which number, in which run, and a digest of what it said."""

    source: str
    external_id: str
    run_id: str
    fingerprint: str


@dataclass(slots=True, kw_only=True)
class Card:
    """What cards of persons and organizations share. `version` 0 is a card not stored yet."""

    id: str
    display_name: str
    unit_id: str
    unit_path: str = ""
    version: int = 0
    unit_ids: list[str] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    address: Address = Address()
    tax_id: str = ""
    tax_country: str = ""
    owner_id: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    creator_id: str = ""
    create_time: datetime | None = None
    update_time: datetime | None = None
    contributions: list[Contribution] = field(default_factory=list)
    run_id: str = ""  # the import run of the present change

    def values_of(self, kind: str) -> list[str]:
        """Normal forms of the channels of one kind, telephones with ";ext=" where there is an extension."""
        return [
            f"{one.value};ext={one.extension}" if one.extension else one.value
            for one in self.channels
            if one.kind == kind and one.value
        ]


@dataclass(slots=True, kw_only=True)
class PersonCard(Card):
    """The card of a person."""

    given_name: str = ""
    middle_name: str = ""
    family_name: str = ""
    birth_date: date | None = None
    individual_customer: bool = False
    affiliations: list[Affiliation] = field(default_factory=list)

    @property
    def name_key(self) -> str:
        """Equal for two spellings of one name, in any order of its parts."""
        return person_key(self.given_name, self.middle_name, self.family_name, self.display_name)


@dataclass(slots=True, kw_only=True)
class OrganizationCard(Card):
    """The card of an organization."""

    industry: str = ""
    parent_id: str = ""
    parent_name: str = ""  # as a row wrote it; resolved to parent_id before the card is stored

    @property
    def name_key(self) -> str:
        """Equal for two spellings of one name, legal form included."""
        return organization_key(self.display_name)


AnyCard = PersonCard | OrganizationCard


def changed_fields(before: AnyCard, card: AnyCard) -> list[str]:
    """What differs between two states of one card."""
    return [name for name in _FIELDS if getattr(before, name, None) != getattr(card, name, None)]


_FIELDS = (
    "display_name", "given_name", "middle_name", "family_name", "birth_date", "individual_customer", "affiliations",
    "channels", "address", "tax_id", "tax_country", "owner_id", "attributes", "tags", "industry", "parent_id",
    "unit_ids",
)  # fmt: skip
