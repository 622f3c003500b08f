"""How the fields of a card are changed one by one, and its identities with them."""

from __future__ import annotations

from copy import copy
from typing import Any

from google.protobuf.json_format import MessageToJson

from chassis.database import UnitOfWork
from chassis.errors import DomainError, StaleEtag
from contacts import keys
from contacts.cards import AnyCard, PersonCard, changed_fields
from contacts.claiming import claim_keys, release_keys
from contacts.deciding import SHARED
from contacts.errors import MatchKeyTaken, invalid
from contacts.joining import identities
from contacts.known_elsewhere import known_elsewhere, sees
from contacts.messages import organization_message, person_message
from contacts.queries import load_cards
from contacts.recording import list_pairs
from contacts.rules import find_veto
from contacts.storing import table_of, type_of, update_cards

UNSURE = keys.HINTS | {keys.NAME_ORG, keys.BARE}  # shared by namesakes: listed, not refused
MOST_CURRENT = 3_000  # bytes: the values travel in a trailer, of which gRPC takes 8 KiB


def check_etag(work: UnitOfWork, card: AnyCard, etag: str) -> None:
    """Errors: StaleEtag with the current values, FieldInvalid where a person's call names no version."""
    if not etag and work.access.user_id:
        raise invalid("etag", "is empty; send the etag of the card you read", "MISSING")
    if etag and etag != str(card.version):
        message = person_message(card) if isinstance(card, PersonCard) else organization_message(card)
        current = MessageToJson(message, indent=None, ensure_ascii=False)
        metadata = {"etag": str(card.version), **({"current": current} if len(current.encode()) < MOST_CURRENT else {})}
        raise StaleEtag(f"the {type_of(card)} changed since you read it; read it again", metadata=metadata)


def store_changes(work: UnitOfWork, before: AnyCard, card: AnyCard) -> list[str]:
    """Store what differs between two states of one locked card and answer the fields.

    Errors: MatchKeyTaken, KnownElsewhere.
    """
    changed = changed_fields(before, card)
    if not changed:
        return []
    old, new = ({digest: kind for kind, digest in identities(one)} for one in (before, card))
    _claim(work, card, {digest: kind for digest, kind in new.items() if digest not in old})
    release_keys(work, {digest: card.id for digest in old if digest not in new})
    update_cards(work, [(card, changed)])
    return changed


def _claim(work: UnitOfWork, card: AnyCard, wanted: dict[str, str]) -> None:
    """Claim digests, each given with its kind. Errors: MatchKeyTaken."""
    holders = claim_keys(work, dict.fromkeys(wanted, card.id))
    taken = {digest: holder for digest, holder in holders.items() if holder != card.id}
    strong = {digest: holder for digest, holder in taken.items() if wanted[digest] not in UNSURE}
    others = load_cards(work, table_of(card), sorted(set(strong.values())))
    for digest, holder in strong.items():
        kind = wanted[digest]
        if holder in others and not find_veto(kind, "", "", card, others[holder]):
            if not sees(work, others[holder].unit_ids, others[holder].owner_id):
                raise known_elsewhere(work, others[holder])
            raise MatchKeyTaken(type_of(card), holder, SHARED[kind])
    pairs = [(card.id, holder, SHARED[wanted[digest]]) for digest, holder in taken.items()]
    list_pairs(work, type_of(card), pairs)


def read_for_change(work: UnitOfWork, table: Any, card_id: str, missing: DomainError) -> AnyCard:
    """A card, locked. Errors: `missing` where there is none."""
    card = load_cards(work, table, [card_id]).get(card_id)
    if card is None:
        raise missing
    return card


def copy_card(card: AnyCard) -> AnyCard:
    """The state to compare with later: collections of cards are replaced, never changed in place."""
    return copy(card)
