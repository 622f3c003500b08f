"""Giving chosen deals to users: each is decided by itself, all that may go go in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from chassis.access import ASSIGN
from chassis.database import UnitOfWork
from crm.deals.v1 import deals_pb2 as pb
from deals.errors import DealNotFound
from deals.events import tell_updated
from deals.queries import lock_deals
from deals.records import Deal
from deals.storing import update_deals
from deals.tables import deal
from units.assigning import Assignment, Fate, check_assignments, decide_fate
from units.owners import keep_owner_changes
from units.records import DEAL
from units.visibility import visible


def assign_deals(work: UnitOfWork, request: pb.AssignDealsRequest) -> pb.AssignDealsResponse:
    """Give deals to users, or only say what would become of each. Errors: FieldInvalid."""
    asked = [Assignment(one.deal_id, one.from_owner_id, one.to_owner_id) for one in request.assignments]
    check_assignments(asked, request.note)
    owners, may = _look(work, [one.record_id for one in asked])
    locked = {} if request.dry_run else lock_deals(work, sorted(may))
    owners |= {id: one.facts.owner_id for id, (one, _) in locked.items()}
    fates = {one.record_id: decide_fate(one, owners.get(one.record_id), may, DealNotFound.reason) for one in asked}
    given = [one for one in asked if fates[one.record_id] == Fate(one.record_id)]
    if given and not request.dry_run:
        give_deals(work, [(*locked[one.record_id], one.to_id) for one in given], request.note.strip())
    return pb.AssignDealsResponse(fates=[_message(fates[one.record_id]) for one in asked])


def give_deals(work: UnitOfWork, given: Sequence[tuple[Deal, str, str]], note: str) -> None:
    """Store locked deals, each with its unit's path and who is responsible from now on, and say so."""
    changed = [_given(work, known, to_id) for known, _path, to_id in given]
    update_deals(work, changed)
    changes = [(known.id, known.facts.owner_id, to_id) for known, _path, to_id in given]
    keep_owner_changes(work, changes, note)
    for one, (_known, path, _to) in zip(changed, given, strict=True):
        tell_updated(work, one, path, ["owner_id"], one.version)


def _given(work: UnitOfWork, known: Deal, to_id: str) -> Deal:
    facts = replace(known.facts, owner_id=to_id)
    return replace(known, version=known.version + 1, facts=facts, update_time=work.now, run_id="")


def _look(work: UnitOfWork, named: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """Owners of the deals that the caller sees, and the ids of those that the caller may assign."""
    may = visible(work.access, DEAL, deal.c.unit_id, deal.c.owner_id, ASSIGN)
    seen = visible(work.access, DEAL, deal.c.unit_id, deal.c.owner_id)
    rows = work.execute(sa.select(deal.c.id, deal.c.owner_id, may.label("may")).where(deal.c.id.in_(named), seen)).all()
    return {row.id: row.owner_id or "" for row in rows}, {row.id for row in rows if row.may}


def _message(fate: Fate) -> pb.DealAssignmentFate:
    refusal = pb.ErrorReason.Value(f"ERROR_REASON_{fate.refusal or 'UNSPECIFIED'}")
    return pb.DealAssignmentFate(deal_id=fate.record_id, refusal=refusal, unchanged=fate.unchanged)
