"""Tags of cards: short words that people give, each spelt one way on every card, found again and proposed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis import paging
from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts.cards import AnyCard
from contacts.errors import invalid
from contacts.fields import LABEL, read_text
from contacts.tables import customer_tag, organization, person
from contacts.visibility import seen_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import CUSTOMER
from units.visibility import Sight, sight_of
from units.wall import confirm_seen

MOST, MOST_ASKED = 30, 10
TABLES: dict[str, sa.Table] = {"person": person, "organization": organization}


def read_tags(field: str, written: Iterable[str], most: int = MOST) -> list[str]:
    """The tags without needless blanks, each once. Errors: FieldInvalid."""
    found: dict[str, str] = {}
    for text in written:
        tag = " ".join(read_text(field, text, LABEL).split())
        if "," in tag:
            raise invalid(field, f"{tag!r} has a comma; write two tags, or leave the comma out", "COMMA")
        if tag:
            found.setdefault(fold_tag(tag), tag)
    if len(found) > most:
        raise invalid(field, f"has {len(found)} tags; at most {most} are kept", "TOO_MANY")
    return list(found.values())


def fold_tag(tag: str) -> str:
    """Equal for two spellings of one tag."""
    return unicodedata.normalize("NFC", tag).casefold()


def spell_tags(work: UnitOfWork, tags: Sequence[str]) -> list[str]:
    """The tags as they are spelt; one that is new is spelt so from now on.

    Before the cards are locked, in the order of their keys: who use a new tag at once wait for each other here only.
    """
    known = _known(work, tags)
    new = {key: tag for tag in tags if (key := fold_tag(tag)) not in known}
    if new:
        rows = [{"key": key, "name": new[key]} for key in sorted(new)]
        work.execute(insert(customer_tag).values(rows).on_conflict_do_nothing())
        known = _known(work, tags)
    return [known[fold_tag(tag)] for tag in tags]


def spell_cards(work: UnitOfWork, cards: Iterable[AnyCard], *, looking: bool = False) -> None:
    """Spell the tags of cards that are not stored yet; `looking` makes no tag known."""
    tagged = [card for card in cards if card.tags]
    tags = list(dict.fromkeys(tag for card in tagged for tag in card.tags))
    if not tags:
        return
    spelt = dict(zip(tags, wanted_tags(work, tags) if looking else spell_tags(work, tags), strict=True))
    for card in tagged:
        card.tags = [spelt[tag] for tag in card.tags]


def wanted_tags(work: UnitOfWork, tags: Sequence[str]) -> list[str]:
    """The tags as cards have them; one that nobody uses stays as written."""
    known = _known(work, tags)
    return [known.get(fold_tag(tag), tag) for tag in tags]


def tagged_with(table: Any, name: str) -> sa.ColumnElement[bool]:
    """Predicate: cards with all tags of a list; said so that the index, which has tagged cards, fits."""
    asked = sa.bindparam(name, type_=ARRAY(sa.Text))
    return sa.and_(table.c.tags.contains(asked), _some(table))


def list_customer_tags(work: UnitOfWork, request: pb.ListCustomerTagsRequest) -> pb.ListCustomerTagsResponse:
    """The tags of visible cards by name. Errors: FieldInvalid."""
    if request.record_type not in ("", *TABLES):
        raise invalid("record_type", f"is {request.record_type[:40]!r}; use person or organization")
    kinds = (request.record_type,) if request.record_type else tuple(TABLES)
    beginning = fold_tag(" ".join(read_text("query", request.query, LABEL).split()))
    escaped = beginning.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    sight, values = sight_of(work.access, CUSTOMER)
    values |= {"pattern": f"% {escaped}%", "size": paging.page_size(request.page_size, 20, 200)}
    rows = work.fetch(_select_tags(sight, kinds), values)
    seen = {
        kind: confirm_seen(work, TABLES[kind], [one for row in rows if (one := getattr(row, kind))]) for kind in kinds
    }
    shown = [row.name for row in rows if any(getattr(row, kind) in seen[kind] for kind in kinds)]
    return pb.ListCustomerTagsResponse(tags=shown)


@lru_cache(maxsize=64)
def _select_tags(sight: Sight, kinds: tuple[str, ...]) -> Prepared:
    """Tags with one visible card of each type that has them, which the wall is asked about afterwards."""
    c = customer_tag.c
    cards = [_one_card(sight, TABLES[kind]).label(kind) for kind in kinds]
    named = sa.select(c.key, c.name, *cards).where((" " + c.key).like(sa.bindparam("pattern", type_=sa.Text)))
    found = named.subquery()
    used = sa.or_(*(found.c[kind].is_not(None) for kind in kinds))
    size = sa.bindparam("size", type_=sa.Integer)
    return Prepared(sa.select(found).where(used).order_by(found.c.key).limit(size), finds=True)


def _one_card(sight: Sight, table: sa.Table) -> sa.ScalarSelect[Any]:
    c = table.c
    has = sa.and_(c.tags.contains(postgresql.array([customer_tag.c.name])), _some(table))
    return sa.select(c.id).where(has, seen_cards(sight, table)).limit(1).scalar_subquery()


def _some(table: Any) -> sa.ColumnElement[bool]:
    some: sa.ColumnElement[bool] = table.c.tags != sa.literal_column("'{}'::text[]")
    return some


def _known(work: UnitOfWork, tags: Sequence[str]) -> dict[str, str]:
    if not tags:
        return {}
    c = customer_tag.c
    keys = sa.bindparam("keys", [fold_tag(tag) for tag in tags], type_=ARRAY(sa.Text))
    return {row.key: row.name for row in work.execute(sa.select(c.key, c.name).where(c.key == sa.any_(keys)))}
