"""Members of organizations that became one: whose memberships they are, with what follows for the persons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.cards import Affiliation, AnyCard, OrganizationCard, PersonCard
from contacts.claiming import claim_keys
from contacts.combining import keep_once
from contacts.deciding import SHARED
from contacts.joining import identities
from contacts.kept_cards import day_of
from contacts.queries import ids, load_cards
from contacts.recording import list_pairs
from contacts.storing import type_of, update_cards
from contacts.tables import affiliation, person
from units.merges import find_survivors


def list_members(work: UnitOfWork, organization_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The memberships in each organization, as they are kept for the day the merge is undone."""
    c = affiliation.c
    rows = work.execute(
        sa.select(affiliation).where(c.organization_id == sa.any_(ids(organization_ids))).order_by(c.id)
    )
    found: dict[str, list[dict[str, Any]]] = {one: [] for one in organization_ids}
    for row in rows:
        days = {name: day.isoformat() if (day := getattr(row, name)) else None for name in ("start_date", "end_date")}
        found[row.organization_id].append({"id": row.id, "person_id": row.person_id, "role": row.role, **days})
    return found


def take_members(work: UnitOfWork, members: Mapping[str, Sequence[dict[str, Any]]], survivor: AnyCard) -> list[str]:
    """Members of these organizations are the survivor's. Answers the memberships that said nothing more and went."""
    cards = _load(work, {one["person_id"] for several in members.values() for one in several})
    gone: list[str] = []
    for card in cards:
        led = [_led(one, survivor) if one.organization_id in members else one for one in card.affiliations]
        card.affiliations = keep_once(led)
        gone += {one.id for one in led} - {one.id for one in card.affiliations}
    _store(work, cards)
    return gone


def give_members(
    work: UnitOfWork, members: Mapping[str, Sequence[dict[str, Any]]], gone: set[str], cards: Mapping[str, AnyCard],
    survivor_id: str,
) -> int:  # fmt: skip
    """Memberships that are still the survivor's are those of these organizations again.

    Answers how many are not, since somebody changed or ended them.
    """
    origins = {one["id"]: (organization_id, one) for organization_id, several in members.items() for one in several}
    persons = {one["person_id"] for _, one in origins.values()}
    current = dict(zip(persons, persons, strict=True)) | find_survivors(work, persons)
    changed, left = [], 0
    for card in _load(work, set(current.values())):
        mine = {key: origin for key, origin in origins.items() if current[origin[1]["person_id"]] == card.id}
        present = {one.id: one for one in card.affiliations}
        back = {
            key: _led(present[key], cards[organization_id])
            for key, (organization_id, _) in mine.items()
            if key in present and present[key].organization_id == survivor_id
        }
        again = [_made_again(origin, cards) for key, origin in mine.items() if key in gone and key not in present]
        left += len(mine) - len(back) - len(again)
        if back or again:
            card.affiliations = [*(back.get(one.id, one) for one in card.affiliations), *again]
            changed.append(card)
    _store(work, changed)
    return left


def claim_identities(work: UnitOfWork, cards: Sequence[AnyCard]) -> list[tuple[str, str, str]]:
    """Claim all identities of these cards. Answers, and lists as possible duplicates, those that others hold."""
    wanted: dict[str, tuple[str, str]] = {}
    for card in cards:
        for kind, digest in identities(card):
            wanted.setdefault(digest, (card.id, kind))
    holders = claim_keys(work, {digest: card_id for digest, (card_id, _) in wanted.items()})
    taken = [
        (wanted[digest][0], holder, SHARED[wanted[digest][1]])
        for digest, holder in holders.items()
        if holder != wanted[digest][0]
    ]
    if taken:
        list_pairs(work, type_of(cards[0]), taken)
    return taken


def _load(work: UnitOfWork, wanted: set[str]) -> list[PersonCard]:
    found = load_cards(work, person, sorted(wanted)).values()
    return [card for card in found if isinstance(card, PersonCard)]


def _store(work: UnitOfWork, cards: Sequence[PersonCard]) -> None:
    if cards:
        claim_identities(work, cards)
        update_cards(work, [(card, ["affiliations"]) for card in cards])


def _led(one: Affiliation, survivor: AnyCard) -> Affiliation:
    return one._replace(organization_id=survivor.id, organization_name=survivor.display_name)


def _made_again(origin: tuple[str, dict[str, Any]], cards: Mapping[str, AnyCard]) -> Affiliation:
    organization_id, kept = origin
    card = cards[organization_id]
    assert isinstance(card, OrganizationCard)
    days = {name: day_of(kept[name]) for name in ("start_date", "end_date")}
    return Affiliation(kept["id"], organization_id, card.display_name, kept["role"], **days)
