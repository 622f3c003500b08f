"""Planned figures of a workbook into the base: one of the same unit, user, product, period and metric is replaced."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa

from chassis.access import PLAN
from chassis.database import UnitOfWork
from chassis.errors import DomainError
from chassis.ids import is_id
from crm.deals.v1 import deals_pb2 as pb
from deals.events import tell_plan
from deals.importing import Origin, check_provenance, check_rows, refused, refused_by, take
from deals.plans import PlanKey, compose_plan, find_plans, key_of, store_plans
from deals.products import read_products
from deals.records import Plan, Product
from units.records import PLAN as PLAN_RECORDS
from units.tables import unit
from units.visibility import UnitNotKnown, get_unit


@dataclass(frozen=True)
class Around:
    """What the rows of a call refer to: the paths of units and the products, by id."""

    home_id: str
    paths: dict[str, str]
    products: dict[str, Product]


def import_plans(work: UnitOfWork, request: pb.ImportPlansRequest) -> list[pb.RowFate]:
    """The fate of each row, in order. Errors: FieldInvalid, UnitNotKnown, NotPermitted, for the call as a whole."""
    check_rows(len(request.rows))
    home = get_unit(work, request.unit_id, PLAN, PLAN_RECORDS)
    return take(work, request.dry_run, lambda: _import(work, request, _around(work, request, home.id)))


def _around(work: UnitOfWork, request: pb.ImportPlansRequest, home_id: str) -> Around:
    units = {home_id, *(row.plan.unit_id for row in request.rows if is_id(row.plan.unit_id))}
    paths = work.execute(sa.select(unit.c.id, unit.c.path).where(unit.c.id.in_(units)))
    wanted = {row.plan.product_id for row in request.rows if is_id(row.plan.product_id)}
    return Around(home_id, {row.id: row.path for row in paths}, read_products(work, wanted) if wanted else {})


def _import(work: UnitOfWork, request: pb.ImportPlansRequest, around: Around) -> tuple[list[pb.RowFate], list[Origin]]:
    said = [_read(work, row, around) for row in request.rows]
    known = find_plans(work, {key_of(one) for one in said if isinstance(one, Plan)})
    wanted: dict[PlanKey, Plan] = {}
    fates = [_decide(one, known, wanted) if isinstance(one, Plan) else one for one in said]
    stored = {key_of(one): one for one in store_plans(work, list(wanted.values()))}
    for plan in stored.values():
        tell_plan(work, plan, around.paths[plan.unit_id])
    origins = []
    for row, one, fate in zip(request.rows, said, fates, strict=True):
        if isinstance(one, Plan) and fate.fate in (pb.FATE_CREATED, pb.FATE_UPDATED, pb.FATE_MERGED):
            fate.record_id = (stored.get(key_of(one)) or known[key_of(one)]).id
            origins.append(Origin(fate.record_id, row.provenance))
    return fates, origins


def _read(work: UnitOfWork, row: pb.PlanRow, around: Around) -> Plan | pb.RowFate:
    try:
        check_provenance(row.provenance)
        unit_id = row.plan.unit_id or around.home_id
        if unit_id not in around.paths:
            raise UnitNotKnown(unit_id)
        work.access.require_in(PLAN, around.paths[unit_id], PLAN_RECORDS)
        return compose_plan(row.plan, unit_id, around.products, row.provenance.run_id)
    except DomainError as trouble:
        return refused_by(trouble)


def _decide(one: Plan, known: dict[PlanKey, Plan], wanted: dict[PlanKey, Plan]) -> pb.RowFate:
    """The fate of a plan against what is stored, and against what earlier rows of the call want stored."""
    key = key_of(one)
    before, earlier = known.get(key), wanted.get(key)
    same_run = bool(one.run_id) and before is not None and before.run_id == one.run_id
    latest = earlier or before
    if latest is None:
        wanted[key] = one
        return pb.RowFate(fate=pb.FATE_CREATED)
    if latest.figure == one.figure:
        joined = earlier is not None or same_run
        return pb.RowFate(fate=pb.FATE_MERGED if joined else pb.FATE_UNCHANGED, record_id=latest.id)
    if earlier is not None or same_run:
        return refused("ROW_CONTRADICTS", "another row of the import plans a different figure for the same period")
    wanted[key] = replace(one, id=latest.id)
    return pb.RowFate(fate=pb.FATE_UPDATED, changed_fields=["amount" if one.currency else "quantity"])
