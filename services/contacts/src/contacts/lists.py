"""How cards of either type are read through the one filter: one, several, a page by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy.dialects.postgresql import TSQUERY

from chassis import paging
from chassis.database import UnitOfWork
from chassis.errors import DomainError, PageTokenInvalid
from chassis.ids import is_id
from chassis.prepared import Prepared
from contacts.cards import AnyCard
from contacts.errors import invalid
from contacts.narrowing import words_for
from contacts.queries import card_of, select_cards
from contacts.tables import affiliation
from contacts.visibility import known_under, owned_by, seen_cards
from contacts.words import sort_key_of
from units.visibility import Sight, get_unit, sight_of

MOST_AT_ONCE = 500


def read_one(work: UnitOfWork, table: sa.Table, card_id: str, missing: DomainError) -> AnyCard:
    """A visible card. Errors: `missing`."""
    if not is_id(card_id):
        raise missing
    sight, values = sight_of(work.access)
    found = work.fetch(_select_one(sight, table), {**values, "card_id": card_id})
    if not found:
        raise missing
    return card_of(table, found[0])


def require_seen(work: UnitOfWork, table: sa.Table, card_id: str, missing: DomainError) -> None:
    """Errors: `missing` for a card that the caller may not see, and for none."""
    sight, values = sight_of(work.access)
    if not is_id(card_id) or not work.fetch(_look_for(sight, table), {**values, "card_id": card_id}):
        raise missing


@lru_cache(maxsize=64)  # building a statement takes longer than running it
def _select_one(sight: Sight, table: sa.Table) -> Prepared:
    return Prepared(select_cards(table).where(*_one(sight, table)))


@lru_cache(maxsize=64)
def _look_for(sight: Sight, table: sa.Table) -> Prepared:
    return Prepared(sa.select(table.c.id).where(*_one(sight, table)))


def _one(sight: Sight, table: sa.Table) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.id == sa.bindparam("card_id", type_=table.c.id.type), seen_cards(sight, table)


def read_many(work: UnitOfWork, table: sa.Table, field: str, card_ids: Sequence[str]) -> list[AnyCard]:
    """The visible ones of up to 500 cards. Errors: FieldInvalid."""
    check_many(field, len(card_ids))
    sight, values = sight_of(work.access)
    values["card_ids"] = [one for one in card_ids if is_id(one)]
    return [card_of(table, row) for row in work.fetch(_select_many(sight, table), values)]


@lru_cache(maxsize=64)
def _select_many(sight: Sight, table: sa.Table) -> Prepared:
    asked = sa.bindparam("card_ids", type_=sa.ARRAY(table.c.id.type))
    return Prepared(select_cards(table).where(table.c.id == sa.any_(asked), seen_cards(sight, table)))


def check_many(field: str, count: int) -> None:
    """Errors: FieldInvalid for more ids than one call may ask for."""
    if count > MOST_AT_ONCE:
        raise invalid(field, f"has {count} ids; ask for at most {MOST_AT_ONCE} at a time", "TOO_MANY")


def read_page(
    work: UnitOfWork, table: sa.Table, request: Any, question: str, more: Mapping[str, Any] = MappingProxyType({})
) -> tuple[list[AnyCard], str]:
    """A page of visible cards by name, and the next token; `more` are further values by the names of CONDITIONS.

    Errors: PageTokenInvalid, FieldInvalid, UnitNotKnown.
    """
    size = paging.page_size(request.page_size, 50, MOST_AT_ONCE)
    sight, values = sight_of(work.access)
    values |= {**more, **wanted_cards(work, request), "size": size + 1}
    after = paging.read_token(question, request.page_token)
    if after is not None:
        values["after_name"], values["after_id"] = _mark(after)
    asked = frozenset(name for name in values if name in CONDITIONS)
    cards = [card_of(table, row) for row in work.fetch(_select_page(sight, table, asked), values)]
    if len(cards) <= size:
        return cards, ""
    last = cards[size - 1]
    return cards[:size], paging.make_token(question, [sort_key_of(last.display_name), last.id])


CONDITIONS: dict[str, Callable[[Any], sa.ColumnElement[bool]]] = {
    "paths": lambda table: known_under(table, "paths"),
    "owner": lambda table: owned_by(table, "owner"),
    "words": lambda table: table.c.search.bool_op("@@")(sa.cast(sa.bindparam("words", type_=sa.Text), TSQUERY)),
    "employer": lambda table: table.c.id.in_(
        sa.select(affiliation.c.person_id).where(
            affiliation.c.organization_id == sa.bindparam("employer", type_=affiliation.c.organization_id.type)
        )
    ),
    "individual": lambda table: table.c.individual_customer == sa.bindparam("individual", type_=sa.Boolean),
    "parent": lambda table: table.c.parent_id == sa.bindparam("parent", type_=table.c.parent_id.type),
    "after_name": lambda table: (
        sa.tuple_(table.c.sort_key, table.c.id)
        > sa.tuple_(sa.bindparam("after_name", type_=sa.Text), sa.bindparam("after_id", type_=table.c.id.type))
    ),
}


def conditions_of(sight: Sight, table: sa.Table, asked: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """The predicates of visible cards narrowed by what is asked."""
    return [seen_cards(sight, table), *(CONDITIONS[name](table) for name in sorted(asked))]


@lru_cache(maxsize=256)
def _select_page(sight: Sight, table: sa.Table, asked: frozenset[str]) -> Prepared:
    found = select_cards(table).where(*conditions_of(sight, table, asked)).order_by(table.c.sort_key, table.c.id)
    # How many cards have a word decides whether to go by names or by words; so it is with owners, of one or of many.
    replan = not asked.isdisjoint(("words", "owner", "employer"))
    return Prepared(found.limit(sa.bindparam("size", type_=sa.Integer)), replan=replan)


def question_of(name: str, request: Any) -> str:
    """What a page token belongs to: a question with all that narrows it."""
    asked = type(request)()
    asked.CopyFrom(request)
    asked.ClearField("page_size")
    asked.ClearField("page_token")
    return f"{name}|{asked.SerializeToString(deterministic=True).hex()}"


def wanted_cards(work: UnitOfWork, request: Any) -> dict[str, Any]:
    """What `unit_id`, `owner_id` and `query` of a request ask for, as values by the names of CONDITIONS.

    Errors: UnitNotKnown, FieldInvalid.
    """
    wanted: dict[str, Any] = {}
    if request.unit_id:
        wanted["paths"] = [get_unit(work, request.unit_id).path]
    if request.owner_id:
        check_id("owner_id", request.owner_id)
        wanted["owner"] = request.owner_id
    if request.query:
        wanted["words"] = words_for(work, request.query)
    return wanted


def _mark(after: list[Any]) -> tuple[str, str]:
    if len(after) != 2 or not isinstance(after[0], str) or "\x00" in after[0] or not is_id(str(after[1])):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    return after[0], str(after[1])


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
