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
from contacts.deciding import REFUSED, Joined
from contacts.drafts import Batch, Draft, Origin, draft_organization, draft_person
from contacts.errors import invalid
from contacts.fields import EXTERNAL_ID, ROLE, TEXT, read_text, words_of
from contacts.hierarchy import lines_above, stands_below
from contacts.joining import identities, join_drafts
from contacts.keys import digest_of
from contacts.mentions import Mention, NoCard, find_organizations
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


def import_persons(work: UnitOfWork, request: pb.ImportPersonsRequest) -> pb.ImportPersonsResponse:
    """Join a batch of persons with their organizations. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    batch = read_batch(work, request)
    mentions = [_mention(row) for row in request.rows]
    run_id = next((row.provenance.run_id for row in request.rows), "")
    organizations = find_organizations(work, [one for one in mentions if one != NOBODY], batch, run_id)
    read = [
        _read(_draft_person, row, request, batch, organizations.get(mention))
        for row, mention in zip(request.rows, mentions, strict=True)
    ]
    joined = join_read(work, read, batch)
    fates = [
        _fate(one, request.dry_run, organizations.get(mention)) for one, mention in zip(joined, mentions, strict=True)
    ]
    return pb.ImportPersonsResponse(fates=fates)


def import_organizations(work: UnitOfWork, request: pb.ImportOrganizationsRequest) -> pb.ImportOrganizationsResponse:
    """Join a batch of organizations. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    batch = read_batch(work, request)
    parents = find_organizations(
        work, [Mention(row.parent_name.strip()) for row in request.rows if row.parent_name.strip()], batch
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
        at: (draft.card.parent_id, [key.digest for key in draft.keys])
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


def read_batch(work: UnitOfWork, request: Any) -> Batch:
    """What holds for all rows of a call. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    if len(request.rows) > MOST_ROWS:
        raise invalid("rows", f"has {len(request.rows)} rows; send at most {MOST_ROWS} at a time", "TOO_MANY")
    source = read_text("source", request.source, EXTERNAL_ID)
    unit = acting_unit(work, request.unit_id, IMPORT)
    return Batch(unit, work.now, work.access.user_id, source, lenient=True, dry_run=request.dry_run)


def join_read(work: UnitOfWork, read: Sequence[Draft | Joined], batch: Batch) -> list[Joined]:
    """Join the rows that could be read; those refused before keep their place."""
    joined = iter(join_drafts(work, [one for one in read if isinstance(one, Draft)], batch))
    return [next(joined) if isinstance(one, Draft) else one for one in read]


def origin_of(row: Any, request: Any, batch: Batch) -> Origin:
    """Where a row stands; a call outside any run is a run of its own."""
    place = row.provenance
    run_id = place.run_id or request.request_id or batch.now.isoformat()
    return _read_place(run_id, place.file, place.sheet)._replace(row=place.row)


@lru_cache(maxsize=64)  # the rows of a batch stand in one sheet
def _read_place(*place: str) -> Origin:
    run_id, file, sheet = (read_text("provenance", text, TEXT) for text in place)
    return Origin(run_id, file, sheet)


def _read(draft: Callable[..., Draft], *row: Any) -> Draft | Joined:
    try:
        return draft(*row)
    except FieldInvalid as trouble:
        reason, message = words_of(trouble)
        return Joined(REFUSED, reason=reason, message=message)


def _mention(row: pb.PersonRow) -> Mention:
    return Mention(row.organization_name.strip(), row.organization_tax_id.strip(), row.organization_external_id.strip())


def _draft_person(
    row: pb.PersonRow, request: pb.ImportPersonsRequest, batch: Batch, organization: OrganizationCard | NoCard | None
) -> Draft:
    if isinstance(organization, NoCard):
        raise invalid("organization", organization.message, organization.reason)
    card = draft_person(row.person, batch)
    if organization is not None:
        role = read_text("role", row.role, ROLE)
        card.affiliations = [Affiliation(new_id(), organization.id, organization.display_name, role)]
    return _finish(card, row, row.person, request, batch, row.role, *_mention_texts(row))


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
    made = dry_run and joined.card is not None and joined.card.version == 0
    return pb.RowFate(
        fate=FATES[joined.fate],
        record_id=joined.card.id if joined.card and not made else "",
        reason=joined.reason,
        message=joined.message,
        organization_id=organization.id if isinstance(organization, OrganizationCard) and not dry_run else "",
        changed_fields=joined.changed,
    )
