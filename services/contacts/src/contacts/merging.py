"""Cards of one customer become one card: the survivor takes over what all of them say and all that belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from chassis.audit.entries import ACT, write_entry
from chassis.copying import plain_array
from chassis.database import UnitOfWork
from chassis.ids import new_id
from chassis.prepared import Prepared
from contacts.cards import AnyCard, PersonCard, changed_fields
from contacts.changing import copy_card
from contacts.combining import combine, find_differing
from contacts.kept_cards import tell_card
from contacts.merge_members import claim_identities, list_members, take_members
from contacts.merge_moves import INTERACTION_FIELDS, stands_above_itself, take_children, take_interactions, take_rest
from contacts.merge_requests import Wanted, hides_field, read_merge
from contacts.messages import organization_message, person_message
from contacts.queries import ids
from contacts.storing import remove_cards, update_cards
from contacts.tables import card_merge, interaction, merged_card, organization
from crm.contacts.v1 import contacts_pb2 as pb
from units.merges import Merge, note_merges

Members = dict[str, list[dict[str, Any]]]
_TAKE_SOURCES = Prepared(
    sa.text("""
WITH said AS (
  SELECT DISTINCT record_id, source, external_id, fingerprint, run_id FROM provenance
  WHERE record_id = ANY(CAST(:merged AS uuid[]))),
kept AS (
  UPDATE merged_card
  SET sources = (SELECT coalesce(jsonb_agg(to_jsonb(said)), '[]') FROM said WHERE record_id = card_id)
  WHERE merge_id = CAST(:merge_id AS uuid))
UPDATE provenance SET record_id = CAST(:survivor AS uuid) WHERE record_id = ANY(CAST(:merged AS uuid[]))""")
)


def merge_customers(work: UnitOfWork, request: pb.MergeCustomersRequest) -> pb.MergeCustomersResponse:
    """Make the cards one, or in a dry run answer the card as it would be.

    Errors: FieldInvalid, PersonNotFound, OrganizationNotFound, CustomerMerged, StaleEtag, NotPermitted.
    """
    wanted = read_merge(work, request)
    differing = [field for field in find_differing(wanted.cards) if not hides_field(work, field)]
    after = combine(wanted.cards, wanted.choices)
    if request.dry_run:
        return answer_merge(after, "", differing, *_count(work, wanted))
    merge_id = new_id()
    before = copy_card(wanted.survivor)
    members = list_members(work, wanted.merged_ids) if wanted.table is organization else {}
    _keep(work, wanted, merge_id, members)
    note_merges(work, [Merge(merge_id, one, wanted.survivor.id) for one in wanted.merged_ids])
    # While the merged organizations are still there: a membership in none is not read.
    gone = take_members(work, members, after) if members else []
    remove_cards(work, wanted.cards[1:], wanted.survivor.id, merge_id)
    _move_up(work, wanted, after)
    _store_survivor(work, before, after, wanted.note)
    moved = take_interactions(work, wanted.table.name, wanted.merged_ids, after.id)
    work.run(_TAKE_SOURCES, {"merged": plain_array(wanted.merged_ids), "survivor": after.id, "merge_id": merge_id})
    take_rest(work, merge_id, wanted.merged_ids, after.id)
    _keep_after(work, merge_id, after, gone)
    named = [after.id, *wanted.merged_ids]
    write_entry(work, ACT, "contacts/MergeCustomers", wanted.table.name, named, reason=wanted.note[:200])
    return answer_merge(after, merge_id, differing, moved, sum(map(len, members.values())))


def answer_merge(
    card: AnyCard, merge_id: str, differing: Sequence[str], interactions: int, members: int
) -> pb.MergeCustomersResponse:
    """The one card with what became of the others."""
    answer = pb.MergeCustomersResponse(
        merge_id=merge_id, differing_fields=differing, interactions=interactions, members=members
    )
    if isinstance(card, PersonCard):
        answer.person.CopyFrom(person_message(card))
    else:
        answer.organization.CopyFrom(organization_message(card))
    return answer


def _count(work: UnitOfWork, wanted: Wanted) -> tuple[int, int]:
    field = interaction.c[INTERACTION_FIELDS[wanted.table.name]]
    counted = sa.select(sa.func.count()).select_from(interaction).where(field == sa.any_(ids(wanted.merged_ids)))
    members = list_members(work, wanted.merged_ids) if wanted.table is organization else {}
    return work.execute(counted).scalar_one(), sum(map(len, members.values()))


def _keep(work: UnitOfWork, wanted: Wanted, merge_id: str, members: Members) -> None:
    """Keep all cards as they are, for the day the merge is undone."""
    work.execute(
        sa.insert(card_merge).values(
            id=merge_id, record_type=wanted.table.name, survivor_id=wanted.survivor.id, merge_time=work.now,
            merger_id=work.access.user_id, merger_name=work.access.user_name, note=wanted.note, pairs=[],
        )
    )  # fmt: skip
    rows = [
        {
            "merge_id": merge_id, "card_id": card.id, "position": position, "before": tell_card(card),
            "members": members.get(card.id, []), "sources": [],
        }
        for position, card in enumerate(wanted.cards)
    ]  # fmt: skip
    work.execute(sa.insert(merged_card), rows)


def _keep_after(work: UnitOfWork, merge_id: str, after: AnyCard, gone: Sequence[str]) -> None:
    """Keep what the survivor became, and which memberships went because they said nothing more."""
    c = merged_card.c
    survivor = sa.and_(c.merge_id == merge_id, c.card_id == after.id)
    kept: Mapping[str, Any] = {"after": tell_card(after), "members": list(gone)}
    work.execute(sa.update(merged_card).where(survivor).values(**kept))


def _move_up(work: UnitOfWork, wanted: Wanted, after: AnyCard) -> None:
    """Organizations below the merged ones move up to the survivor, which never comes to stand above itself."""
    if wanted.table is organization and not isinstance(after, PersonCard):
        take_children(work, wanted.merged_ids, after.id)
        if stands_above_itself(work, after.id, after.parent_id):
            after.parent_id = ""


def _store_survivor(work: UnitOfWork, before: AnyCard, after: AnyCard, note: str) -> None:
    claim_identities(work, [after])
    update_cards(work, [(after, changed_fields(before, after))], note)
