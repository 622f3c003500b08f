"""What cards are called, for those who show them beside records of their own: no more of a card than its name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import is_id
from chassis.prepared import Prepared
from contacts import lists
from contacts.tables import organization, person
from contacts.visibility import seen_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.merges import find_survivors
from units.records import CUSTOMER
from units.visibility import Sight, sight_of


def batch_get_customer_names(
    work: UnitOfWork, request: pb.BatchGetCustomerNamesRequest
) -> pb.BatchGetCustomerNamesResponse:
    """The names of up to 500 customers, those visible. Errors: FieldInvalid."""
    lists.check_many("person_ids", len(request.person_ids) + len(request.organization_ids))
    persons, of_persons = _read_current_names(work, person, request.person_ids)
    others, of_others = _read_current_names(work, organization, request.organization_ids)
    return pb.BatchGetCustomerNamesResponse(
        person_names=persons, organization_names=others, survivors={**of_persons, **of_others}
    )


def _read_current_names(
    work: UnitOfWork, table: sa.Table, card_ids: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Names by the ids asked for, those of merged cards too; and which card these lead to."""
    names = read_names(work, table, card_ids)
    missing = [one for one in card_ids if one not in names]
    survivors = find_survivors(work, missing) if missing else {}
    more = read_names(work, table, sorted(set(survivors.values())))
    led = {merged: id_ for merged, id_ in survivors.items() if id_ in more}
    return {**names, **{merged: more[id_] for merged, id_ in led.items()}}, led


def read_names(work: UnitOfWork, table: sa.Table, card_ids: Sequence[str]) -> dict[str, str]:
    """The names of the visible ones of these cards by id."""
    known = [one for one in card_ids if is_id(one)]
    if not known:
        return {}
    sight, values = sight_of(work.access, CUSTOMER)
    return {row.id: row.display_name for row in work.fetch(_names_of(sight, table), {**values, "card_ids": known})}


@lru_cache(maxsize=64)
def _names_of(sight: Sight, table: sa.Table) -> Prepared:
    asked = sa.bindparam("card_ids", type_=sa.ARRAY(table.c.id.type))
    wanted = table.c.id == sa.any_(asked), seen_cards(sight, table)
    return Prepared(sa.select(table.c.id, table.c.display_name).where(*wanted))
