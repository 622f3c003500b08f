"""How persons are made, changed and read."""

from __future__ import annotations

from typing import Any

from chassis.access import ASSIGN, CREATE
from chassis.database import UnitOfWork
from contacts import lists
from contacts.cards import PersonCard
from contacts.changing import check_etag, copy_card, read_for_change, store_changes
from contacts.customer_fields.changing import change_attributes
from contacts.customer_fields.knowing import PERSON, rules_for
from contacts.deciding import CREATED
from contacts.drafts import Batch, Draft, draft_person
from contacts.duplicates import tell_pairs
from contacts.errors import PersonNotFound
from contacts.joining import identities, join_draft
from contacts.known_elsewhere import require_no_hidden
from contacts.memberships import read_memberships
from contacts.messages import person_message
from contacts.tables import person
from contacts.tags import read_tags, spell_tags
from contacts.visibility import acting_unit, owner_by_default, reading_unit, require_action
from crm.contacts.v1 import contacts_pb2 as pb


def create_person(work: UnitOfWork, request: pb.CreatePersonRequest) -> pb.CreatePersonResponse:
    """Make a card, or let the card that already is this person take up the new facts.

    Errors: FieldInvalid, OrganizationNotFound, UnitNotKnown, NotPermitted, KnownElsewhere.
    """
    unit = acting_unit(work, request.person.unit_id, CREATE)
    rules = rules_for(work, PERSON, unit.path)
    batch = Batch(unit, work.now, work.access.user_id, allow_duplicate=request.allow_duplicate, rules=rules)
    card = draft_person(request.person, batch)
    card.owner_id = card.owner_id or owner_by_default(work)
    card.affiliations = read_memberships(work, request.person.affiliations, batch)
    joined = join_draft(work, Draft(card, keys=identities(card)), batch)
    require_no_hidden(work, joined, unit.id)
    assert isinstance(joined.card, PersonCard)
    if joined.fate == CREATED:
        rules.require_filled("person.attributes", joined.card.attributes)
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
    if "owner_id" in request.update_mask.paths:
        require_action(work, person, person_id, ASSIGN)
    said = request.person.tags if "tags" in request.update_mask.paths else ()
    tags = spell_tags(work, read_tags("person.tags", said))
    card = read_for_change(work, person, person_id, PersonNotFound(person_id))
    assert isinstance(card, PersonCard)
    check_etag(work, card, request.etag)
    before = copy_card(card)
    batch = Batch(reading_unit(work, card.unit_id), work.now, work.access.user_id)
    _apply(work, card, request, batch)
    if "tags" in request.update_mask.paths:
        card.tags = tags
    if "attributes" in request.update_mask.paths:
        change_attributes(work, PERSON, before, card)
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
            "owner_id", "address", "attributes", "tags", "individual_customer",
        )
    },
    "tax_id": ("tax_id", "tax_country"),
}  # fmt: skip


def get_person(work: UnitOfWork, request: pb.GetPersonRequest) -> pb.GetPersonResponse:
    """Read one person, by the id of a merged card the survivor. Errors: PersonNotFound."""
    card = lists.read_current(work, person, request.person_id, PersonNotFound(request.person_id))
    merged_id = request.person_id if request.person_id != card.id else ""
    return pb.GetPersonResponse(person=_message(card), merged_id=merged_id)


def batch_get_persons(work: UnitOfWork, request: pb.BatchGetPersonsRequest) -> pb.BatchGetPersonsResponse:
    """Read up to 500 persons, those visible. Errors: FieldInvalid."""
    cards, survivors = lists.read_many(work, person, "person_ids", request.person_ids)
    return pb.BatchGetPersonsResponse(persons=[_message(card) for card in cards], survivors=survivors)


def list_persons(work: UnitOfWork, request: pb.ListPersonsRequest) -> pb.ListPersonsResponse:
    """The page of visible persons by name. Errors: PageTokenInvalid, FieldInvalid, UnitNotKnown."""
    more: dict[str, Any] = lists.only_these("person_ids", request.person_ids)
    if request.individual_only:
        more["individual"] = True
    if request.organization_id:
        lists.check_id("organization_id", request.organization_id)
        more["employer"] = request.organization_id
    cards, token = lists.read_page(work, person, request, lists.question_of("persons", request), more)
    return pb.ListPersonsResponse(persons=[_message(card) for card in cards], next_page_token=token)


def _message(card: Any) -> pb.Person:
    assert isinstance(card, PersonCard)
    return person_message(card)
