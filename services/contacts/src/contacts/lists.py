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
from contacts.customer_fields.conditions import is_condition, predicate, read_conditions
from contacts.errors import CustomerMerged, invalid
from contacts.narrowing import words_for
from contacts.queries import card_of, select_cards
from contacts.segments.seeing import find_segment
from contacts.tables import affiliation, segment_member
from contacts.tags import MOST_ASKED, read_tags, tagged_with, wanted_tags
from contacts.visibility import known_under, owned_by, seen_cards
from contacts.words import sort_key_of
from units.merges import find_survivors
from units.records import CUSTOMER
from units.visibility import Sight, get_unit, sight_of
from units.wall import confirm_seen

MOST_AT_ONCE = 500


def read_one(work: UnitOfWork, table: sa.Table, card_id: str, missing: DomainError) -> AnyCard:
    """A visible card. Errors: `missing`, CustomerMerged."""
    if not is_id(card_id):
        raise missing
    sight, values = sight_of(work.access, CUSTOMER)
    found = work.fetch(_select_one(sight, table), {**values, "card_id": card_id})
    if not found:
        raise merged_or(work, table, card_id, missing)
    return card_of(table, found[0])


def read_current(work: UnitOfWork, table: sa.Table, card_id: str, missing: DomainError) -> AnyCard:
    """A visible card, or the one that it was merged into. Errors: `missing`."""
    try:
        return read_one(work, table, card_id, missing)
    except CustomerMerged as merged:
        return read_one(work, table, merged.metadata["survivor_id"], missing)


def require_seen(work: UnitOfWork, table: sa.Table, card_id: str, missing: DomainError) -> str:
    """The id of a visible card, or of the one that it was merged into.

    Errors: `missing` for a card that the caller may not see, and for none.
    """
    if not is_id(card_id):
        raise missing
    if is_seen(work, table, card_id):
        return card_id
    refusal = merged_or(work, table, card_id, missing)
    if isinstance(refusal, CustomerMerged):
        return refusal.metadata["survivor_id"]
    raise refusal


def is_seen(work: UnitOfWork, table: sa.Table, card_id: str) -> bool:
    """Tell whether there is such a card and the caller may see it."""
    sight, values = sight_of(work.access, CUSTOMER)
    return bool(work.fetch(_look_for(sight, table), {**values, "card_id": card_id}))


def merged_or(work: UnitOfWork, table: sa.Table, card_id: str, missing: DomainError) -> DomainError:
    """Why a card is not there: it was merged into one that the caller may see, or `missing`."""
    survivor_id = find_survivors(work, [card_id]).get(card_id, "")
    if survivor_id and is_seen(work, table, survivor_id):
        return CustomerMerged(table.name, card_id, survivor_id)
    return missing


@lru_cache(maxsize=64)  # building a statement takes longer than running it
def _select_one(sight: Sight, table: sa.Table) -> Prepared:
    return Prepared(select_cards(table).where(*_one(sight, table)))


@lru_cache(maxsize=64)
def _look_for(sight: Sight, table: sa.Table) -> Prepared:
    return Prepared(sa.select(table.c.id).where(*_one(sight, table)))


def _one(sight: Sight, table: sa.Table) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return table.c.id == sa.bindparam("card_id", type_=table.c.id.type), seen_cards(sight, table)


def read_many(
    work: UnitOfWork, table: sa.Table, field: str, card_ids: Sequence[str]
) -> tuple[list[AnyCard], dict[str, str]]:
    """The visible ones of up to 500 cards, and by each id whose card was merged: the one read instead.

    Errors: FieldInvalid.
    """
    check_many(field, len(card_ids))
    found = read_visible(work, table, card_ids)
    survivors = _missing_survivors(work, card_ids, {one.id for one in found})
    more = read_visible(work, table, sorted(set(survivors.values()) - {one.id for one in found}))
    seen = {one.id for one in (*found, *more)}
    return [*found, *more], {merged: id_ for merged, id_ in survivors.items() if id_ in seen}


def read_visible(work: UnitOfWork, table: sa.Table, card_ids: Sequence[str]) -> list[AnyCard]:
    """The visible ones of these very cards."""
    sight, values = sight_of(work.access, CUSTOMER)
    values["card_ids"] = [one for one in card_ids if is_id(one)]
    if not values["card_ids"]:
        return []
    return [card_of(table, row) for row in work.fetch(_select_many(sight, table), values)]


def _missing_survivors(work: UnitOfWork, card_ids: Sequence[str], found: set[str]) -> dict[str, str]:
    missing = [one for one in card_ids if one not in found]
    return find_survivors(work, missing) if missing else {}


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
    sight, values = sight_of(work.access, CUSTOMER)
    values |= {**more, **wanted_cards(work, request), "size": size + 1}
    after = paging.read_token(question, request.page_token)
    if after is not None:
        values["after_name"], values["after_id"] = _mark(after)
    values |= read_conditions(work, table.name, request.field_conditions)
    asked = narrowed_by(values)
    cards = [card_of(table, row) for row in work.fetch(_select_page(sight, table, asked), values)]
    seen = confirm_seen(work, table, [one.id for one in cards[:size]])
    shown = [one for one in cards[:size] if one.id in seen]
    if len(cards) <= size:
        return shown, ""
    last = cards[size - 1]
    return shown, paging.make_token(question, [sort_key_of(last.display_name), last.id])


CONDITIONS: dict[str, Callable[[Any], sa.ColumnElement[bool]]] = {
    "paths": lambda table: known_under(table, "paths"),
    "owner": lambda table: owned_by(table, "owner"),
    "words": lambda table: table.c.search.bool_op("@@")(sa.cast(sa.bindparam("words", type_=sa.Text), TSQUERY)),
    "tags": lambda table: tagged_with(table, "tags"),
    "employer": lambda table: table.c.id.in_(
        sa.select(affiliation.c.person_id).where(
            affiliation.c.organization_id == sa.bindparam("employer", type_=affiliation.c.organization_id.type)
        )
    ),
    "only": lambda table: table.c.id == sa.any_(sa.bindparam("only", type_=sa.ARRAY(table.c.id.type))),
    "segment": lambda table: table.c.id.in_(
        sa.select(segment_member.c.person_id).where(
            segment_member.c.segment_id == sa.bindparam("segment", type_=segment_member.c.segment_id.type)
        )
    ),
    "home": lambda table: table.c.unit_id == sa.bindparam("home", type_=table.c.unit_id.type),
    "unowned": lambda table: table.c.owner_id == sa.literal_column("''"),
    "individual": lambda table: table.c.individual_customer == sa.bindparam("individual", type_=sa.Boolean),
    "parent": lambda table: table.c.parent_id == sa.bindparam("parent", type_=table.c.parent_id.type),
    "after_name": lambda table: (
        sa.tuple_(table.c.sort_key, table.c.id)
        > sa.tuple_(sa.bindparam("after_name", type_=sa.Text), sa.bindparam("after_id", type_=table.c.id.type))
    ),
}


def conditions_of(sight: Sight, table: sa.Table, asked: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """The predicates of visible cards narrowed by what is asked."""
    return [seen_cards(sight, table), *wanted_by(table, asked)]


def narrowed_by(values: Mapping[str, Any]) -> frozenset[str]:
    """The names of conditions among values."""
    return frozenset(name for name in values if name in CONDITIONS or is_condition(name))


def wanted_by(table: Any, asked: Iterable[str]) -> list[sa.ColumnElement[bool]]:
    """The predicates of these names."""
    return [predicate(name, table) if is_condition(name) else CONDITIONS[name](table) for name in sorted(asked)]


@lru_cache(maxsize=256)
def _select_page(sight: Sight, table: sa.Table, asked: frozenset[str]) -> Prepared:
    found = select_cards(table).where(*conditions_of(sight, table, asked)).order_by(table.c.sort_key, table.c.id)
    # How many cards have a word decides whether to go by names or by words; so it is with owners, of one or of many.
    replan = not asked.isdisjoint(("words", "owner", "employer", "tags", "segment")) or any(map(is_condition, asked))
    return Prepared(found.limit(sa.bindparam("size", type_=sa.Integer)), replan=replan, finds=True)


def question_of(name: str, request: Any) -> str:
    """What a page token belongs to: a question with all that narrows it."""
    asked = type(request)()
    asked.CopyFrom(request)
    asked.ClearField("page_size")
    asked.ClearField("page_token")
    return f"{name}|{asked.SerializeToString(deterministic=True).hex()}"


def wanted_cards(work: UnitOfWork, request: Any) -> dict[str, Any]:
    """What a request narrows customers to, as values by the names of CONDITIONS.

    Errors: UnitNotKnown, SegmentNotFound, FieldInvalid.
    """
    wanted: dict[str, Any] = {}
    if request.unit_id:
        wanted["paths"] = [get_unit(work, request.unit_id).path]
    if request.owner_id:
        check_id("owner_id", request.owner_id)
        wanted["owner"] = request.owner_id
    if getattr(request, "home_unit_id", ""):
        check_id("home_unit_id", request.home_unit_id)
        wanted["home"] = request.home_unit_id
    if getattr(request, "without_owner", False):
        wanted["unowned"] = True
    if request.tags:
        wanted["tags"] = wanted_tags(work, read_tags("tags", request.tags, MOST_ASKED))
    if getattr(request, "segment_id", ""):
        wanted["segment"] = find_segment(work, request.segment_id).id
    if request.query:
        wanted["words"] = words_for(work, request.query)
    return wanted


def only_these(field: str, card_ids: Sequence[str]) -> dict[str, Any]:
    """The condition of a list of named cards, by its name in CONDITIONS, if any is named. Errors: FieldInvalid."""
    check_many(field, len(card_ids))
    for one in card_ids:
        check_id(field, one)
    return {"only": list(card_ids)} if card_ids else {}


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
