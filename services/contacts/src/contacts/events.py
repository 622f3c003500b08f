"""Cards and interactions as the events that tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.dates import to_time
from contacts.cards import EMAIL, PHONE, AnyCard, OrganizationCard, PersonCard
from crm.contacts.events.v1 import contacts_events_pb2 as pb

NO_VALUES: Mapping[str, str] = MappingProxyType({})


def card_event(card: AnyCard, changed: list[str] | None = None, values: Mapping[str, str] = NO_VALUES) -> Any:
    """The event of a card made, or changed in the fields named; `values` are those of the company's own fields."""
    event: Any
    if isinstance(card, PersonCard):
        event = pb.PersonCreated() if changed is None else pb.PersonUpdated()
        tell_person(event.person, card)
        event.person.personal.fields.update(values)
    else:
        event = pb.OrganizationCreated() if changed is None else pb.OrganizationUpdated()
        event.organization.MergeFrom(organization_state(card))
        event.organization.fields.update(values)
    if changed is not None:
        event.changed.paths.extend(sorted({name.partition(".")[0] for name in changed}))
    return event


def merged_event(
    card: AnyCard, survivor_id: str, merge_id: str, values: Mapping[str, str] = NO_VALUES, *, undone: bool = False
) -> Any:
    """The event of a card that became part of another one, or is there again."""
    event: Any
    if isinstance(card, PersonCard):
        event = pb.PersonUnmerged() if undone else pb.PersonMerged()
        tell_person(event.person, card)
        event.person.personal.fields.update(values)
    else:
        event = pb.OrganizationUnmerged() if undone else pb.OrganizationMerged()
        event.organization.MergeFrom(organization_state(card))
        event.organization.fields.update(values)
    event.survivor_id, event.merge_id = survivor_id, merge_id
    return event


def removed_event(card: AnyCard, values: Mapping[str, str] = NO_VALUES) -> Any:
    """The event of a card that is no more, since the import that made it was undone."""
    event: Any
    if isinstance(card, PersonCard):
        event = pb.PersonRemoved()
        tell_person(event.person, card)
        event.person.personal.fields.update(values)
    else:
        event = pb.OrganizationRemoved(organization=organization_state(card))
        event.organization.fields.update(values)
    return event


def tell_person(state: pb.PersonState, card: PersonCard) -> None:
    """Fill in a person's card as others learn of it; field by field takes half as long as a message made whole."""
    state.id = card.id
    state.unit_ids.extend(card.unit_ids)
    if card.owner_id:
        state.owner_id = card.owner_id
    state.organization_ids.extend([one.organization_id for one in card.affiliations if one.end_date is None])
    if card.individual_customer:
        state.individual_customer = True
    if card.create_time is not None:
        state.create_time.CopyFrom(_stamp_of(card.create_time))
    state.unit_id = card.unit_id
    state.creator_id = card.creator_id
    state.run_id = card.run_id
    personal = state.personal
    personal.display_name = card.display_name
    if card.birth_date:
        personal.birth_date = card.birth_date.isoformat()
    if card.channels:
        personal.phones.extend(card.values_of(PHONE))
        personal.emails.extend(card.values_of(EMAIL))
    personal.tax_id = card.tax_id
    personal.city = card.address.city
    if card.tags:
        personal.tags.extend(card.tags)


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
        tags=card.tags,
    )


def interaction_logged(row: Any) -> pb.InteractionLogged:
    """An interaction row as others learn of it."""
    return pb.InteractionLogged(interaction=_interaction_state(row))


def interaction_moved(row: Any) -> pb.InteractionMoved:
    """An interaction row that belongs to other cards than before."""
    return pb.InteractionMoved(interaction=_interaction_state(row))


def _interaction_state(row: Any) -> pb.InteractionState:
    return pb.InteractionState(
        id=row["id"],
        kind=row["kind"],
        occur_time=timestamp_of(row["occur_time"]),
        author_id=row["author_id"],
        unit_id=row["unit_id"],
        person_id=row["person_id"] or "",
        organization_id=row["organization_id"] or "",
        outcome=row["outcome"],
        personal=pb.InteractionPersonal(summary=row["summary"]),
        create_time=timestamp_of(row["create_time"]),
        run_id=row["origin"].run_id if "origin" in row else "",
    )


def timestamp_of(moment: datetime | None) -> Timestamp | None:
    """A moment on the wire; None stays None, which leaves a message field unset."""
    return None if moment is None else _stamp_of(moment)


@lru_cache(maxsize=64)  # the cards of a batch are made in one moment
def _stamp_of(moment: datetime) -> Timestamp:
    stamp = to_time(moment)
    assert stamp is not None
    return stamp
