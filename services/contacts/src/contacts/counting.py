"""How many customers there are, exactly: of all that the caller sees or a list is narrowed to, in all or by groups."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts import lists
from contacts.customer_fields.conditions import knows_fields, read_conditions
from contacts.errors import invalid
from contacts.tables import organization, person
from contacts.visibility import seen_by_many, seen_cards, sees_many
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import CUSTOMER
from units.visibility import Sight, sight_of, units_seen

MOST_GROUPS = 500  # more than a page that somebody reads
GROUPINGS = {pb.CUSTOMER_GROUPING_OWNER: "owner_id", pb.CUSTOMER_GROUPING_HOME_UNIT: "unit_id"}


class Counted(NamedTuple):
    """How many cards of one type there are."""

    total: int = 0
    individuals: int = 0


NONE = Counted()


def count_customers(work: UnitOfWork, request: pb.CountCustomersRequest) -> pb.CountCustomersResponse:
    """Count cards by type; a customer known to several units counts once. Errors: UnitNotKnown, FieldInvalid."""
    sight, values = sight_of(work.access, CUSTOMER)
    values |= lists.wanted_cards(work, request)
    values["seen_units"] = units_seen(work, sight, values)
    persons, organizations = (_count_of(work, request, sight, table, values) for table in (person, organization))
    return pb.CountCustomersResponse(
        persons=persons.total, organizations=organizations.total, individual_customers=persons.individuals
    )


def _count_of(
    work: UnitOfWork, request: pb.CountCustomersRequest, sight: Sight, table: sa.Table, values: dict[str, Any]
) -> Any:
    """The counts of one type; a condition on a field that this type has not leaves none of it."""
    if request.field_conditions and not knows_fields(work, table.name, request.field_conditions):
        return NONE
    values = values | read_conditions(work, table.name, request.field_conditions)
    return work.fetch(_count(sight, table, lists.narrowed_by(values), sees_many(values["seen_units"])), values)[0]


def group_customers(work: UnitOfWork, request: pb.GroupCustomersRequest) -> pb.GroupCustomersResponse:
    """Count cards of one type by what they share, the largest groups first. Errors: UnitNotKnown, FieldInvalid."""
    column = GROUPINGS.get(request.grouping)
    if column is None:
        raise invalid("grouping", "is not stated; say by what")
    table = organization if request.organizations else person
    sight, values = sight_of(work.access, CUSTOMER)
    values |= lists.wanted_cards(work, request)
    if request.individual_only and table is person:
        values["individual"] = True
    values |= read_conditions(work, table.name, request.field_conditions)
    asked = lists.narrowed_by(values)
    values["seen_units"] = units_seen(work, sight, values)
    rows = work.fetch(_group(sight, table, asked, sees_many(values["seen_units"]), column), values)
    return pb.GroupCustomersResponse(groups=[pb.CustomerGroup(key=row.key, count=row.total) for row in rows])


@lru_cache(maxsize=256)
def _group(sight: Sight, table: sa.Table, asked: frozenset[str], many: bool, column: str) -> Prepared:
    key, total = table.c[column].label("key"), sa.func.count().label("total")
    seen = seen_by_many(sight, table) if many else seen_cards(sight, table)
    wanted = [seen, *lists.wanted_by(table, asked)]
    counted = sa.select(key, total).select_from(table).where(*wanted).group_by(key).order_by(total.desc(), key)
    return Prepared(counted.limit(MOST_GROUPS), replan=True, finds=True)


@lru_cache(maxsize=256)
def _count(sight: Sight, table: sa.Table, asked: frozenset[str], many: bool) -> Prepared:
    counts = [sa.func.count().label("total")]
    if table is person:
        counts.append(sa.func.count().filter(person.c.individual_customer).label("individuals"))
    seen = seen_by_many(sight, table) if many else seen_cards(sight, table)
    wanted = [seen, *lists.wanted_by(table, asked)]
    return Prepared(sa.select(*counts).select_from(table).where(*wanted), replan=True, finds=True)
