"""An import is undone: cards it made go, others get their values of before back; what changed since stays, and is told.

What the import did is known from what it kept (import_changes.py) and from what its rows said (provenance).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy

import sqlalchemy as sa

from chassis.access import IMPORT
from chassis.audit.entries import ACT, write_entry
from chassis.database import UnitOfWork
from chassis.ids import is_id
from contacts.cards import AnyCard, OrganizationCard, PersonCard, changed_fields
from contacts.claiming import release_keys
from contacts.combining import separate
from contacts.errors import ImportNotKept, invalid
from contacts.hierarchy import lines_above, stands_below
from contacts.import_changes import state_with
from contacts.import_traces import Trace, forget_traces, free_identities, read_traces
from contacts.joining import identities
from contacts.merge_members import claim_identities
from contacts.merge_requests import table_named
from contacts.queries import ids, load_cards, peek_cards
from contacts.staying import why_made_stay
from contacts.storing import take_back_cards, update_cards
from contacts.tables import import_change, import_run, organization
from contacts.visibility import visible_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.merges import find_survivors
from units.records import CUSTOMER
from units.visibility import get_unit

MOST_CARDS = 500
CHANGED, MERGED = "changed_since", "merged"
Kept = dict[str, pb.KeptRecord]
Restored = Mapping[str, tuple[AnyCard, AnyCard]]  # cards as they are, and as they will be


def undo_import(
    work: UnitOfWork, request: pb.UndoImportRequest, used: Collection[str] = ()
) -> pb.UndoImportResponse:  # fmt: skip
    """Take back what a run did to some cards; on those `used` hangs what others than contacts know of.

    Errors: FieldInvalid, ImportNotKept, NotPermitted.
    """
    table = table_named(request.record_type)
    if len(request.record_ids) > MOST_CARDS:
        raise invalid("record_ids", f"are {len(request.record_ids)}; name at most {MOST_CARDS} at a time", "TOO_MANY")
    _require_run(work, request.run_id)
    asked = sorted(set(request.record_ids)) or _mentioned(work, request)
    cards = (peek_cards if request.dry_run else load_cards)(work, table, asked)
    traces = read_traces(work, request.run_id, cards)
    made = {card_id: cards[card_id] for card_id, trace in traces.items() if trace.made}
    reasons = why_made_stay(work, request, made, traces, used)
    others = [card for card_id, card in cards.items() if card_id not in made]
    gone = [card for card_id, card in made.items() if card_id not in reasons]
    restored, kept = _restore(work, others, traces)
    unchanged = len(others) - len(restored.keys() | kept.keys())
    kept |= {one: pb.KeptRecord(record_id=one, reason=reason) for one, reason in reasons.items()}
    if not request.dry_run:
        _take_back(work, request, gone, restored, [traces[card.id] for card in (*gone, *others)])
    answer = pb.UndoImportResponse(removed=len(gone), restored=len(restored), unchanged=unchanged)
    led = find_survivors(work, set(asked) - cards.keys())
    kept |= {old: pb.KeptRecord(record_id=old, reason=MERGED) for old in led}
    answer.kept.extend(_told(work, table, kept, led))
    if not request.record_ids:
        answer.asked_ids.extend(asked)
        answer.next_after_id = asked[-1] if len(asked) == MOST_CARDS else ""
    return answer


def take_back(now: AnyCard, before: AnyCard, after: AnyCard) -> tuple[AnyCard, list[str]]:
    """The card without one change of an import, and the fields that changed since and therefore stay. Pure."""
    one, kept = separate(now, before, after)
    if set(one.unit_ids) == set(now.unit_ids):
        one.unit_ids = now.unit_ids
    if isinstance(one, PersonCard) and isinstance(before, PersonCard) and isinstance(after, PersonCard):
        old, new = ({membership.id: membership.role for membership in card.affiliations} for card in (before, after))
        one.affiliations = [
            membership._replace(role=old.get(membership.id, membership.role))
            if new.get(membership.id) == membership.role
            else membership
            for membership in one.affiliations
        ]
    return one, kept


def _require_run(work: UnitOfWork, run_id: str) -> None:
    """Errors: ImportNotKept; NotPermitted unless the caller may import where it was imported."""
    found = work.execute(sa.select(import_run.c.unit_id).where(import_run.c.run_id == run_id)).scalar_one_or_none()
    if found is None:
        raise ImportNotKept(run_id)
    get_unit(work, found, IMPORT, CUSTOMER)


def _mentioned(work: UnitOfWork, request: pb.UndoImportRequest) -> list[str]:
    """A page of the cards that were made because rows mentioned them."""
    if request.after_id and not is_id(request.after_id):
        raise invalid("after_id", "is no id; send the one that the answer before told")
    c = import_change.c
    found = sa.select(c.record_id).where(
        c.run_id == request.run_id, c.record_type == request.record_type, c.before.is_(None)
    )
    if request.after_id:
        found = found.where(c.record_id > request.after_id)
    return list(work.execute(found.order_by(c.record_id).limit(MOST_CARDS)).scalars())


def _restore(work: UnitOfWork, cards: Sequence[AnyCard], traces: Mapping[str, Trace]) -> tuple[Restored, Kept]:
    """What cards will be where that differs, and the fields that stay since somebody changed them."""
    restored: dict[str, tuple[AnyCard, AnyCard]] = {}
    kept: Kept = {}
    for now in cards:
        one, fields = copy(now), set[str]()
        for change in traces[now.id].changes:
            one, since = take_back(one, state_with(one, change.before), state_with(one, change.after))
            fields.update(since)
        fields.update(_keep_parent(work, now, one))
        if changed_fields(now, one):
            restored[now.id] = (now, one)
        if fields:
            kept[now.id] = pb.KeptRecord(record_id=now.id, reason=CHANGED, fields=sorted(fields))
    return restored, kept


def _keep_parent(work: UnitOfWork, now: AnyCard, one: AnyCard) -> list[str]:
    """The organization above stays where the one of before is no more or stands below this one by now."""
    if not isinstance(now, OrganizationCard) or not isinstance(one, OrganizationCard) or one.parent_id == now.parent_id:
        return []
    one.parent_id = find_survivors(work, [one.parent_id]).get(one.parent_id, one.parent_id)
    there = not one.parent_id or bool(peek_cards(work, organization, [one.parent_id]))
    if there and not stands_below(lines_above(work, [one.parent_id]), one.parent_id, one.id):
        return []
    one.parent_id = now.parent_id
    return ["parent_id"]


def _take_back(
    work: UnitOfWork, request: pb.UndoImportRequest, gone: Sequence[AnyCard], restored: Restored,
    traces: Sequence[Trace],
) -> None:  # fmt: skip
    """Write what was decided; identities of before are claimed once nothing of this import holds them."""
    free_identities(work, gone, traces)
    lost: dict[str, str] = {}
    again: list[AnyCard] = []
    for now, one in restored.values():
        old, new = ({digest for _, digest in identities(card)} for card in (now, one))
        lost |= dict.fromkeys(old - new, one.id)
        again += [one] if new - old else []
    release_keys(work, lost)
    for card in (*gone, *(one for _, one in restored.values())):
        card.run_id = request.run_id
    update_cards(work, [(one, changed_fields(now, one)) for now, one in restored.values()])
    take_back_cards(work, gone)
    if again:
        claim_identities(work, again)
    forget_traces(work, request.run_id, [card.id for card in gone], [one.card_id for one in traces])
    if touched := [*(card.id for card in gone), *restored]:
        write_entry(work, ACT, "contacts/UndoImport", request.record_type, touched)


def _told(work: UnitOfWork, table: sa.Table, kept: Kept, led: Mapping[str, str]) -> list[pb.KeptRecord]:
    """What stays, with the names of cards that the caller may see; of a merged card the name of its survivor."""
    stays = table.c.id == sa.any_(ids({*kept, *led.values()}))
    named = sa.select(table.c.id, table.c.display_name).where(stays, visible_cards(work.access, table))
    names = {row.id: row.display_name for row in work.execute(named)}
    for one in kept.values():
        one.record_type, one.display_name = table.name, names.get(led.get(one.record_id, one.record_id), "")
    return list(kept.values())
