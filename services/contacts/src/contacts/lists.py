"""How cards of either type are read through the one filter: one, several, a page by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy.dialects.postgresql import UUID

from chassis import paging
from chassis.access import Access
from chassis.database import UnitOfWork
from chassis.errors import DomainError, PageTokenInvalid
from chassis.ids import is_id
from chassis.prepared import Prepared
from contacts.cards import AnyCard
from contacts.errors import invalid
from contacts.narrowing import found_by
from contacts.queries import card_of, ids, read_cards, select_cards
from contacts.visibility import known_below, visible_cards
from contacts.words import sort_key_of
from units.visibility import get_unit

MOST_AT_ONCE = 500


def read_one(work: UnitOfWork, table: sa.Table, card_id: str, missing: DomainError) -> AnyCard:
    """A visible card. Errors: `missing`."""
    if not is_id(card_id):
        raise missing
    found = work.fetch(_select_one(table, work.access), {"card_id": card_id})
    if not found:
        raise missing
    return card_of(table, found[0])


@lru_cache(maxsize=512)  # building the statement takes longer than running it, and a caller asks again and again
def _select_one(table: sa.Table, access: Access) -> Prepared:
    wanted = table.c.id == sa.bindparam("card_id")
    return Prepared(select_cards(table).where(wanted, visible_cards(access, table)))


def read_many(work: UnitOfWork, table: sa.Table, field: str, card_ids: Sequence[str]) -> list[AnyCard]:
    """The visible ones of up to 500 cards. Errors: FieldInvalid."""
    if len(card_ids) > MOST_AT_ONCE:
        raise invalid(field, f"has {len(card_ids)} ids; ask for at most {MOST_AT_ONCE} at a time", "TOO_MANY")
    wanted = table.c.id == sa.any_(ids(card_ids))
    return read_cards(work, table, select_cards(table).where(wanted, visible_cards(work.access, table)))


def read_page(
    work: UnitOfWork, table: sa.Table, request: Any, question: str, more: Sequence[sa.ColumnElement[bool]] = ()
) -> tuple[list[AnyCard], str]:
    """A page of visible cards by name, and the next token. Errors: PageTokenInvalid, FieldInvalid, UnitNotKnown."""
    size = paging.page_size(request.page_size, 50, MOST_AT_ONCE)
    where = [visible_cards(work.access, table), *more]
    where += wanted_cards(work, table, request)
    after = paging.read_token(question, request.page_token)
    if after is not None:
        where.append(sa.tuple_(table.c.sort_key, table.c.id) > sa.tuple_(*_mark(after)))
    statement = select_cards(table).where(*where).order_by(table.c.sort_key, table.c.id).limit(size + 1)
    cards = read_cards(work, table, statement)
    if len(cards) <= size:
        return cards, ""
    last = cards[size - 1]
    return cards[:size], paging.make_token(question, [sort_key_of(last.display_name), last.id])


def question_of(name: str, request: Any) -> str:
    """What a page token belongs to: a question with all that narrows it."""
    asked = type(request)()
    asked.CopyFrom(request)
    asked.ClearField("page_size")
    asked.ClearField("page_token")
    return f"{name}|{asked.SerializeToString(deterministic=True).hex()}"


def wanted_cards(work: UnitOfWork, table: sa.Table, request: Any) -> list[sa.ColumnElement[bool]]:
    """The predicates for `unit_id`, `owner_id` and `query` of a request. Errors: UnitNotKnown, FieldInvalid."""
    where: list[sa.ColumnElement[bool]] = []
    if request.unit_id:
        where.append(known_below(table, get_unit(work, request.unit_id).path))
    if request.owner_id:
        check_id("owner_id", request.owner_id)
        where.append(table.c.owner_id == request.owner_id)
    if request.query:
        where.append(found_by(work, table, request.query))
    return where


def _mark(after: list[Any]) -> tuple[Any, Any]:
    if len(after) != 2 or not isinstance(after[0], str) or "\x00" in after[0] or not is_id(str(after[1])):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    return sa.literal(after[0], sa.Text), sa.literal(after[1], UUID(as_uuid=False))


def check_id(field: str, text: str) -> None:
    """Errors: FieldInvalid unless the text is an id."""
    if not is_id(text):
        raise invalid(field, f"{text[:50]!r} is not an id", "NOT_AN_ID")


def read_mask(mask: FieldMask, fields: Mapping[str, Any]) -> list[str]:
    """The fields a mask names, each once. Errors: FieldInvalid where it names none or one that cannot be changed."""
    paths = list(dict.fromkeys(path.partition(".")[0] for path in mask.paths))
    unknown = [path for path in paths if path not in fields]
    if not paths or unknown:
        trouble = f"{', '.join(unknown)[:200]} cannot be changed" if unknown else "names no field"
        raise invalid("update_mask", f"{trouble}; name some of {', '.join(fields)}", "UNKNOWN")
    return paths
