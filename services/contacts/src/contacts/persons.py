"""How persons are made, changed and read."""

from __future__ import annotations

from typing import Any

from chassis.access import WRITE
from chassis.database import UnitOfWork
from contacts import lists
from contacts.cards import PersonCard
from contacts.changing import check_etag, copy_card, read_for_change, store_changes
from contacts.deciding import CREATED
from contacts.drafts import Batch, Draft, draft_person
from contacts.duplicates import tell_pairs
from contacts.errors import PersonNotFound
from contacts.joining import identities, join_draft
from contacts.memberships import read_memberships
from contacts.messages import person_message
from contacts.tables import person
from contacts.visibility import acting_unit, owner_by_default, reading_unit, require_action
from crm.contacts.v1 import contacts_pb2 as pb


def create_person(work: UnitOfWork, request: pb.CreatePersonRequest) -> pb.CreatePersonResponse:
    """Make a card, or let the card that already is this person take up the new facts.

    Errors: FieldInvalid, OrganizationNotFound, UnitNotKnown, NotPermitted.
    """
    unit = acting_unit(work, request.person.unit_id, WRITE)
    batch = Batch(unit, work.now, work.access.user_id, allow_duplicate=request.allow_duplicate)
    card = draft_person(request.person, batch)
    card.owner_id = card.owner_id or owner_by_default(work)
    card.affiliations = read_memberships(work, request.person.affiliations, batch)
    joined = join_draft(work, Draft(card, keys=identities(card)), batch)
    assert isinstance(joined.card, PersonCard)
    return pb.CreatePersonResponse(
        person=person_message(joined.card),
        existed=joined.fate != CREATED,
        possible_duplicates=tell_pairs(work, joined.card, joined.pairs),
    )


def update_person(work: UnitOfWork, request: pb.UpdatePersonRequest) -> pb.UpdatePersonResponse:
    """Change the named fields. Errors: PersonNotFound, StaleEtag, FieldInvalid, MatchKeyTaken, NotPermitted."""
    person_id = request.person.id
    lists.read_one(work, person, person_id, PersonNotFound(person_id))
    require_action(work, person, person_id)
    card = read_for_change(work, person, person_id, PersonNotFound(person_id))
    assert isinstance(card, PersonCard)
    check_etag(work, card, request.etag)
    before = copy_card(card)
    batch = Batch(reading_unit(work, card.unit_id), work.now, work.access.user_id)
    _apply(work, card, request, batch)
    store_changes(work, before, card)
    return pb.UpdatePersonResponse(person=person_message(card))


def _apply(work: UnitOfWork, card: PersonCard, request: pb.UpdatePersonRequest, batch: Batch) -> None:
    """Take the masked fields over from a draft of the whole message; the present name stands in where none is sent."""
    paths = lists.read_mask(request.update_mask, FIELDS)
    message = pb.Person()
    message.CopyFrom(request.person)
    if "display_name" not in paths:
        message.display_name = card.display_name
    draft = draft_person(message, batch)
    for path in paths:
        if path == "affiliations":
            card.affiliations = read_memberships(work, request.person.affiliations, batch, card.affiliations)
        else:
            for name in FIELDS[path]:
                setattr(card, name, getattr(draft, name))


FIELDS: dict[str, tuple[str, ...]] = {
    **{
        name: (name,)
        for name in (
            "display_name", "given_name", "middle_name", "family_name", "birth_date", "channels", "affiliations",
            "owner_id", "address", "attributes", "individual_customer",
        )
    },
    "tax_id": ("tax_id", "tax_country"),
}  # fmt: skip


def get_person(work: UnitOfWork, request: pb.GetPersonRequest) -> pb.GetPersonResponse:
    """Read one person. Errors: PersonNotFound."""
    card = lists.read_one(work, person, request.person_id, PersonNotFound(request.person_id))
    return pb.GetPersonResponse(person=_message(card))


def batch_get_persons(work: UnitOfWork, request: pb.BatchGetPersonsRequest) -> pb.BatchGetPersonsResponse:
    """Read up to 500 persons, those visible. Errors: FieldInvalid."""
    cards = lists.read_many(work, person, "person_ids", request.person_ids)
    return pb.BatchGetPersonsResponse(persons=[_message(card) for card in cards])


def list_persons(work: UnitOfWork, request: pb.ListPersonsRequest) -> pb.ListPersonsResponse:
    """The page of visible persons by name. Errors: PageTokenInvalid, FieldInvalid, UnitNotKnown."""
    more: dict[str, Any] = {"individual": True} if request.individual_only else {}
    if request.organization_id:
        lists.check_id("organization_id", request.organization_id)
        more["employer"] = request.organization_id
    cards, token = lists.read_page(work, person, request, lists.question_of("persons", request), more)
    return pb.ListPersonsResponse(persons=[_message(card) for card in cards], next_page_token=token)


def _message(card: Any) -> pb.Person:
    assert isinstance(card, PersonCard)
    return person_message(card)
