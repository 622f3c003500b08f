"""Pairs of cards that may be one customer: told when they arise, listed for a steward to decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from chassis import paging
from chassis.access import Access
from chassis.audit.entries import ACT, write_entry
from chassis.database import UnitOfWork
from chassis.dates import to_time
from chassis.errors import PageTokenInvalid
from chassis.ids import is_id
from chassis.prepared import Prepared
from contacts import lists
from contacts.alike.describing import BIRTH, FACT, MAIL, PLACE, STREET, TAX, TELEPHONE
from contacts.alike.scoring import probability_of
from contacts.cards import AnyCard
from contacts.errors import PossibleDuplicateNotFound
from contacts.fields import read_text
from contacts.naming import read_names
from contacts.storing import table_of, type_of
from contacts.tables import organization, person, possible_duplicate
from contacts.visibility import require_action, seen_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import CHANNELS, CUSTOMER
from units.visibility import Sight, sight_of

QUESTION = "possible_duplicates"
TABLES = {"person": person, "organization": organization}
MOST_NOTE = 300
ATTRIBUTES_MARK, ADDRESS_MARK = "customer.attributes", "customer.address"
MARKS = {
    BIRTH: "customer.birth_date", MAIL: CHANNELS, TELEPHONE: CHANNELS, STREET: ADDRESS_MARK, PLACE: ADDRESS_MARK,
    TAX: "customer.tax_id",
}  # fmt: skip


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
    """The page of pairs whose cards the caller may both see. Errors: PageTokenInvalid, FieldInvalid."""
    size = paging.page_size(request.page_size, 50, 200)
    question = f"{QUESTION}|{request.record_id}|{request.likeliest_first}|{request.dismissed}"
    after = paging.read_token(question, request.page_token) or [math.inf, 0]
    if not (len(after) == 2 and isinstance(after[0], float) and isinstance(after[1], int)):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    sight, values = sight_of(work.access, CUSTOMER)
    values |= {"after_bits": after[0], "after": after[1], "size": size + 1}
    if request.record_id:
        lists.check_id("record_id", request.record_id)
        values["record_id"] = request.record_id
    asked = Asked(bool(request.record_id), request.likeliest_first, request.dismissed)
    rows = work.fetch(_pairs(sight, asked), values)
    last = rows[size - 1] if len(rows) > size else None
    return pb.ListPossibleDuplicatesResponse(
        possible_duplicates=[_message(row, work.access) for row in rows[:size]],
        next_page_token=paging.make_token(question, [float(last.likely), last.id]) if last else "",
    )


def dismiss_possible_duplicate(
    work: UnitOfWork, request: pb.DismissPossibleDuplicateRequest
) -> pb.DismissPossibleDuplicateResponse:
    """Remember that a pair is two customers. Errors: PossibleDuplicateNotFound, FieldInvalid, NotPermitted."""
    note = read_text("note", request.note, MOST_NOTE)
    missing = PossibleDuplicateNotFound(request.first_id, request.second_id)
    if not (is_id(request.first_id) and is_id(request.second_id)):
        raise missing
    p = possible_duplicate.c
    first, second = sorted((request.first_id, request.second_id))
    pair = sa.and_(p.first_id == first, p.second_id == second)
    row = work.execute(sa.select(possible_duplicate).where(pair).with_for_update()).one_or_none()
    names = read_names(work, TABLES[row.record_type], [first, second]) if row else {}
    if row is None or len(names) < 2:
        raise missing
    for card_id in (first, second):
        require_action(work, TABLES[row.record_type], card_id)
    said = {
        "dismiss_time": work.now, "dismisser_id": work.access.user_id, "dismisser_name": work.access.user_name,
        "dismiss_note": note,
    }  # fmt: skip
    stored = work.execute(sa.update(possible_duplicate).where(pair).values(said).returning(possible_duplicate)).one()
    write_entry(work, ACT, "contacts/DismissPossibleDuplicate", row.record_type, [first, second], reason=note[:200])
    named = {**stored._mapping, "first_name": names[first], "second_name": names[second]}
    return pb.DismissPossibleDuplicateResponse(possible_duplicate=_message(SimpleNamespace(**named), work.access))


class Asked(NamedTuple):
    """Which pairs are listed and how."""

    of_record: bool
    likeliest_first: bool
    dismissed: bool


def _message(row: Any, access: Access) -> pb.PossibleDuplicate:
    return pb.PossibleDuplicate(
        record_type=row.record_type,
        first_id=row.first_id,
        first_name=row.first_name,
        second_id=row.second_id,
        second_name=row.second_name,
        reason=row.reason,
        probability=0.0 if row.bits is None else probability_of(row.bits),
        agreements=[
            pb.FieldAgreement(field=field, agreement=cast("pb.Agreement.ValueType", level), bits=bits)
            for field, level, bits in row.agreements or ()
            if not access.hides(_confidential_field(field))
        ],
        dismisser_name=row.dismisser_name,
        dismiss_time=to_time(row.dismiss_time),
        dismiss_note=row.dismiss_note,
    )


def _confidential_field(field: str) -> str:
    """Under which mark a compared field is confidential: that two values agree tells half of a hidden one."""
    return ATTRIBUTES_MARK if field.startswith(FACT) else MARKS.get(field, "")


@lru_cache(maxsize=64)
def _pairs(sight: Sight, asked: Asked) -> Prepared:
    """Pairs with the names of both cards, whatever their record type."""
    p = possible_duplicate.c
    # In the words of the index possible_duplicate_queue, which is not used for other ones.
    likely: sa.ColumnElement[float] = sa.literal(0.0, sa.Double)
    if asked.likeliest_first:
        likely = sa.literal_column("COALESCE(bits, -100)", sa.Double)
    place = sa.tuple_(-likely, p.id)
    after = sa.tuple_(-sa.bindparam("after_bits", type_=sa.Double), sa.bindparam("after", type_=p.id.type))
    names, conditions = (
        [],
        [place > after, p.dismiss_time.is_not(None) if asked.dismissed else p.dismiss_time.is_(None)],
    )
    joined: Any = possible_duplicate
    for side in ("first", "second"):
        found = []
        for table in TABLES.values():
            one = table.alias(f"{side}_{table.name}")
            joined = joined.outerjoin(
                one, sa.and_(p.record_type == table.name, one.c.id == p[f"{side}_id"], seen_cards(sight, one))
            )
            found.append(one.c.display_name)
        names.append(sa.func.coalesce(*found).label(f"{side}_name"))
        conditions.append(sa.func.coalesce(*found).is_not(None))
    if asked.of_record:
        record = sa.bindparam("record_id", type_=p.first_id.type)
        conditions.append(sa.or_(p.first_id == record, p.second_id == record))
    columns = (*possible_duplicate.c, likely.label("likely"), *names)
    found_pairs = sa.select(*columns).select_from(joined).where(*conditions).order_by(-likely, p.id)
    return Prepared(found_pairs.limit(sa.bindparam("size", type_=sa.Integer)))
