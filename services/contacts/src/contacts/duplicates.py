"""Pairs of cards that may be one customer: told when they arise, listed for a steward to decide."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from chassis import paging
from chassis.database import UnitOfWork
from chassis.errors import PageTokenInvalid
from chassis.prepared import Prepared
from contacts import lists
from contacts.cards import AnyCard
from contacts.naming import read_names
from contacts.storing import table_of, type_of
from contacts.tables import organization, person, possible_duplicate
from contacts.visibility import seen_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.visibility import Sight, sight_of

QUESTION = "possible_duplicates"


def tell_pairs(work: UnitOfWork, card: AnyCard, pairs: Sequence[tuple[str, str]]) -> list[pb.PossibleDuplicate]:
    """The pairs of a card whose other card the caller may see."""
    if not pairs:
        return []
    names = read_names(work, table_of(card), [other for other, _ in pairs])
    names[card.id] = card.display_name
    return [
        pb.PossibleDuplicate(
            record_type=type_of(card),
            first_id=first,
            first_name=names[first],
            second_id=second,
            second_name=names[second],
            reason=shared,
        )
        for other, shared in pairs
        if other in names
        for first, second in [sorted((card.id, other))]
    ]


def list_possible_duplicates(
    work: UnitOfWork, request: pb.ListPossibleDuplicatesRequest
) -> pb.ListPossibleDuplicatesResponse:
    """The page of pairs whose cards the caller may both see, oldest first. Errors: PageTokenInvalid, FieldInvalid."""
    size = paging.page_size(request.page_size, 50, 200)
    question = f"{QUESTION}|{request.record_id}"
    after = paging.read_token(question, request.page_token) or [0]
    if not isinstance(after[0], int):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    sight, values = sight_of(work.access)
    values |= {"after": after[0], "size": size + 1}
    if request.record_id:
        lists.check_id("record_id", request.record_id)
        values["record_id"] = request.record_id
    rows = work.fetch(_pairs(sight, bool(request.record_id)), values)
    token = paging.make_token(question, [rows[size - 1].id]) if len(rows) > size else ""
    return pb.ListPossibleDuplicatesResponse(
        possible_duplicates=[
            pb.PossibleDuplicate(
                record_type=row.record_type,
                first_id=row.first_id,
                first_name=row.first_name,
                second_id=row.second_id,
                second_name=row.second_name,
                reason=row.reason,
            )
            for row in rows[:size]
        ],
        next_page_token=token,
    )


@lru_cache(maxsize=32)
def _pairs(sight: Sight, of_record: bool) -> Prepared:
    """Pairs with the names of both cards, whatever their record type."""
    p = possible_duplicate.c
    names, conditions = [], [p.id > sa.bindparam("after", type_=p.id.type)]
    joined: Any = possible_duplicate
    for side in ("first", "second"):
        found = []
        for table in (person, organization):
            one = table.alias(f"{side}_{table.name}")
            joined = joined.outerjoin(
                one, sa.and_(p.record_type == table.name, one.c.id == p[f"{side}_id"], seen_cards(sight, one))
            )
            found.append(one.c.display_name)
        names.append(sa.func.coalesce(*found).label(f"{side}_name"))
        conditions.append(sa.func.coalesce(*found).is_not(None))
    if of_record:
        asked = sa.bindparam("record_id", type_=p.first_id.type)
        conditions.append(sa.or_(p.first_id == asked, p.second_id == asked))
    columns = (p.id, p.record_type, p.first_id, p.second_id, p.reason, *names)
    found_pairs = sa.select(*columns).select_from(joined).where(*conditions).order_by(p.id)
    return Prepared(found_pairs.limit(sa.bindparam("size", type_=sa.Integer)))
