"""Deals of a customer whose card became part of another one: they name the survivor, until that is undone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from chassis.copying import plain_array
from chassis.database import UnitOfWork
from chassis.naming import binding
from chassis.prepared import Prepared
from crm.contacts.events.v1 import contacts_events_pb2 as events
from deals.events import tell_updated
from deals.queries import Question, lock_deals
from deals.records import Facts
from deals.storing import update_deals
from deals.tables import deal
from units.merges import Merge, find_survivors, keep_moved, list_moved, note_merges, note_unmerges

FIELDS = {"person": "person_id", "organization": "organization_id"}
MERGE_BINDINGS = tuple(
    binding("contacts", aggregate, fact) for aggregate in FIELDS for fact in ("merged", "unmerged")
)  # fmt: skip
# Whoever names the customer in a deal just now shares its row; its deal is there, or comes after the note of the merge.
_AWAIT = Prepared(
    sa.text("""
SELECT id FROM customer WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE""")
)


def move_deals(work: UnitOfWork, deliveries: Sequence[Any]) -> None:
    """Handler of PersonMerged and OrganizationMerged. A customer has some thousand deals at most."""
    merges = note_merges(work, _merges(deliveries))
    if not merges:
        return
    merged = [one.merged_id for one in merges]
    work.fetch(_AWAIT, {"ids": plain_array(merged)})
    led = find_survivors(work, merged)
    for field in FIELDS.values():
        found = sa.select(deal.c.id, deal.c[field].label("merged_id")).where(deal.c[field].in_(merged))
        named = {row.id: row.merged_id for row in work.execute(found)}
        moved = _name(work, field, {one: (merged_id, led[merged_id]) for one, merged_id in named.items()})
        keep_moved(work, [(named[one], field, one) for one in moved])


def return_deals(work: UnitOfWork, deliveries: Sequence[Any]) -> None:
    """Handler of PersonUnmerged and OrganizationUnmerged: deals that name the survivor still."""
    moved = list_moved(work, note_unmerges(work, _merges(deliveries)))
    for field in FIELDS.values():
        _name(work, field, {one.record_id: (one.final_id, one.merged_id) for one in moved if one.field == field})


def lead_customers(work: UnitOfWork, several: Sequence[Facts]) -> list[Facts]:
    """The facts of deals with the survivors in the place of merged customers."""
    named = {getattr(facts, field) for facts in several for field in FIELDS.values()}
    led = find_survivors(work, named)
    return [name_current(facts, led) for facts in several]


def lead_question(work: UnitOfWork, question: Question) -> Question:
    """The question with the survivors in the place of merged customers, for whoever kept an old id."""
    led = find_survivors(work, [getattr(question, field) for field in FIELDS.values()])
    changed: dict[str, Any] = {field: led[old] for field in FIELDS.values() if (old := getattr(question, field)) in led}
    return replace(question, **changed) if changed else question


def name_current(facts: Facts, led: dict[str, str]) -> Facts:
    """The facts with each customer that is led elsewhere replaced."""
    changed: dict[str, Any] = {field: led[old] for field in FIELDS.values() if (old := getattr(facts, field)) in led}
    return replace(facts, **changed) if changed else facts


HANDLERS = {
    events.PersonMerged: move_deals,
    events.OrganizationMerged: move_deals,
    events.PersonUnmerged: return_deals,
    events.OrganizationUnmerged: return_deals,
}


def _merges(deliveries: Sequence[Any]) -> Iterable[Merge]:
    return [Merge(one.message.merge_id, one.aggregate_id, one.message.survivor_id) for one in deliveries]


def _name(work: UnitOfWork, field: str, wanted: dict[str, tuple[str, str]]) -> list[str]:
    """Have deals name another customer (`wanted`: deal -> from, to) and say so; answers those that named the first."""
    locked = lock_deals(work, list(wanted))
    moved = []
    for one, (known, path) in locked.items():
        named, led = wanted[one]
        if getattr(known.facts, field) == named:
            facts = name_current(known.facts, {named: led})
            taken = replace(known, version=known.version + 1, facts=facts, update_time=work.now, run_id="")
            moved.append((taken, path))
    update_deals(work, [known for known, _ in moved])
    for known, path in moved:
        tell_updated(work, known, path, [field], known.version)
    return [known.id for known, _ in moved]
