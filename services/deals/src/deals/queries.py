"""Reads of deals: SQL in, deals out, each with its lines and history in one statement."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import is_id
from chassis.prepared import Prepared
from deals.errors import DealNotFound
from deals.records import LOST, OPEN, WON, Deal, Facts, Line, Stage, Step
from deals.tables import deal, deal_line, deal_step, product, stage
from units.records import DEAL
from units.tables import unit
from units.visibility import Sight, get_unit, seen_in, sight_of, unit_ids_under, visible


def _as_text(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.cast(column, sa.Text)  # a number in JSON would lose digits on its way


def _gather(fields: Sequence[sa.ColumnElement[Any]], children: sa.Table) -> sa.ScalarSelect[Any]:
    rows = sa.func.json_agg(sa.func.json_build_array(*fields).op("ORDER BY")(children.c.position))
    return sa.select(rows).where(children.c.deal_id == deal.c.id).correlate(deal).scalar_subquery()


_PRODUCT_NAME = sa.select(product.c.name).where(product.c.id == deal_line.c.product_id).scalar_subquery()
_LINES = _gather(
    (
        deal_line.c.product_id, deal_line.c.description, _as_text(deal_line.c.quantity),
        _as_text(deal_line.c.unit_price), _as_text(deal_line.c.discount), _as_text(deal_line.c.amount),
        deal_line.c.external_id, _PRODUCT_NAME,
    ),
    deal_line,
)  # fmt: skip
_STEPS = _gather(
    (deal_step.c.stage_id, deal_step.c.stage_name, deal_step.c.change_time, deal_step.c.user_id), deal_step
)
_STAGE = (stage.c.name.label("stage_name"), stage.c.kind, stage.c.position.label("stage_position"))
SELECT_DEALS = sa.select(deal, *_STAGE, _LINES.label("lines"), _STEPS.label("steps")).join_from(deal, stage)


@dataclass(frozen=True)
class Question:
    """Which deals are asked for; empty means any. `status` is open, won, lost or empty.

    `closed_from` leaves out what was won or lost before that day, or on a day nobody knows. Expected to close are those
    of the half-open [expected_from, expected_before), with `undated` those of which nobody has said when.
    """

    unit_id: str = ""
    status: str = ""
    organization_id: str = ""
    person_id: str = ""
    owner_id: str = ""
    pipeline_id: str = ""
    stage_id: str = ""
    closed_from: date | None = None
    expected_from: date | None = None
    expected_before: date | None = None
    undated: bool = False
    exact_unit: str = ""
    unowned: bool = False
    only: tuple[str, ...] = ()


def get_deal(work: UnitOfWork, deal_id: str, lock: bool = False) -> Deal:
    """The deal, when the caller may read it; `lock` takes its row. Errors: DealNotFound."""
    if not is_id(deal_id):
        raise DealNotFound(deal_id)
    sight, seen = sight_of(work.access, DEAL)
    locking, reading = _read_one(sight)
    if lock:
        # First and by itself: a statement that waited for a row still sees the others as they were before.
        work.run_later(locking, {**seen, "deal_id": deal_id})
    found = work.fetch(reading, {**seen, "deal_id": deal_id})
    if not found:
        raise DealNotFound(deal_id)
    return deal_of(found[0])


@lru_cache  # building the statements takes longer than running them
def _read_one(sight: Sight) -> tuple[Prepared, Prepared]:
    wanted = deal.c.id == sa.bindparam("deal_id"), seen_in(sight, deal.c.unit_id, deal.c.owner_id)
    return Prepared(sa.select(deal.c.id).where(*wanted).with_for_update()), Prepared(SELECT_DEALS.where(*wanted))


def get_deals(work: UnitOfWork, ids: Collection[str]) -> list[Deal]:
    """Those of the deals that the caller may read, in no order."""
    wanted = [one for one in ids if is_id(one)]
    seen = visible(work.access, DEAL, deal.c.unit_id, deal.c.owner_id)
    return [deal_of(row) for row in work.execute(SELECT_DEALS.where(deal.c.id.in_(wanted), seen))]


def lock_deals(work: UnitOfWork, ids: Collection[str]) -> dict[str, tuple[Deal, str]]:
    """Deals with the paths of their units, whoever may read them; their rows are taken in the order of their ids."""
    if not ids:
        return {}
    work.execute(sa.select(deal.c.id).where(deal.c.id.in_(ids)).order_by(deal.c.id).with_for_update())
    paths = sa.select(unit.c.path).where(unit.c.id == deal.c.unit_id).scalar_subquery().label("unit_path")
    rows = work.execute(SELECT_DEALS.add_columns(paths).where(deal.c.id.in_(ids)))
    return {row.id: (deal_of(row), row.unit_path) for row in rows}


def list_deals(work: UnitOfWork, question: Question, size: int, after: Sequence[Any] | None) -> list[Deal]:
    """Up to `size` visible deals, youngest first, after the key [id] of the last one. Errors: UnitNotKnown."""
    sight, seen = sight_of(work.access, DEAL)
    values = {**seen, **values_of(work, question), "size": size}
    if after:
        values["asked_after"] = str(after[0])
    return [deal_of(row) for row in work.fetch(read_page(sight, shape_of(question), bool(after)), values)]


@lru_cache(maxsize=512)
def read_page(sight: Sight, shape: tuple[str, ...], further: bool) -> Prepared:
    """The statement for a page of a question of this shape, or for a further one."""
    return Prepared(SELECT_DEALS.where(deal.c.id.in_(_youngest(sight, shape, further))).order_by(deal.c.id.desc()))


def deal_of(row: Any) -> Deal:
    """A row of SELECT_DEALS as a deal."""
    facts = Facts(
        title=row.title,
        pipeline_id=row.pipeline_id,
        stage_id=row.stage_id,
        organization_id=row.organization_id or "",
        person_id=row.person_id or "",
        unit_id=row.unit_id,
        owner_id=row.owner_id or "",
        amount=row.amount,
        currency=row.currency or "",
        line_items=tuple(_line(fields) for fields in row.lines or ()),
        stage_history=tuple(_step(fields) for fields in row.steps or ()),
        open_date=row.open_date,
        close_date=row.close_date,
        loss_reason=row.loss_reason or "",
        loss_comment=row.loss_comment,
        business_line=row.business_line,
        external_id=row.external_id,
        attributes=tuple(sorted(row.attributes.items())),
        expected_close_date=row.expected_close_date,
    )
    at = Stage(row.stage_id, row.pipeline_id, row.stage_name, row.kind, row.stage_position)
    return Deal(row.id, row.version, at, facts, row.creator_id, row.run_id, row.create_time, row.update_time)


def _line(fields: Sequence[Any]) -> Line:
    product_id, description, quantity, unit_price, discount, amount, external_id, name = fields
    return Line(
        product_id or "", description, Decimal(quantity), _number(unit_price), Decimal(discount), _number(amount),
        external_id, name or "",
    )  # fmt: skip


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _step(fields: Sequence[Any]) -> Step:
    stage_id, stage_name, change_time, user_id = fields
    return Step(stage_id, stage_name, datetime.fromisoformat(change_time) if change_time else None, user_id)


_SIZE: sa.BindParameter[int] = sa.bindparam("size", type_=sa.Integer)


def _youngest(sight: Sight, shape: tuple[str, ...], further: bool) -> sa.Select[tuple[str]]:
    """The ids of the page. Each branch is an index read of at most a page, however many deals there are."""
    wanted = filter_deals(shape)
    if further:
        wanted.append(deal.c.id < asked("after", deal.c.id))
    named = {"organization_id", "person_id", "owner_id"}.intersection(shape)
    if named or (sight.everything and not {"unit_id", "status"}.intersection(shape)):
        seen = seen_in(sight, deal.c.unit_id, deal.c.owner_id)
        return sa.select(deal.c.id).where(seen, *wanted).order_by(deal.c.id.desc()).limit(_SIZE)
    branches = [_of_units(sight, shape, wanted)]
    if sight.own:
        own = sa.select(deal.c.id).where(seen_in(sight.own_only(), deal.c.unit_id, deal.c.owner_id), *wanted)
        branches.append(own.order_by(deal.c.id.desc()).limit(_SIZE))
    either = sa.union_all(*(sa.select(branch.subquery().c.id) for branch in branches)).subquery()
    return sa.select(either.c.id).distinct().order_by(either.c.id.desc()).limit(_SIZE)


def _of_units(sight: Sight, shape: tuple[str, ...], wanted: Sequence[sa.ColumnElement[bool]]) -> sa.Select[tuple[str]]:
    """The youngest deals of each visible unit and status, by the index on both, then the youngest of these."""
    kinds: list[Any] = [asked("status", deal.c.status)] if "status" in shape else [OPEN, WON, LOST]
    status = sa.values(sa.column("status", sa.Text), name="kind").data([(kind,) for kind in kinds])
    below = [unit.c.id.in_(unit_ids_under("asked_paths"))] if "unit_id" in shape else []
    place = sa.select(unit.c.id).where(seen_in(sight, unit.c.id), *below).subquery("place")
    each = (
        sa.select(deal.c.id)
        .where(deal.c.unit_id == place.c.id, deal.c.status == status.c.status, *wanted)
        .order_by(deal.c.id.desc())
        .limit(_SIZE)
        .lateral("each_place")
    )
    source = place.join(status, sa.true()).join(each, sa.true())
    return sa.select(each.c.id).select_from(source).order_by(each.c.id.desc()).limit(_SIZE)


def shape_of(question: Question) -> tuple[str, ...]:
    """The names of what a question narrows: statements are prepared once for each mixture."""
    return tuple(one.name for one in fields(question) if getattr(question, one.name))


def values_of(work: UnitOfWork, question: Question) -> dict[str, Any]:
    """The values that the conditions of a question need. Errors: UnitNotKnown."""
    values = {f"asked_{name}": getattr(question, name) for name in shape_of(question)}
    if question.only:
        values["asked_only"] = list(question.only)
    if question.unit_id:
        values["asked_paths"] = [get_unit(work, question.unit_id).path]
    return values


def filter_deals(shape: Collection[str]) -> list[sa.ColumnElement[bool]]:
    """The conditions of a question of this shape, without who may see what."""
    terms: list[sa.ColumnElement[bool]] = []
    for name in shape:
        if name == "unit_id":
            terms.append(deal.c.unit_id.in_(unit_ids_under("asked_paths")))
        elif name == "closed_from":
            terms.append(sa.or_(deal.c.status == OPEN, deal.c.close_date >= asked(name, deal.c.close_date)))
        elif name == "expected_from":
            terms.append(deal.c.expected_close_date >= asked(name, deal.c.expected_close_date))
        elif name == "expected_before":
            terms.append(deal.c.expected_close_date < asked(name, deal.c.expected_close_date))
        elif name == "exact_unit":
            terms.append(deal.c.unit_id == asked(name, deal.c.unit_id))
        elif name == "only":
            terms.append(deal.c.id == sa.any_(sa.bindparam("asked_only", type_=sa.ARRAY(deal.c.id.type))))
        elif name == "unowned":
            terms.append(deal.c.owner_id.is_(None))
        elif name == "undated":
            terms.append(deal.c.expected_close_date.is_(None))
        else:
            terms.append(deal.c[name] == asked(name, deal.c[name]))
    return terms


def asked(name: str, column: sa.ColumnElement[Any]) -> sa.BindParameter[Any]:
    """A value of a question, to be given when the statement runs."""
    return sa.bindparam(f"asked_{name}", type_=column.type)
