"""A merge is undone: its cards are there again with what was theirs; what changed since stays, and is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.audit.entries import ACT, write_entry
from chassis.database import UnitOfWork
from chassis.dates import to_time
from chassis.ids import is_id
from chassis.prepared import Prepared
from contacts import lists
from contacts.cards import AnyCard, PersonCard, changed_fields
from contacts.changing import copy_card
from contacts.claiming import release_keys
from contacts.combining import separate
from contacts.errors import MergeNotFound, MergeUndone
from contacts.joining import identities
from contacts.kept_cards import read_card
from contacts.merge_members import claim_identities, give_members
from contacts.merge_moves import INTERACTION_FIELDS, give_children, give_interactions, give_rest
from contacts.merge_requests import TABLES, hides_field, missing_card, require_cards, table_named
from contacts.messages import organization_message, person_message
from contacts.queries import load_cards
from contacts.storing import restore_cards, update_cards
from contacts.tables import card_merge, merged_card
from crm.contacts.v1 import contacts_pb2 as pb
from units.merges import Merge, find_survivors, list_merged_into, list_moved, note_unmerges

CHANGED, MOVED, HELD = "changed_since", "moved_since", "held_elsewhere"
MOST_LISTED = 200
_GIVE_SOURCES = Prepared(
    sa.text("""
UPDATE provenance SET record_id = merged_card.card_id
FROM merged_card CROSS JOIN jsonb_to_recordset(merged_card.sources)
     AS said (source text, external_id text, fingerprint uuid, run_id text)
WHERE merged_card.merge_id = CAST(:merge_id AS uuid) AND provenance.record_id = CAST(:survivor AS uuid)
  AND provenance.source = said.source AND provenance.external_id = said.external_id
  AND provenance.fingerprint = said.fingerprint AND provenance.run_id = said.run_id""")
)
Conflicts = list[pb.UnmergeConflict]


def unmerge_customers(work: UnitOfWork, request: pb.UnmergeCustomersRequest) -> pb.UnmergeCustomersResponse:
    """Make the cards of a merge anew. Errors: MergeNotFound, MergeUndone, CustomerMerged, NotPermitted."""
    merge = _lock(work, request.merge_id)
    kept = _kept_cards(work, merge)
    now = load_cards(work, TABLES[merge.record_type], [merge.survivor_id])[merge.survivor_id]
    cards = [read_card(merge.record_type, row.before) for row in kept[1:]]
    undone = note_unmerges(work, [Merge(merge.id, card.id, merge.survivor_id) for card in cards])
    conflicts = _restore(work, merge, now, cards, kept[0])
    require_cards(work, TABLES[merge.record_type], [card.id for card in cards])
    conflicts += _give_back(work, merge, cards, kept, undone)
    done = {"undo_time": work.now, "undoer_id": work.access.user_id}
    work.execute(sa.update(card_merge).where(card_merge.c.id == merge.id).values(done))
    named = [merge.survivor_id, *(card.id for card in cards)]
    write_entry(work, ACT, "contacts/UnmergeCustomers", merge.record_type, named)
    return _answer(work, merge, named, conflicts)


def get_customer_merges(work: UnitOfWork, request: pb.GetCustomerMergesRequest) -> pb.GetCustomerMergesResponse:
    """The merges of a card and of those merged into it. Errors: FieldInvalid, PersonNotFound, OrganizationNotFound."""
    table = table_named(request.record_type)
    card_id = lists.require_seen(work, table, request.record_id, missing_card(table, request.record_id))
    c, m = card_merge.c, merged_card.c
    named = sa.func.array_agg(sa.func.json_build_array(m.card_id, m.before["display_name"].astext)).label("named")
    found = (
        sa.select(card_merge, named)
        .join(merged_card, sa.and_(m.merge_id == c.id, m.position > 0))
        .where(c.survivor_id.in_([card_id, *list_merged_into(work, card_id)]))
        .group_by(*c)
        .order_by(c.id.desc())
        .limit(MOST_LISTED)
    )
    return pb.GetCustomerMergesResponse(customer_merges=[_message(row) for row in work.execute(found)])


def _message(row: Any) -> pb.CustomerMerge:
    return pb.CustomerMerge(
        id=row.id,
        record_type=row.record_type,
        survivor_id=row.survivor_id,
        merged_ids=[card_id for card_id, _ in row.named],
        merged_names=[name for _, name in row.named],
        merge_time=to_time(row.merge_time),
        merger_id=row.merger_id,
        merger_name=row.merger_name,
        note=row.note,
        undo_time=to_time(row.undo_time),
    )


def _lock(work: UnitOfWork, merge_id: str) -> Any:
    """The merge, which stands and whose survivor the caller may change.

    Errors: MergeNotFound, MergeUndone, CustomerMerged, NotPermitted.
    """
    c = card_merge.c
    found = sa.select(card_merge).where(c.id == merge_id).with_for_update()
    merge = work.execute(found).one_or_none() if is_id(merge_id) else None
    if merge is None:
        raise MergeNotFound(merge_id)
    table = TABLES[merge.record_type]
    lists.read_one(work, table, merge.survivor_id, MergeNotFound(merge_id))
    if merge.undo_time is not None:
        raise MergeUndone
    require_cards(work, table, [merge.survivor_id])
    return merge


def _kept_cards(work: UnitOfWork, merge: Any) -> Sequence[Any]:
    """The survivor's row first."""
    c = merged_card.c
    return work.execute(sa.select(merged_card).where(c.merge_id == merge.id).order_by(c.position)).all()


def _restore(work: UnitOfWork, merge: Any, now: AnyCard, cards: Sequence[AnyCard], survivor: Any) -> Conflicts:
    """Write all cards; the survivor first, so that nothing is on two of them."""
    before, after = (read_card(merge.record_type, state) for state in (survivor.before, survivor.after))
    was = copy_card(now)
    one, changed_since = separate(now, before, after)
    held = {digest for _, digest in identities(one)}
    release_keys(work, {digest: one.id for _, digest in identities(was) if digest not in held})
    for card in cards:
        _keep_current(work, was, card)
    update_cards(work, [(one, changed_fields(was, one))])
    restore_cards(work, cards, one.id, merge.id)
    taken = claim_identities(work, [one, *cards])
    conflicts = [_conflict(one.id, field, CHANGED) for field in changed_since if not hides_field(work, field)]
    return conflicts + [_conflict(card_id, "identity", HELD) for card_id in dict.fromkeys(pair[0] for pair in taken)]


def _keep_current(work: UnitOfWork, survivor: AnyCard, card: AnyCard) -> None:
    """A membership that came from this card goes back as it is by now, in what its organization is part of by now."""
    if isinstance(card, PersonCard) and isinstance(survivor, PersonCard):
        present = {one.id: one for one in survivor.affiliations}
        found = [present.get(one.id, one) for one in card.affiliations]
        led = find_survivors(work, {one.organization_id for one in found})
        card.affiliations = [
            one._replace(organization_id=led.get(one.organization_id, one.organization_id)) for one in found
        ]


def _give_back(
    work: UnitOfWork, merge: Any, cards: Sequence[AnyCard], kept: Sequence[Any], undone: Sequence[Merge]
) -> Conflicts:
    moved = list_moved(work, undone)
    talks = [one for one in moved if one.field == INTERACTION_FIELDS[merge.record_type]]
    left = len(talks) - give_interactions(work, merge.record_type, talks, merge.survivor_id)
    conflicts = [_conflict(merge.survivor_id, "interactions", MOVED, left)] if left else []
    give_rest(work, merge.id, moved, merge.survivor_id)
    work.run(_GIVE_SOURCES, {"merge_id": merge.id, "survivor": merge.survivor_id})
    if merge.record_type == "organization":
        give_children(work, moved, merge.survivor_id)
        members = {row.card_id: row.members for row in kept[1:]}
        by_id = {card.id: card for card in cards}
        elsewhere = give_members(work, members, set(kept[0].members), by_id, merge.survivor_id)
        conflicts += [_conflict(merge.survivor_id, "members", MOVED, elsewhere)] if elsewhere else []
    return conflicts


def _conflict(record_id: str, field: str, reason: str, count: int = 1) -> pb.UnmergeConflict:
    return pb.UnmergeConflict(record_id=record_id, field=field, reason=reason, count=count)


def _answer(work: UnitOfWork, merge: Any, card_ids: Sequence[str], conflicts: Conflicts) -> pb.UnmergeCustomersResponse:
    """The cards as they are stored, the survivor first."""
    stored = load_cards(work, TABLES[merge.record_type], card_ids)
    cards = [stored[card_id] for card_id in card_ids]
    return pb.UnmergeCustomersResponse(
        persons=[person_message(card) for card in cards if isinstance(card, PersonCard)],
        organizations=[organization_message(card) for card in cards if not isinstance(card, PersonCard)],
        conflicts=conflicts,
    )
