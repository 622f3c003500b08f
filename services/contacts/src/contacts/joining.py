"""Each description of a customer finds its one card: an existing one, one made by the same call, or a new one.

A call is one set: all identities are claimed at once, the cards that hold some of them are locked and read at once,
each draft is decided in memory (deciding.py), and what came of it is written at once. No statement per draft.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts import keys
from contacts.cards import AnyCard, PersonCard
from contacts.claiming import claim_keys, find_holders, move_keys, release_keys
from contacts.deciding import Base, Joined, decide_known
from contacts.drafts import Batch, Draft
from contacts.import_changes import keep_import
from contacts.queries import load_cards, peek_cards
from contacts.recording import PROVENANCE, list_pairs, provenance_row, supersede
from contacts.storing import insert_cards, table_of, type_of, update_cards
from contacts.tables import provenance
from contacts.tags import spell_cards
from units.merges import find_survivors


def join_draft(work: UnitOfWork, draft: Draft, batch: Batch) -> Joined:
    """Join what a person entered just now: mostly somebody new."""
    spell_cards(work, [draft.card])
    [joined] = _join_claiming(work, [draft], batch)
    return joined


def join_drafts(work: UnitOfWork, drafts: Sequence[Draft], batch: Batch) -> list[Joined]:
    """Join drafts of one record type to the base and answer what became of each, in their order.

    Much of a file is known from before, so what says nothing new is answered first.
    """
    spell_cards(work, (draft.card for draft in drafts), looking=batch.dry_run)
    known = _join_known(work, drafts, batch)
    rest = [draft for draft, found in zip(drafts, known, strict=True) if found is None]
    join = _foretell if batch.dry_run else _join_claiming
    joined = iter(join(work, rest, batch) if rest else ())
    return [found or next(joined) for found in known]


def identities(card: AnyCard, source: str = "", external_id: str = "") -> list[keys.Key]:
    """All identities of a card, the strongest first, with the number the source knows it by."""
    plain = keys.person_keys(card) if isinstance(card, PersonCard) else keys.organization_keys(card)
    return [keys.external_key(type_of(card), source, external_id), *plain] if external_id else plain


def _join_known(work: UnitOfWork, drafts: Sequence[Draft], batch: Batch) -> list[Joined | None]:
    """Answer, without a lock or a claim, the drafts that say nothing new."""
    asked = {digest for draft in drafts for _, digest in (draft.keys[:1] if draft.fingerprint else draft.keys)}
    holders = find_holders(work, asked)
    if not holders:
        return [None] * len(drafts)
    cards = peek_cards(work, table_of(drafts[0].card), sorted(set(holders.values())))
    return [decide_known(draft, holders, cards, batch) for draft in drafts]


def _foretell(work: UnitOfWork, drafts: Sequence[Draft], batch: Batch) -> list[Joined]:
    """What would become of the drafts if they were joined now: decided on what stands, with no claim, lock or write."""
    wanted, hints = _wanted_keys(drafts)
    holders = find_holders(work, wanted)
    known = sorted({record for digest, record in holders.items() if digest not in hints})
    cards = peek_cards(work, table_of(drafts[0].card), known) if known else {}
    base = Base(batch, {digest: holders.get(digest) for digest in wanted}, cards)
    return [base.join(draft) for draft in drafts]


def _wanted_keys(drafts: Sequence[Draft]) -> tuple[dict[str, str], set[str]]:
    """The card that each identity would belong to, and the identities that are hints only."""
    wanted: dict[str, str] = {}
    hints: set[str] = set()
    for draft in drafts:
        card_id = draft.card.id
        for kind, digest in draft.keys:
            wanted.setdefault(digest, card_id)
            if kind in keys.HINTS:
                hints.add(digest)
    return wanted, hints


def _join_claiming(work: UnitOfWork, drafts: Sequence[Draft], batch: Batch) -> list[Joined]:
    wanted, hints = _wanted_keys(drafts)
    holders = claim_keys(work, wanted)
    ours = {digest for digest, record in holders.items() if wanted[digest] == record}
    held = {digest for digest in holders if digest not in ours and digest not in hints}
    cards = _load_holders(work, table_of(drafts[0].card), holders, held)
    base = Base(batch, {digest: None if digest in ours else record for digest, record in holders.items()}, cards)
    joined = [base.join(draft) for draft in drafts]
    move_keys(work, {d: to for d in ours if (to := base.holders[d]) is not None and to != wanted[d]})
    release_keys(work, {d: wanted[d] for d in ours if base.holders[d] is None})
    _write(work, base, drafts, joined, batch)
    return joined


def _load_holders(work: UnitOfWork, table: sa.Table, holders: dict[str, str], held: set[str]) -> dict[str, AnyCard]:
    """The cards that hold these identities, locked; `holders` is corrected where one was merged just before."""
    cards = load_cards(work, table, sorted({holders[digest] for digest in held}))
    survivors = find_survivors(work, {holders[digest] for digest in held} - cards.keys())
    if survivors:
        holders.update({digest: survivors[record] for digest, record in holders.items() if record in survivors})
        cards |= load_cards(work, table, sorted(set(survivors.values()) - cards.keys()))
    return cards


def _write(work: UnitOfWork, base: Base, drafts: Sequence[Draft], joined: Sequence[Joined], batch: Batch) -> None:
    insert_cards(work, list(base.new.values()))
    update_cards(work, list(base.changes.values()))
    supersede(work, base.superseded, batch.source)
    rows = [
        provenance_row(one.card.id, draft.external_id, draft.fingerprint, draft.origin, one.fate, one.changed, batch)
        for draft, one in zip(drafts, joined, strict=True)
        if one.card is not None and one.is_news
    ]
    work.copy_rows(provenance, PROVENANCE, rows)
    keep_import(work, base, drafts, joined, batch)
    list_pairs(
        work, type_of(drafts[0].card), [(one.card.id, *pair) for one in joined if one.card for pair in one.pairs]
    )
