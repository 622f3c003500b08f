"""Cards as the messages of the contract."""

from __future__ import annotations

from chassis.dates import to_date
from contacts.cards import Affiliation, AnyCard, Channel, OrganizationCard, PersonCard
from contacts.events import timestamp_of
from contacts.reaching import NUMBERS
from crm.contacts.v1 import contacts_pb2 as pb


def person_message(card: PersonCard) -> pb.Person:
    """A person's card on the wire."""
    return pb.Person(
        id=card.id,
        etag=str(card.version),
        display_name=card.display_name,
        given_name=card.given_name,
        middle_name=card.middle_name,
        family_name=card.family_name,
        birth_date=to_date(card.birth_date),
        channels=[_channel(one) for one in card.channels],
        affiliations=[_affiliation(card.id, one) for one in sorted(card.affiliations, key=_lately)],
        tax_id=card.tax_id,
        owner_id=card.owner_id,
        unit_ids=card.unit_ids,
        address=_address(card),
        attributes=card.attributes,
        tags=card.tags,
        individual_customer=card.individual_customer,
        create_time=timestamp_of(card.create_time),
        update_time=timestamp_of(card.update_time),
        unit_id=card.unit_id,
    )


def organization_message(card: OrganizationCard) -> pb.Organization:
    """An organization's card on the wire."""
    return pb.Organization(
        id=card.id,
        etag=str(card.version),
        display_name=card.display_name,
        tax_id=card.tax_id,
        channels=[_channel(one) for one in card.channels],
        address=_address(card),
        industry=card.industry,
        owner_id=card.owner_id,
        unit_ids=card.unit_ids,
        parent_id=card.parent_id,
        attributes=card.attributes,
        tags=card.tags,
        create_time=timestamp_of(card.create_time),
        update_time=timestamp_of(card.update_time),
        unit_id=card.unit_id,
    )


def _channel(one: Channel) -> pb.Channel:
    return pb.Channel(
        kind=NUMBERS[one.kind],
        value=one.value,
        raw=one.raw,
        extension=one.extension,
        label=one.label,
        verified=one.verified,
        problem=one.problem,
    )


def _lately(one: Affiliation) -> tuple[bool, int, int, str]:
    """Current memberships first, then the latest."""
    end, start = (day.toordinal() if day else 0 for day in (one.end_date, one.start_date))
    return one.end_date is not None, -end, -start, one.id


def _affiliation(person_id: str, one: Affiliation) -> pb.Affiliation:
    return pb.Affiliation(
        id=one.id,
        person_id=person_id,
        organization_id=one.organization_id,
        organization_name=one.organization_name,
        role=one.role,
        start_date=to_date(one.start_date),
        end_date=to_date(one.end_date),
    )


def _address(card: AnyCard) -> pb.Address | None:
    return pb.Address(**card.address._asdict()) if any(card.address) else None
