"""Which cards that an import made stay although it is undone: somebody changed them, or something hangs on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.cards import AnyCard
from contacts.import_traces import Trace
from contacts.merge_requests import table_named
from contacts.queries import ids
from contacts.tables import affiliation, import_change, interaction, organization, provenance
from crm.contacts.v1 import contacts_pb2 as pb

Made = Mapping[str, AnyCard]


def why_made_stay(
    work: UnitOfWork,
    request: pb.UndoImportRequest,
    made: Made,
    traces: Mapping[str, Trace],
    used: Collection[str],
) -> dict[str, str]:
    """The reason of each of these cards that stays."""
    if not made:
        return {}
    table = table_named(request.record_type)
    talked = _find_named(work, interaction.c[f"{table.name}_id"], made)
    joined = _find_joined(work, request, made) if table is organization else set()
    reasons: dict[str, str] = {}
    for card_id, card in made.items():
        trace = traces[card_id]
        found = {
            "changed_since": card.version != trace.last_version,
            "said_since": trace.said_by_others,
            "in_use": card_id in used,
            "has_interactions": card_id in talked,
            "has_members": card_id in joined,
        }
        if any(found.values()):
            reasons[card_id] = next(reason for reason, holds in found.items() if holds)
    return reasons | (_find_parents(work, request, made, reasons) if table is organization else {})


def _find_named(work: UnitOfWork, column: sa.Column[str], made: Made) -> set[str]:
    return set(work.execute(sa.select(column).where(column == sa.any_(ids(made))).distinct()).scalars())


def _find_joined(work: UnitOfWork, request: pb.UndoImportRequest, made: Made) -> set[str]:
    """The organizations with members; in a dry run the persons of this import do not count, as they go first."""
    c = affiliation.c
    found = sa.select(c.organization_id).where(c.organization_id == sa.any_(ids(made)))
    for table in (provenance, import_change) if request.dry_run else ():
        found = found.where(~_of_this_run(table, c.person_id, request.run_id))
    return set(work.execute(found.distinct()).scalars())


def _find_parents(
    work: UnitOfWork, request: pb.UndoImportRequest, made: Made, reasons: Mapping[str, str]
) -> dict[str, str]:
    """Organizations above one that stays; in a dry run those of this import that were not asked about do not count."""
    c = organization.c
    below = sa.select(c.id, c.parent_id).where(c.parent_id == sa.any_(ids(made)))
    if request.dry_run:
        below = below.where(sa.or_(c.id == sa.any_(ids(made)), ~_of_this_run(provenance, c.id, request.run_id)))
    lines = [(row.id, row.parent_id) for row in work.execute(below)]
    found: dict[str, str] = {}
    while True:
        stay = {*reasons, *found}
        more = {up for one, up in lines if one not in made or one in stay} - stay
        if not more:
            return found
        found |= dict.fromkeys(more, "has_children")


def _of_this_run(table: sa.Table, record_id: sa.Column[str], run_id: str) -> sa.Exists:
    theirs = sa.select(table.c.run_id).where(table.c.record_id == record_id, table.c.run_id == run_id)
    return theirs.exists()
