"""How rows of files become cards: each row gets one fate, and the sum of fates is the number of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from chassis.access import IMPORT
from chassis.database import UnitOfWork
from chassis.errors import FieldInvalid
from chassis.ids import new_id
from contacts.cards import Affiliation, OrganizationCard, PersonCard
from contacts.claiming import find_holders
from contacts.customer_fields.knowing import ORGANIZATION, PERSON, rules_for
from contacts.deciding import REFUSED, Joined
from contacts.drafts import Batch, Draft, Origin, draft_organization, draft_person
from contacts.errors import invalid
from contacts.fields import EXTERNAL_ID, ROLE, TEXT, read_text, words_of
from contacts.hierarchy import lines_above, stands_below
from contacts.joining import identities, join_drafts
from contacts.keys import add_organization_keys, digest_of
from contacts.mentions import Mention, NoCard, find_organizations
from contacts.turns import await_turn, begin_turn
from contacts.visibility import acting_unit
from crm.contacts.v1 import contacts_pb2 as pb

MOST_ROWS = 1_000
FATES = {
    "created": pb.FATE_CREATED,
    "updated": pb.FATE_UPDATED,
    "unchanged": pb.FATE_UNCHANGED,
    "merged": pb.FATE_MERGED,
    "refused": pb.FATE_REFUSED,
}
NOBODY = Mention()


def import_persons(work: UnitOfWork, request: pb.ImportPersonsRequest, after: str = "") -> pb.ImportPersonsResponse:
    """Join a batch of persons with their organizations, once the request `after` has been done.

    Errors: FieldInvalid, UnitNotKnown, NotPermitted.
    """
    begin_turn(work, request.request_id)
    batch = read_batch(work, request, PERSON)
    mentions = [_mention(row) for row in request.rows]
    drafts = [
        _read(_draft_person, row, mention, request, batch) for row, mention in zip(request.rows, mentions, strict=True)
    ]
    # From here on the base is asked: until then a batch is prepared while the one before it is still being written.
    await_turn(work, pb.ImportPersonsRequest, after)
    run_id = next((row.provenance.run_id for row in request.rows), "")
    organizations = find_organizations(work, [one for one in mentions if one != NOBODY], batch, run_id)
    read = [
        _belonging(draft, row.role.strip(), organizations.get(mention))
        for draft, row, mention in zip(drafts, request.rows, mentions, strict=True)
    ]
    joined = join_read(work, read, batch)
    fates = [
        _fate(one, request.dry_run, organizations.get(mention)) for one, mention in zip(joined, mentions, strict=True)
    ]
    return pb.ImportPersonsResponse(fates=fates)


def import_organizations(work: UnitOfWork, request: pb.ImportOrganizationsRequest) -> pb.ImportOrganizationsResponse:
    """Join a batch of organizations. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    batch = read_batch(work, request, ORGANIZATION)
    run_id = next((row.provenance.run_id for row in request.rows), "")
    parents = find_organizations(
        work, [Mention(row.parent_name.strip()) for row in request.rows if row.parent_name.strip()], batch, run_id
    )
    read = [
        _read(_draft_organization, row, request, batch, parents.get(Mention(row.parent_name.strip())))
        for row in request.rows
    ]
    refuse_rings(work, read)
    joined = join_read(work, read, batch)
    return pb.ImportOrganizationsResponse(fates=[_fate(one, request.dry_run) for one in joined])


def refuse_rings(work: UnitOfWork, read: list[Draft | Joined]) -> None:
    """Put a refusal in the place of organizations that would come to stand above themselves."""
    below = {
        at: (draft.card.parent_id, [digest for _, digest in draft.keys])
        for at, draft in enumerate(read)
        if isinstance(draft, Draft) and isinstance(draft.card, OrganizationCard) and draft.card.parent_id
    }
    if not below:
        return
    holders = find_holders(work, [digest for _, digests in below.values() for digest in digests])
    above = lines_above(work, [parent_id for parent_id, _ in below.values()])
    for at, (parent_id, digests) in below.items():
        own_id = next((holders[digest] for digest in digests if digest in holders), "")
        if own_id and stands_below(above, parent_id, own_id):
            trouble = "The organization above would stand below this one already."
            read[at] = Joined(REFUSED, reason="parent_below", message=trouble)
        elif own_id:
            above[own_id] = parent_id


def read_batch(work: UnitOfWork, request: Any, record_type: str = "") -> Batch:
    """What holds for all rows of a call. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    if len(request.rows) > MOST_ROWS:
        raise invalid("rows", f"has {len(request.rows)} rows; send at most {MOST_ROWS} at a time", "TOO_MANY")
    source = read_text("source", request.source, EXTERNAL_ID)
    unit = acting_unit(work, request.unit_id, IMPORT)
    rules = rules_for(work, record_type, unit.path)
    return Batch(unit, work.now, work.access.user_id, source, lenient=True, dry_run=request.dry_run, rules=rules)


def join_read(work: UnitOfWork, read: Sequence[Draft | Joined], batch: Batch) -> list[Joined]:
    """Join the rows that could be read; those refused before keep their place."""
    joined = iter(join_drafts(work, [one for one in read if isinstance(one, Draft)], batch))
    return [next(joined) if isinstance(one, Draft) else one for one in read]


def origin_of(row: Any, request: Any, batch: Batch) -> Origin:
    """Where a row stands; a call outside any run is a run of its own."""
    place = row.provenance
    run_id = place.run_id or request.request_id or batch.now.isoformat()
    return Origin(*_read_place(run_id, place.file, place.sheet), place.row)


@lru_cache(maxsize=64)  # the rows of a batch stand in one sheet
def _read_place(*place: str) -> tuple[str, str, str]:
    run_id, file, sheet = (read_text("provenance", text, TEXT) for text in place)
    return run_id, file, sheet


def _read(draft: Callable[..., Draft], *row: Any) -> Draft | Joined:
    try:
        return draft(*row)
    except FieldInvalid as trouble:
        reason, message = words_of(trouble)
        return Joined(REFUSED, reason=reason, message=message)


def _mention(row: pb.PersonRow) -> Mention:
    return Mention(row.organization_name.strip(), row.organization_tax_id.strip(), row.organization_external_id.strip())


def _draft_person(row: pb.PersonRow, mention: Mention, request: pb.ImportPersonsRequest, batch: Batch) -> Draft:
    """What the row says of the person alone."""
    if mention != NOBODY:
        read_text("role", row.role, ROLE)
    card = draft_person(row.person, batch)
    return _finish(card, row, row.person, request, batch, row.role, *_mention_texts(row))


def _belonging(draft: Draft | Joined, role: str, organization: OrganizationCard | NoCard | None) -> Draft | Joined:
    """The draft as a member of its organization; without one where the row names none that can be had."""
    if isinstance(organization, NoCard):
        reason, message = words_of(invalid("organization", organization.message, organization.reason))
        return Joined(REFUSED, reason=reason, message=message)
    if organization is None or not isinstance(draft, Draft) or not isinstance(draft.card, PersonCard):
        return draft
    draft.card.affiliations = [Affiliation(new_id(), organization.id, organization.display_name, role)]
    draft.keys = add_organization_keys(draft.keys, draft.card)
    return draft


def _mention_texts(row: pb.PersonRow) -> tuple[str, str, str]:
    return row.organization_name, row.organization_tax_id, row.organization_external_id


def _draft_organization(
    row: pb.OrganizationRow,
    request: pb.ImportOrganizationsRequest,
    batch: Batch,
    parent: OrganizationCard | NoCard | None,
) -> Draft:
    if isinstance(parent, NoCard):
        raise invalid("parent_name", parent.message, parent.reason)
    card = draft_organization(row.organization, batch)
    card.parent_id = parent.id if parent else card.parent_id
    return _finish(card, row, row.organization, request, batch, row.parent_name)


def _finish(
    card: PersonCard | OrganizationCard, row: Any, message: Any, request: Any, batch: Batch, *more: str
) -> Draft:
    number = read_text("external_id", row.external_id, EXTERNAL_ID)
    said = message.SerializeToString(deterministic=True).hex()
    return Draft(
        card,
        number,
        origin_of(row, request, batch),
        fingerprint=digest_of(batch.unit.id, batch.source, number, said, *more),
        keys=identities(card, batch.source, number),
        notes=["The tax id is kept as written: it is not a valid one."] if "tax_id" in card.attributes else [],
    )


def _fate(joined: Joined, dry_run: bool, organization: OrganizationCard | NoCard | None = None) -> pb.RowFate:
    fate = pb.RowFate(fate=FATES[joined.fate])
    made = dry_run and joined.card is not None and joined.card.version == 0
    if joined.card and not made:
        fate.record_id = joined.card.id
    if isinstance(organization, OrganizationCard) and not dry_run:
        fate.organization_id = organization.id
    if joined.reason or joined.message or joined.changed:  # seldom of new rows
        fate.reason, fate.message = joined.reason, joined.message
        fate.changed_fields.extend(joined.changed)
    return fate
