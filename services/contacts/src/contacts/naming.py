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
from units.visibility import Sight, sight_of


def batch_get_customer_names(
    work: UnitOfWork, request: pb.BatchGetCustomerNamesRequest
) -> pb.BatchGetCustomerNamesResponse:
    """The names of up to 500 customers, those visible. Errors: FieldInvalid."""
    lists.check_many("person_ids", len(request.person_ids) + len(request.organization_ids))
    return pb.BatchGetCustomerNamesResponse(
        person_names=read_names(work, person, request.person_ids),
        organization_names=read_names(work, organization, request.organization_ids),
    )


def read_names(work: UnitOfWork, table: sa.Table, card_ids: Sequence[str]) -> dict[str, str]:
    """The names of the visible ones of these cards by id."""
    known = [one for one in card_ids if is_id(one)]
    if not known:
        return {}
    sight, values = sight_of(work.access)
    return {row.id: row.display_name for row in work.fetch(_names_of(sight, table), {**values, "card_ids": known})}


@lru_cache(maxsize=64)
def _names_of(sight: Sight, table: sa.Table) -> Prepared:
    asked = sa.bindparam("card_ids", type_=sa.ARRAY(table.c.id.type))
    wanted = table.c.id == sa.any_(asked), seen_cards(sight, table)
    return Prepared(sa.select(table.c.id, table.c.display_name).where(*wanted))
