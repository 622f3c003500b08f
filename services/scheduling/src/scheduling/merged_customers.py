"""Activities of a customer whose card became part of another one: they name the survivor, until that is undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.projection import Delivered
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from scheduling.current_links import FIELDS, GUESTS, Led, name_current
from scheduling.events import tell_updated
from scheduling.planning import touch
from scheduling.queries import get_activities, paths_of
from scheduling.records import UPDATED, Activity
from scheduling.storing import keep_history, update_activities
from scheduling.tables import IDS, activity
from units.merges import Merge, find_survivors, keep_moved, list_moved, note_merges, note_unmerges


def move_activities(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PersonMerged and OrganizationMerged. A customer has some thousand activities at most."""
    merges = note_merges(work, _merges(deliveries))
    if not merges:
        return
    led = find_survivors(work, [one.merged_id for one in merges])
    c = activity.c
    merged = sa.bindparam("merged", list(led), type_=IDS)
    named = sa.or_(c.person_id == sa.any_(merged), c.organization_id == sa.any_(merged), c[GUESTS].overlap(merged))
    found = list(work.execute(sa.select(c.id).where(named)).scalars())
    moved = _rename(work, {one: dict.fromkeys(FIELDS, led) for one in found})
    keep_moved(work, [(merged_id, field, one.id) for one, field, merged_id in moved])


def return_activities(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PersonUnmerged and OrganizationUnmerged: activities that name the survivor still."""
    wanted: dict[str, dict[str, Led]] = {}
    for one in list_moved(work, note_unmerges(work, _merges(deliveries))):
        wanted.setdefault(one.record_id, {})[one.field] = {one.final_id: one.merged_id}
    _rename(work, wanted)


def _merges(deliveries: Sequence[Delivered]) -> Iterable[Merge]:
    for one in deliveries:
        told = one.message
        state = told.person if isinstance(told, contacts.PersonMerged | contacts.PersonUnmerged) else told.organization
        yield Merge(told.merge_id, state.id, told.survivor_id)


def _rename(work: UnitOfWork, wanted: Mapping[str, Mapping[str, Led]]) -> list[tuple[Activity, str, str]]:
    """Have activities name other customers and say so. Answers what was replaced: activity, field, customer each."""
    replaced: list[tuple[Activity, str, str]] = []
    changed: list[tuple[Activity, list[str]]] = []
    for known in get_activities(work, list(wanted), lock=True):
        led = wanted[known.id]
        facts = name_current(known.facts, led)
        fields = [name for name in led if getattr(facts, name) != getattr(known.facts, name)]
        if fields:
            changed.append((touch(known, work, facts=facts), fields))
        for field in fields:
            value = getattr(known.facts, field)
            named = value if field == GUESTS else (value,)
            replaced += [(known, field, one) for one in named if one in led[field]]
    _store(work, changed)
    return replaced


def _store(work: UnitOfWork, changed: Sequence[tuple[Activity, list[str]]]) -> None:
    update_activities(work, [one for one, _ in changed])
    for several in {tuple(fields) for _, fields in changed}:
        keep_history(work, [one for one, fields in changed if tuple(fields) == several], UPDATED, "", several)
    paths = paths_of(work, {one.facts.unit_id for one, _ in changed}) if changed else {}
    for one, fields in changed:
        tell_updated(work, one, paths.get(one.facts.unit_id, ""), fields)
