"""How many customers there are, exactly: of all that the caller may see, or of one unit's subtree."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.tables import organization, person
from contacts.visibility import known_below, visible_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.visibility import get_unit


def count_customers(work: UnitOfWork, request: pb.CountCustomersRequest) -> pb.CountCustomersResponse:
    """Count cards by type; a customer known to several units counts once. Errors: UnitNotKnown."""
    path = get_unit(work, request.unit_id).path if request.unit_id else ""
    individual = sa.func.count().filter(person.c.individual_customer)
    persons: Any = work.execute(_counted(work, person, path, sa.func.count(), individual)).one()
    organizations = work.execute(_counted(work, organization, path, sa.func.count())).scalar_one()
    return pb.CountCustomersResponse(persons=persons[0], organizations=organizations, individual_customers=persons[1])


def _counted(work: UnitOfWork, table: sa.Table, path: str, *counts: sa.ColumnElement[int]) -> Any:
    within = known_below(table, path) if path else sa.true()
    return sa.select(*counts).select_from(table).where(visible_cards(work.access, table), within)
