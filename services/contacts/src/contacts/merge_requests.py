"""What a call to merge cards asks for, and whether the caller may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.access import ASSIGN, CHANGE
from chassis.database import UnitOfWork
from chassis.errors import DomainError, NotPermitted
from contacts import lists
from contacts.cards import AnyCard
from contacts.changing import check_etag
from contacts.combining import choices_of
from contacts.errors import OrganizationNotFound, PersonNotFound, invalid
from contacts.fields import read_text
from contacts.queries import ids, load_cards
from contacts.tables import organization, person
from contacts.visibility import visible_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import CUSTOMER, FIELDS

TABLES = {"person": person, "organization": organization}
MOST_CARDS, MOST_NOTE = 20, 300


@dataclass(frozen=True, slots=True)
class Wanted:
    """A merge as asked for: the cards, locked, the survivor first."""

    table: sa.Table
    cards: Sequence[AnyCard]
    choices: Mapping[str, str]
    note: str

    @property
    def survivor(self) -> AnyCard:
        """The card that stays."""
        return self.cards[0]

    @property
    def merged_ids(self) -> list[str]:
        """The cards that become part of it."""
        return [card.id for card in self.cards[1:]]


def table_named(record_type: str) -> sa.Table:
    """The table of a record type. Errors: FieldInvalid."""
    if record_type not in TABLES:
        raise invalid("record_type", "is neither person nor organization", "UNKNOWN")
    return TABLES[record_type]


def missing_card(table: sa.Table, card_id: str) -> DomainError:
    """The refusal of a card that is not there for the caller."""
    return PersonNotFound(card_id) if table is person else OrganizationNotFound(card_id)


def read_merge(work: UnitOfWork, request: pb.MergeCustomersRequest) -> Wanted:
    """What is asked for, its cards locked.

    Errors: FieldInvalid, PersonNotFound, OrganizationNotFound, CustomerMerged, StaleEtag, NotPermitted.
    """
    table = table_named(request.record_type)
    etags = {one.id: one.etag for one in request.cards}
    if len(etags) != len(request.cards) or not 2 <= len(etags) <= MOST_CARDS:
        raise invalid("cards", f"has {len(request.cards)} entries; name 2 to {MOST_CARDS} cards, each once", "COUNT")
    if request.survivor_id not in etags:
        raise invalid("survivor_id", "is none of the cards; choose the one that stays", "UNKNOWN")
    note = read_text("note", request.note, MOST_NOTE)
    require_cards(work, table, list(etags))
    known = load_cards(work, table, list(etags))
    for card_id in etags:
        if card_id not in known:  # it became part of another one just now
            raise lists.merged_or(work, table, card_id, missing_card(table, card_id))
        check_etag(work, known[card_id], etags[card_id])
    order = sorted(etags, key=lambda one: one != request.survivor_id)
    wanted = Wanted(table, [known[one] for one in order], dict(request.choices), note)
    _check_choices(work, wanted)
    return wanted


def require_cards(work: UnitOfWork, table: sa.Table, card_ids: Sequence[str], action: str = CHANGE) -> None:
    """Errors: unless the caller sees and may change each card: PersonNotFound …, CustomerMerged, NotPermitted."""
    seen = {card.id for card in lists.read_visible(work, table, card_ids)}
    for card_id in card_ids:
        if card_id not in seen:
            raise lists.merged_or(work, table, card_id, missing_card(table, card_id))
    allowed = sa.select(table.c.id).where(
        table.c.id == sa.any_(ids(card_ids)), visible_cards(work.access, table, action)
    )
    may = set(work.execute(allowed).scalars())
    for card_id in card_ids:
        if card_id not in may:
            raise NotPermitted(
                f"your positions do not allow to {action} one of these cards",
                metadata={"action": action, "records": CUSTOMER, "record": card_id},
            )


def _check_choices(work: UnitOfWork, wanted: Wanted) -> None:
    """Errors: FieldInvalid, NotPermitted for a field that is hidden from the caller, and for another owner."""
    known = choices_of(wanted.survivor)
    here = {card.id for card in wanted.cards}
    for field, card_id in wanted.choices.items():
        if field not in known:
            raise invalid("choices", f"{field[:50]!r} cannot be chosen; name some of {', '.join(known)}", "UNKNOWN")
        if card_id not in here:
            raise invalid("choices", f"the card chosen for {field} is none of those merged", "UNKNOWN")
        if hides_field(work, field):
            raise NotPermitted(f"you may not see {field}, so you cannot choose it", metadata={"field": field})
    chosen = wanted.choices.get("owner_id", wanted.survivor.id)
    owner: Any = next(card.owner_id for card in wanted.cards if card.id == chosen)
    if owner and wanted.survivor.owner_id and owner != wanted.survivor.owner_id:
        require_cards(work, wanted.table, [wanted.survivor.id], ASSIGN)


def hides_field(work: UnitOfWork, field: str) -> bool:
    """Tell whether a field of cards is hidden from the caller."""
    return field in FIELDS[CUSTOMER] and work.access.hides(f"{CUSTOMER}.{field}")
