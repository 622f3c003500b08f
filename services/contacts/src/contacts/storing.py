"""How cards are written: each set by one COPY or one batch of statements, with the events that tell of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts.cards import Affiliation, AnyCard, Card, OrganizationCard, PersonCard
from contacts.customer_fields.knowing import rules_for
from contacts.events import NO_VALUES, card_event, merged_event, removed_event
from contacts.tables import affiliation, block, channel, organization, person
from contacts.words import search_words, sort_key_of, vector_of
from units.owners import keep_owner_changes

SHARED = (
    "id", "version", "display_name", "sort_key", "unit_id", "unit_ids", "owner_id", "tax_id", "tax_country", "street",
    "city", "region", "postal_code", "country", "attributes", "tags", "creator_id", "create_time", "update_time",
    "search",
)  # fmt: skip
PERSON = (*SHARED, "given_name", "middle_name", "family_name", "birth_date", "individual_customer")
ORGANIZATION = (*SHARED, "industry", "parent_id", "name_key")
CHANNEL = ("owner_id", "position", "kind", "value", "raw", "extension", "label", "verified", "problem")
AFFILIATION = ("id", "person_id", "organization_id", "role", "start_date", "end_date")
COPY_FROM = 20  # cards; fewer are quicker in one statement
FIXED = frozenset({"id", "unit_id", "creator_id", "create_time"})


def table_of(card: AnyCard) -> sa.Table:
    """The table a card is kept in."""
    return person if isinstance(card, PersonCard) else organization


def type_of(card: AnyCard) -> str:
    """The word for a card's record type, also the aggregate of its events."""
    return "person" if isinstance(card, PersonCard) else "organization"


def columns_of(card: AnyCard) -> tuple[str, ...]:
    """The columns a card's row is written with."""
    return PERSON if isinstance(card, PersonCard) else ORGANIZATION


def insert_cards(work: UnitOfWork, cards: Sequence[AnyCard]) -> None:
    """Store new cards of one record type with all their parts, and say so."""
    if not cards:
        return
    for card in cards:
        card.version = 1
    parts = (
        (table_of(cards[0]), columns_of(cards[0]), [_row_of(card) for card in cards]),
        (channel, CHANNEL, [row for card in cards for row in _channel_rows(card)]),
        (affiliation, AFFILIATION, [row for card in cards for row in _affiliation_rows(card)]),
    )
    if len(cards) < COPY_FROM:
        _insert_few(work, parts)
    else:
        for table, columns, rows in parts:
            work.copy_rows(table, columns, rows)
    _tell(work, [(card, None) for card in cards])


def remove_cards(work: UnitOfWork, cards: Sequence[AnyCard], survivor_id: str, merge_id: str) -> None:
    """Take away cards of one record type with all their parts, since they became part of the survivor, and say so."""
    _take_away(work, cards, lambda card, values: merged_event(card, survivor_id, merge_id, values))


def take_back_cards(work: UnitOfWork, cards: Sequence[AnyCard]) -> None:
    """Take away cards of one record type with all their parts, since their import is undone, and say so."""
    _take_away(work, cards, removed_event)


def _take_away(
    work: UnitOfWork, cards: Sequence[AnyCard], event_of: Callable[[AnyCard, Mapping[str, str]], Any]
) -> None:  # fmt: skip
    """Delete cards of one record type with all their parts; `event_of` a card and its own fields' values says so."""
    if not cards:
        return
    table, removed = table_of(cards[0]), [card.id for card in cards]
    for kept, column in ((table, "id"), (channel, "owner_id"), (affiliation, "person_id"), (block, "record_id")):
        gone = sa.bindparam("gone", removed, type_=sa.ARRAY(kept.c[column].type))
        work.execute(sa.delete(kept).where(kept.c[column] == sa.any_(gone)))
    fields = rules_for(work, type_of(cards[0]), "")
    for card in cards:
        card.version += 1
        told = event_of(card, fields.shown(card.attributes))
        work.add_event(told, type_of(card), card.id, card.version, card.unit_path, card.id)


def restore_cards(work: UnitOfWork, cards: Sequence[AnyCard], survivor_id: str, merge_id: str) -> None:
    """Store cards that were taken away with all their parts again, and say so."""
    if not cards:
        return
    for card in cards:
        card.version += 2  # the merge was one
        card.update_time = work.now
    work.copy_rows(table_of(cards[0]), columns_of(cards[0]), [_row_of(card) for card in cards])
    work.copy_rows(channel, CHANNEL, [row for card in cards for row in _channel_rows(card)])
    work.copy_rows(affiliation, AFFILIATION, [row for card in cards for row in _affiliation_rows(card)])
    fields = rules_for(work, type_of(cards[0]), "")
    for card in cards:
        told = merged_event(card, survivor_id, merge_id, fields.shown(card.attributes), undone=True)
        work.add_event(told, type_of(card), card.id, card.version, card.unit_path, card.id)


def _insert_few(work: UnitOfWork, parts: Sequence[tuple[sa.Table, tuple[str, ...], list[tuple[Any, ...]]]]) -> None:
    """Insert into several tables in one statement, the rows as JSON: one trip to the server instead of two a table."""
    filled = [part for part in parts if part[2]]
    values = {
        table.name: orjson.dumps([_record_of(columns, row) for row in rows], default=str).decode()
        for table, columns, rows in filled
    }
    work.run_later(_insert_statement(tuple((table.name, columns) for table, columns, _ in filled)), values)


@lru_cache(maxsize=16)  # every mixture of a card's parts
def _insert_statement(parts: tuple[tuple[str, tuple[str, ...]], ...]) -> Prepared:
    inserts = []
    for table, columns in parts:
        names = ", ".join(f'"{name}"' for name in columns)
        rows = f"json_populate_recordset(NULL::{table}, CAST(:{table} AS json))"
        inserts.append(f"new_{table} AS (INSERT INTO {table} ({names}) SELECT {names} FROM {rows})")
    return Prepared(sa.text(f"WITH {', '.join(inserts)} SELECT 1"))


def _record_of(columns: tuple[str, ...], row: tuple[Any, ...]) -> dict[str, Any]:
    record = dict(zip(columns, row, strict=True))
    if "attributes" in record:
        record["attributes"] = orjson.loads(record["attributes"])
    return record


def update_cards(work: UnitOfWork, changes: Sequence[tuple[AnyCard, list[str]]], note: str = "") -> None:
    """Store changed cards, which the caller has locked, and say so; each with the fields that changed.

    A new responsible user is kept with the `note` in the history of owners.
    """
    if not changes:
        return
    cards = [card for card, _ in changes]
    _keep_owners(work, table_of(cards[0]), _having(changes, "owner_id"), note)
    for card in cards:
        card.version += 1
        card.update_time = work.now
    columns = columns_of(cards[0])
    work.execute(_update(table_of(cards[0]), columns), [_parameters(card, columns) for card in cards])
    _replace(work, channel, "owner_id", CHANNEL, _having(changes, "channels"), _channel_rows)
    _replace(work, affiliation, "person_id", AFFILIATION, _having(changes, "affiliations"), _affiliation_rows)
    _tell(work, changes)


def _tell(work: UnitOfWork, changes: Sequence[tuple[AnyCard, list[str] | None]]) -> None:
    """Say what became of cards of one type, each with the fields that changed, None of a new one."""
    record_type = type_of(changes[0][0])
    fields = rules_for(work, record_type, "")
    for card, changed in changes:
        values = fields.shown(card.attributes) if fields else NO_VALUES
        event = card_event(card, changed, values)
        work.add_event(event, record_type, card.id, card.version, card.unit_path, card.id)


def _having(changes: Sequence[tuple[AnyCard, list[str]]], field: str) -> list[AnyCard]:
    return [card for card, changed in changes if field in changed]


def _keep_owners(work: UnitOfWork, table: sa.Table, cards: list[AnyCard], note: str) -> None:
    if cards:
        ids = sa.bindparam("ids", [card.id for card in cards], type_=sa.ARRAY(table.c.id.type))
        found = work.execute(sa.select(table.c.id, table.c.owner_id).where(table.c.id == sa.any_(ids)))
        before = {row.id: row.owner_id for row in found}
        keep_owner_changes(work, [(card.id, before[card.id], card.owner_id) for card in cards], note)


def _replace(
    work: UnitOfWork, table: sa.Table, owner: str, columns: tuple[str, ...], cards: list[AnyCard], rows_of: Any
) -> None:
    if cards:
        owners = sa.bindparam("owners", [card.id for card in cards], type_=sa.ARRAY(table.c[owner].type))
        work.execute(sa.delete(table).where(table.c[owner] == sa.any_(owners)))
        work.copy_rows(table, columns, [row for card in cards for row in rows_of(card)])


def _update(table: sa.Table, columns: tuple[str, ...]) -> sa.Update:
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in columns if name not in FIXED}
    values["search"] = sa.cast(sa.bindparam("new_search", type_=sa.Text), TSVECTOR)
    values["attributes"] = sa.cast(sa.bindparam("new_attributes", type_=sa.Text), table.c.attributes.type)
    return sa.update(table).where(table.c.id == sa.bindparam("card_id")).values(values)


def _parameters(card: AnyCard, columns: tuple[str, ...]) -> dict[str, Any]:
    row = dict(zip(columns, _row_of(card), strict=True))
    return {"card_id": card.id, **{f"new_{name}": value for name, value in row.items() if name not in FIXED}}


def _row_of(card: AnyCard) -> tuple[Any, ...]:
    shared = _shared_row(card)
    if isinstance(card, PersonCard):
        return (
            *shared, card.given_name, card.middle_name, card.family_name, card.birth_date, card.individual_customer,
        )  # fmt: skip
    return (*shared, card.industry, card.parent_id or None, card.name_key[:MOST_KEY])


MOST_KEY = 600  # characters: a B-tree entry has room for 2,704 bytes


def _shared_row(card: PersonCard | OrganizationCard) -> tuple[Any, ...]:
    return (
        card.id, card.version, card.display_name, sort_key_of(card.display_name), card.unit_id, card.unit_ids,
        card.owner_id, card.tax_id, card.tax_country, *card.address, _json_of(card), card.tags, card.creator_id,
        card.create_time, card.update_time, vector_of(search_words(card)),
    )  # fmt: skip


def _json_of(card: Card) -> str:
    return orjson.dumps(card.attributes).decode() if card.attributes else "{}"


def _channel_rows(card: AnyCard) -> list[tuple[Any, ...]]:
    return [(card.id, position, *one) for position, one in enumerate(card.channels)]


def _affiliation_rows(card: AnyCard) -> list[tuple[Any, ...]]:
    if not isinstance(card, PersonCard):
        return []
    return [_affiliation_row(card.id, one) for one in card.affiliations]


def _affiliation_row(person_id: str, one: Affiliation) -> tuple[Any, ...]:
    return one.id, person_id, one.organization_id, one.role, one.start_date, one.end_date
