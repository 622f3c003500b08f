"""Takes over pipelines, products and plans from the deals' events, and runs from the imports'."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from chassis.database import UnitOfWork
from chassis.money import from_money
from chassis.projection import Delivered, Row, newest_states, state_columns, upsert_newer
from reporting import tables
from reporting.copying import day_of, number_of, replace_children


def copy_pipelines(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PipelineDefined: the pipeline with its stages."""
    states = newest_states(deliveries, "pipeline")
    rows = [{"id": one.id, "name": one.name, **state_columns(*state)} for one, *state in states]
    written, replaced = upsert_newer(work, tables.pipeline, rows)
    stages = [
        (one.id, stage.id, stage.name, stage.kind, stage.position)
        for one, _, _ in states
        if one.id in written
        for stage in one.stages
    ]
    replace_children(work, tables.stage, "pipeline_id", replaced, stages)


def copy_products(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of ProductDefined."""
    names = ("id", "name", "code", "category", "unit_of_measure")
    states = newest_states(deliveries, "product")
    rows = [{**{name: getattr(one, name) for name in names}, **state_columns(*state)} for one, *state in states]
    upsert_newer(work, tables.product, rows)


def copy_plans(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PlanSet."""
    upsert_newer(work, tables.plan, [_plan(*state) for state in newest_states(deliveries, "plan")])


def copy_runs(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of RunChecked, RunFinished and RunFailed."""
    upsert_newer(work, tables.run, [_run(*state) for state in newest_states(deliveries, "run")])


def _plan(one: Any, epoch: int, version: int) -> Row:
    amount, currency = from_money(one.amount) if one.HasField("amount") else (None, "")
    return {
        "id": one.id,
        "unit_id": one.unit_id,
        "user_id": one.user_id or None,
        "product_id": one.product_id or None,
        "start_date": day_of(one.start_date),
        "end_date": day_of(one.end_date),
        "metric": one.metric,
        "amount": amount,
        "currency_code": currency,
        "quantity": number_of(one.quantity),
        **state_columns(epoch, version),
    }


def _run(one: Any, epoch: int, version: int) -> Row:
    counts = ("rows_read", "created", "updated", "unchanged", "merged", "refused")
    return {
        "id": one.id,
        "unit_id": one.unit_id,
        "user_id": one.user_id or None,
        "first_date": day_of(one.first_date),
        "last_date": day_of(one.last_date),
        "create_time": one.create_time.ToDatetime(UTC) if one.HasField("create_time") else None,
        **{name: getattr(one, name) for name in ("kind", "file_name", "state", *counts)},
        **state_columns(epoch, version),
    }
