"""Giving chosen customers to users: each is decided by itself, all that may go go in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis.access import ASSIGN
from chassis.database import UnitOfWork
from contacts.errors import OrganizationNotFound, PersonNotFound, invalid
from contacts.queries import ids, load_cards
from contacts.storing import update_cards
from contacts.tables import organization, person
from contacts.visibility import visible_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.assigning import Assignment, Fate, check_assignments, decide_fate

PERSON, ORGANIZATION = "person", "organization"
TABLES = ((PERSON, person, PersonNotFound.reason), (ORGANIZATION, organization, OrganizationNotFound.reason))


def assign_customers(work: UnitOfWork, request: pb.AssignCustomersRequest) -> pb.AssignCustomersResponse:
    """Give customers to users, or only say what would become of each. Errors: FieldInvalid."""
    asked = [_read(one, number) for number, one in enumerate(request.assignments)]
    check_assignments(asked, request.note)
    fates: dict[str, Fate] = {}
    for kind, table, missing in TABLES:
        wanted = [one for one in asked if one.kind == kind]
        fates |= _assign(work, table, wanted, missing, request) if wanted else {}
    return pb.AssignCustomersResponse(fates=[_message(fates[one.record_id]) for one in asked])


def _read(one: pb.CustomerAssignment, number: int) -> Assignment:
    if bool(one.person_id) == bool(one.organization_id):
        raise invalid(f"assignments[{number}]", "names a person and an organization, or neither; name one")
    kind = PERSON if one.person_id else ORGANIZATION
    return Assignment(one.person_id or one.organization_id, one.from_owner_id, one.to_owner_id, kind)


def _assign(
    work: UnitOfWork, table: sa.Table, asked: Sequence[Assignment], missing: str, request: pb.AssignCustomersRequest
) -> dict[str, Fate]:
    """What becomes of cards of one type; the rows of those that may go are locked before their owners are compared."""
    named = [one.record_id for one in asked]
    owners, may = _look(work, table, named)
    cards = {} if request.dry_run else load_cards(work, table, sorted(may))
    owners |= {id: card.owner_id for id, card in cards.items()}
    fates = {one.record_id: decide_fate(one, owners.get(one.record_id), may, missing) for one in asked}
    given = [one for one in asked if fates[one.record_id] == Fate(one.record_id)]
    if not request.dry_run:
        for one in given:
            cards[one.record_id].owner_id = one.to_id
        update_cards(work, [(cards[one.record_id], ["owner_id"]) for one in given], request.note.strip())
    return fates


def _look(work: UnitOfWork, table: sa.Table, named: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """Owners of the cards that the caller sees, and the ids of those that the caller may assign."""
    may = visible_cards(work.access, table, ASSIGN)
    seen = sa.select(table.c.id, table.c.owner_id, may.label("may"))
    rows = work.execute(seen.where(table.c.id == sa.any_(ids(named)), visible_cards(work.access, table))).all()
    return {row.id: row.owner_id for row in rows}, {row.id for row in rows if row.may}


def _message(fate: Fate) -> pb.CustomerAssignmentFate:
    refusal = pb.ErrorReason.Value(f"ERROR_REASON_{fate.refusal or 'UNSPECIFIED'}")
    return pb.CustomerAssignmentFate(record_id=fate.record_id, refusal=refusal, unchanged=fate.unchanged)
