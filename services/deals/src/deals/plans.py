"""Planned figures: what a unit, a person or a product is to bring in a period."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import PLAN
from chassis.database import UnitOfWork
from chassis.dates import from_date
from chassis.ids import new_id
from chassis.money import from_money
from crm.deals.v1 import deals_pb2 as pb
from deals import rules
from deals.composing import compose_id
from deals.errors import ProductNotFound, invalid
from deals.events import tell_plan
from deals.products import read_products
from deals.records import QUANTITY, REVENUE, Plan, Product
from deals.rules import check_day
from deals.tables import plan
from units.records import PLAN as PLAN_RECORDS
from units.visibility import get_unit, unit_ids_below, visible

KEY = ("unit_id", "user_id", "product_id", "start_date", "end_date", "metric", "currency")
COLUMNS = ("id", "version", *KEY, "figure", "run_id")
_SELECT = sa.select(*(plan.c[name] for name in COLUMNS))
PlanKey = tuple[str, str, str, date, date, str, str]


def set_plan(work: UnitOfWork, said: pb.Plan) -> Plan:
    """Set a figure; one of the same unit, user, product, period, metric and currency is replaced.

    Errors: FieldInvalid, ProductNotFound, FractionNotAllowed, UnitNotKnown, NotPermitted.
    """
    place = get_unit(work, said.unit_id, PLAN, PLAN_RECORDS)
    wanted = [said.product_id] if compose_id("plan.product_id", said.product_id) else []
    asked = compose_plan(said, place.id, read_products(work, wanted))
    stored = store_plans(work, [asked])
    if not stored:
        return find_plans(work, [key_of(asked)])[key_of(asked)]
    tell_plan(work, stored[0], place.path)
    return stored[0]


def compose_plan(said: pb.Plan, unit_id: str, products: Mapping[str, Product], run_id: str = "") -> Plan:
    """A plan as said, with an id for it if it is new. Errors: FieldInvalid, ProductNotFound, FractionNotAllowed."""
    user_id, product_id = compose_id("plan.user_id", said.user_id), compose_id("plan.product_id", said.product_id)
    if product_id and product_id not in products:
        raise ProductNotFound("plan.product_id", product_id)
    start, end = _compose_period(said)
    if said.metric == pb.PLAN_METRIC_REVENUE:
        if not said.HasField("amount") or said.quantity:
            raise invalid("plan.amount", "is the figure of a revenue plan; give it, and no quantity")
        figure, currency = from_money(said.amount, "plan.amount")
        return Plan(new_id(), 1, unit_id, user_id, product_id, start, end, REVENUE, currency, figure, run_id)
    if said.metric != pb.PLAN_METRIC_QUANTITY:
        raise invalid("plan.metric", "is not stated; say revenue or quantity")
    if not said.quantity or said.HasField("amount"):
        raise invalid("plan.quantity", "is the figure of a quantity plan; give it, and no amount")
    figure = rules.parse_decimal("plan.quantity", said.quantity)
    if product_id:
        rules.check_fraction("plan.quantity", figure, products[product_id])
    return Plan(new_id(), 1, unit_id, user_id, product_id, start, end, QUANTITY, "", figure, run_id)


def store_plans(work: UnitOfWork, plans: Sequence[Plan]) -> list[Plan]:
    """Insert or replace figures, each key once; returns those that changed anything, as stored."""
    rows = [_row(one, work) for one in sorted(plans, key=key_of)]
    statement = insert(plan)
    newer = {
        "figure": statement.excluded.figure,
        "run_id": statement.excluded.run_id,
        "version": plan.c.version + 1,
        "update_time": statement.excluded.update_time,
    }
    upsert = statement.on_conflict_do_update(
        constraint="plan_one_figure", set_=newer, where=plan.c.figure != statement.excluded.figure
    ).returning(*(plan.c[name] for name in COLUMNS))
    return [plan_of(row) for row in work.execute(upsert, rows)] if rows else []


def find_plans(work: UnitOfWork, keys: Collection[PlanKey]) -> dict[PlanKey, Plan]:
    """The plans known under these keys."""
    units, starts = {key[0] for key in keys}, {key[3] for key in keys}
    near = _SELECT.where(plan.c.unit_id.in_(units), plan.c.start_date.in_(starts))
    found = (plan_of(row) for row in work.execute(near)) if keys else ()
    return {key_of(one): one for one in found if key_of(one) in keys}


def list_plans(work: UnitOfWork, unit_id: str, size: int, after: Sequence[Any] | None) -> list[Plan]:
    """Up to `size` visible plans by period and unit, after the key of the last one. Errors: UnitNotKnown."""
    order = (plan.c.start_date, plan.c.end_date, plan.c.unit_id, plan.c.id)
    statement = (
        _SELECT.where(visible(work.access, PLAN_RECORDS, plan.c.unit_id, plan.c.user_id)).order_by(*order).limit(size)
    )
    if unit_id:
        statement = statement.where(plan.c.unit_id.in_(unit_ids_below(get_unit(work, unit_id).path)))
    if after:
        start, end, unit, last = after
        key = (date.fromisoformat(start), date.fromisoformat(end), unit, last)
        types = (sa.Date(), sa.Date(), plan.c.unit_id.type, plan.c.id.type)
        literals = [sa.literal(value, kind) for value, kind in zip(key, types, strict=True)]
        statement = statement.where(sa.tuple_(*order) > sa.tuple_(*literals))
    return [plan_of(row) for row in work.execute(statement)]


def key_of(one: Plan) -> PlanKey:
    """What makes two figures the same plan."""
    return one.unit_id, one.user_id, one.product_id, one.start_date, one.end_date, one.metric, one.currency


def page_key(one: Plan) -> list[str]:
    """The place of a plan in the order of `list_plans`."""
    return [one.start_date.isoformat(), one.end_date.isoformat(), one.unit_id, one.id]


def plan_of(row: Any) -> Plan:
    """A row as a plan."""
    values = {name: getattr(row, name) for name in COLUMNS}
    return Plan(**values | {name: values[name] or "" for name in ("user_id", "product_id", "currency")})


def _compose_period(said: pb.Plan) -> tuple[date, date]:
    start = check_day("plan.start_date", from_date(said.start_date, "plan.start_date"))
    end = check_day("plan.end_date", from_date(said.end_date, "plan.end_date"))
    if start is None or end is None:
        raise invalid("plan.end_date" if start else "plan.start_date", "is missing; give both days of the period")
    if end <= start:
        raise invalid("plan.end_date", f"is {end}, not after {start}; give the first day after the period")
    return start, end


def _row(one: Plan, work: UnitOfWork) -> dict[str, Any]:
    row = {name: getattr(one, name) for name in COLUMNS}
    empty = {name: row[name] or None for name in ("user_id", "product_id", "currency")}
    return row | empty | {"create_time": work.now, "update_time": work.now}
