"""How organizations are made, changed and read."""

from __future__ import annotations

from typing import Any

from chassis.access import ASSIGN, CREATE
from chassis.database import UnitOfWork
from contacts import lists
from contacts.cards import OrganizationCard
from contacts.changing import check_etag, copy_card, read_for_change, store_changes
from contacts.customer_fields.changing import change_attributes
from contacts.customer_fields.knowing import ORGANIZATION, rules_for
from contacts.deciding import CREATED
from contacts.drafts import Batch, Draft, draft_organization
from contacts.duplicates import tell_pairs
from contacts.errors import OrganizationNotFound, invalid
from contacts.hierarchy import lines_above, stands_below
from contacts.joining import identities, join_draft
from contacts.known_elsewhere import require_no_hidden
from contacts.messages import organization_message
from contacts.tables import organization
from contacts.tags import read_tags, spell_tags
from contacts.visibility import acting_unit, owner_by_default, reading_unit, require_action
from crm.contacts.v1 import contacts_pb2 as pb

FIELDS: dict[str, tuple[str, ...]] = {
    **{
        name: (name,)
        for name in ("display_name", "channels", "address", "industry", "owner_id", "parent_id", "attributes", "tags")
    },
    "tax_id": ("tax_id", "tax_country"),
}


def create_organization(work: UnitOfWork, request: pb.CreateOrganizationRequest) -> pb.CreateOrganizationResponse:
    """Make a card, or let the card that already is this organization take up the new facts.

    Errors: FieldInvalid, OrganizationNotFound (parent), UnitNotKnown, NotPermitted, KnownElsewhere.
    """
    unit = acting_unit(work, request.organization.unit_id, CREATE)
    rules = rules_for(work, ORGANIZATION, unit.path)
    batch = Batch(unit, work.now, work.access.user_id, allow_duplicate=request.allow_duplicate, rules=rules)
    card = draft_organization(request.organization, batch)
    card.owner_id = card.owner_id or owner_by_default(work)
    if card.parent_id:
        lists.read_one(work, organization, card.parent_id, OrganizationNotFound(card.parent_id))
    joined = join_draft(work, Draft(card, keys=identities(card)), batch)
    require_no_hidden(work, joined, unit.id)
    assert isinstance(joined.card, OrganizationCard)
    if joined.fate == CREATED:
        rules.require_filled("organization.attributes", joined.card.attributes)
    return pb.CreateOrganizationResponse(
        organization=organization_message(joined.card),
        existed=joined.fate != CREATED,
        possible_duplicates=tell_pairs(work, joined.card, joined.pairs),
    )


def update_organization(work: UnitOfWork, request: pb.UpdateOrganizationRequest) -> pb.UpdateOrganizationResponse:
    """Change the named fields. Errors: OrganizationNotFound, StaleEtag, FieldInvalid, MatchKeyTaken, NotPermitted."""
    missing = OrganizationNotFound(request.organization.id)
    lists.read_one(work, organization, request.organization.id, missing)
    require_action(work, organization, request.organization.id)
    if "owner_id" in request.update_mask.paths:
        require_action(work, organization, request.organization.id, ASSIGN)
    said = request.organization.tags if "tags" in request.update_mask.paths else ()
    tags = spell_tags(work, read_tags("organization.tags", said))
    card = read_for_change(work, organization, request.organization.id, missing)
    assert isinstance(card, OrganizationCard)
    check_etag(work, card, request.etag)
    before = copy_card(card)
    batch = Batch(reading_unit(work, card.unit_id), work.now, work.access.user_id)
    _apply(card, request, batch)
    if card.parent_id and "parent_id" in request.update_mask.paths:
        _check_parent(work, card)
    if "tags" in request.update_mask.paths:
        card.tags = tags
    if "attributes" in request.update_mask.paths:
        change_attributes(work, ORGANIZATION, before, card)
    store_changes(work, before, card)
    return pb.UpdateOrganizationResponse(organization=organization_message(card))


def _apply(card: OrganizationCard, request: pb.UpdateOrganizationRequest, batch: Batch) -> None:
    paths = lists.read_mask(request.update_mask, FIELDS)
    message = pb.Organization()
    message.CopyFrom(request.organization)
    if "display_name" not in paths:
        message.display_name = card.display_name
    draft = draft_organization(message, batch)
    for path in paths:
        for name in FIELDS[path]:
            setattr(card, name, getattr(draft, name))


def _check_parent(work: UnitOfWork, card: OrganizationCard) -> None:
    """Errors: OrganizationNotFound; FieldInvalid where the organization would stand above itself."""
    lists.read_one(work, organization, card.parent_id, OrganizationNotFound(card.parent_id))
    if stands_below(lines_above(work, [card.parent_id]), card.parent_id, card.id):
        raise invalid("organization.parent_id", "stands below this organization already", "CYCLE")


def get_organization(work: UnitOfWork, request: pb.GetOrganizationRequest) -> pb.GetOrganizationResponse:
    """Read one organization, by the id of a merged card the survivor. Errors: OrganizationNotFound."""
    asked = request.organization_id
    card = lists.read_current(work, organization, asked, OrganizationNotFound(asked))
    return pb.GetOrganizationResponse(organization=_message(card), merged_id=asked if asked != card.id else "")


def batch_get_organizations(
    work: UnitOfWork, request: pb.BatchGetOrganizationsRequest
) -> pb.BatchGetOrganizationsResponse:
    """Read up to 500 organizations, those visible. Errors: FieldInvalid."""
    cards, survivors = lists.read_many(work, organization, "organization_ids", request.organization_ids)
    return pb.BatchGetOrganizationsResponse(organizations=[_message(card) for card in cards], survivors=survivors)


def list_organizations(work: UnitOfWork, request: pb.ListOrganizationsRequest) -> pb.ListOrganizationsResponse:
    """The page of visible organizations by name. Errors: PageTokenInvalid, FieldInvalid, UnitNotKnown."""
    more: dict[str, Any] = lists.only_these("organization_ids", request.organization_ids)
    if request.parent_id:
        lists.check_id("parent_id", request.parent_id)
        more["parent"] = request.parent_id
    question = lists.question_of("organizations", request)
    cards, token = lists.read_page(work, organization, request, question, more)
    return pb.ListOrganizationsResponse(organizations=[_message(card) for card in cards], next_page_token=token)


def _message(card: Any) -> pb.Organization:
    assert isinstance(card, OrganizationCard)
    return organization_message(card)
