"""Cards and interactions as the events that tell of them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from contacts.cards import EMAIL, PHONE, AnyCard, OrganizationCard, PersonCard
from crm.contacts.events.v1 import contacts_events_pb2 as pb


def card_event(card: AnyCard, changed: list[str] | None = None) -> Any:
    """The event of a card made, or changed in the fields named."""
    mask = FieldMask(paths=sorted({name.partition(".")[0] for name in changed})) if changed is not None else None
    if isinstance(card, PersonCard):
        person = person_state(card)
        return pb.PersonCreated(person=person) if mask is None else pb.PersonUpdated(person=person, changed=mask)
    organization = organization_state(card)
    if mask is None:
        return pb.OrganizationCreated(organization=organization)
    return pb.OrganizationUpdated(organization=organization, changed=mask)


def person_state(card: PersonCard) -> pb.PersonState:
    """A person's card as others learn of it."""
    return pb.PersonState(
        id=card.id,
        unit_ids=card.unit_ids,
        owner_id=card.owner_id,
        organization_ids=[one.organization_id for one in card.affiliations if one.end_date is None],
        individual_customer=card.individual_customer,
        create_time=timestamp_of(card.create_time),
        unit_id=card.unit_id,
        creator_id=card.creator_id,
        run_id=card.run_id,
        personal=pb.PersonPersonal(
            display_name=card.display_name,
            birth_date=card.birth_date.isoformat() if card.birth_date else "",
            phones=card.values_of(PHONE),
            emails=card.values_of(EMAIL),
            tax_id=card.tax_id,
            city=card.address.city,
        ),
    )


def organization_state(card: OrganizationCard) -> pb.OrganizationState:
    """An organization's card as others learn of it."""
    return pb.OrganizationState(
        id=card.id,
        display_name=card.display_name,
        tax_id=card.tax_id,
        industry=card.industry,
        city=card.address.city,
        country=card.address.country,
        unit_ids=card.unit_ids,
        owner_id=card.owner_id,
        parent_id=card.parent_id,
        create_time=timestamp_of(card.create_time),
        unit_id=card.unit_id,
        creator_id=card.creator_id,
        run_id=card.run_id,
    )


def interaction_logged(row: Any) -> pb.InteractionLogged:
    """An interaction row as others learn of it."""
    return pb.InteractionLogged(
        interaction=pb.InteractionState(
            id=row["id"],
            kind=row["kind"],
            occur_time=timestamp_of(row["occur_time"]),
            author_id=row["author_id"],
            unit_id=row["unit_id"],
            person_id=row["person_id"] or "",
            organization_id=row["organization_id"] or "",
            outcome=row["outcome"],
            personal=pb.InteractionPersonal(summary=row["summary"]),
        )
    )


def timestamp_of(moment: datetime | None) -> Timestamp | None:
    """A moment on the wire; None stays None, which leaves a message field unset."""
    return None if moment is None else _stamp_of(moment)


@lru_cache(maxsize=64)  # the cards of a batch are made in one moment
def _stamp_of(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
