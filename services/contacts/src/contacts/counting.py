"""How many customers there are, exactly: of all that the caller may see, or of those a list is narrowed to."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.lists import wanted_cards
from contacts.tables import organization, person
from contacts.visibility import visible_cards
from crm.contacts.v1 import contacts_pb2 as pb


def count_customers(work: UnitOfWork, request: pb.CountCustomersRequest) -> pb.CountCustomersResponse:
    """Count cards by type; a customer known to several units counts once. Errors: UnitNotKnown, FieldInvalid."""
    individual = sa.func.count().filter(person.c.individual_customer)
    persons: Any = work.execute(_counted(work, person, request, sa.func.count(), individual)).one()
    organizations = work.execute(_counted(work, organization, request, sa.func.count())).scalar_one()
    return pb.CountCustomersResponse(persons=persons[0], organizations=organizations, individual_customers=persons[1])


def _counted(
    work: UnitOfWork, table: sa.Table, request: pb.CountCustomersRequest, *counts: sa.ColumnElement[int]
) -> Any:
    wanted = wanted_cards(work, table, request)
    return sa.select(*counts).select_from(table).where(visible_cards(work.access, table), *wanted)
