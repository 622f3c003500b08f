"""How much fields of a company's own are used: those that nobody fills in are to be retired."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.access import CONFIGURE
from chassis.database import UnitOfWork
from chassis.dates import to_time
from contacts.tables import customer_field, customer_field_value, organization, person
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import CATALOGUE


def report_customer_field_use(
    work: UnitOfWork, _request: pb.ReportCustomerFieldUseRequest
) -> pb.ReportCustomerFieldUseResponse:
    """Of each field in use how many cards have a value and when one of these last changed. Errors: NotPermitted."""
    work.access.require_everywhere(CONFIGURE, CATALOGUE)
    return pb.ReportCustomerFieldUseResponse(
        uses=[
            pb.CustomerFieldUse(
                customer_field_id=row.id, filled=row.filled, records=row.records, last_use_time=to_time(row.last)
            )
            for row in work.execute(_USE)
        ]
    )


def _make_statement() -> sa.Select[tuple[str, int, int, object]]:
    value, field = customer_field_value.c, customer_field.c
    cards = sa.union_all(
        sa.select(person.c.id, person.c.update_time), sa.select(organization.c.id, organization.c.update_time)
    ).subquery()
    counts = sa.case(
        (field.record_type == "person", sa.select(sa.func.count()).select_from(person).scalar_subquery()),
        else_=sa.select(sa.func.count()).select_from(organization).scalar_subquery(),
    )
    filled = (
        sa.select(
            value.field_id,
            sa.func.count(value.record_id.distinct()).label("filled"),
            sa.func.max(cards.c.update_time).label("last"),
        )
        .select_from(customer_field_value.join(cards, cards.c.id == value.record_id))
        .group_by(value.field_id)
        .subquery()
    )
    many = sa.func.coalesce(filled.c.filled, 0).label("filled")
    return (
        sa.select(field.id, many, counts.label("records"), filled.c.last)
        .select_from(customer_field.outerjoin(filled, filled.c.field_id == field.id))
        .where(sa.not_(field.retired))
        .order_by(many, field.label, field.id)
    )


_USE = _make_statement()
