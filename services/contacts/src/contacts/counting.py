"""How many customers there are, exactly: of all that the caller may see, or of those a list is narrowed to."""

from __future__ import annotations

from functools import lru_cache

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts import lists
from contacts.tables import organization, person
from crm.contacts.v1 import contacts_pb2 as pb
from units.visibility import Sight, sight_of


def count_customers(work: UnitOfWork, request: pb.CountCustomersRequest) -> pb.CountCustomersResponse:
    """Count cards by type; a customer known to several units counts once. Errors: UnitNotKnown, FieldInvalid."""
    sight, values = sight_of(work.access)
    values |= lists.wanted_cards(work, request)
    asked = frozenset(name for name in values if name in lists.CONDITIONS)
    [persons] = work.fetch(_count(sight, person, asked), values)
    [organizations] = work.fetch(_count(sight, organization, asked), values)
    return pb.CountCustomersResponse(
        persons=persons.total, organizations=organizations.total, individual_customers=persons.individuals
    )


@lru_cache(maxsize=256)
def _count(sight: Sight, table: sa.Table, asked: frozenset[str]) -> Prepared:
    counts = [sa.func.count().label("total")]
    if table is person:
        counts.append(sa.func.count().filter(person.c.individual_customer).label("individuals"))
    wanted = lists.conditions_of(sight, table, asked)
    return Prepared(sa.select(*counts).select_from(table).where(*wanted), replan=True)
