"""Rows of the deals service as the facts it publishes: full new state, nothing to be asked back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from chassis.database import UnitOfWork
from chassis.dates import to_time
from chassis.money import to_money
from crm.deals.events.v1 import deals_events_pb2 as events
from deals.records import REVENUE, Deal, Line, Pipeline, Plan, Product
from deals.rules import decimal_text


def tell_pipeline(work: UnitOfWork, pipeline: Pipeline) -> None:
    """Say that a pipeline exists or changed."""
    work.add_event(pipeline_defined(pipeline), "pipeline", pipeline.id, pipeline.version)


def tell_product(work: UnitOfWork, product: Product) -> None:
    """Say that a product exists or changed."""
    state = events.ProductState(
        id=product.id,
        name=product.name,
        code=product.code,
        category=product.category,
        unit_of_measure=product.unit_of_measure,
        fraction_allowed=product.fraction_allowed,
    )
    work.add_event(events.ProductDefined(product=state), "product", product.id, product.version)


def tell_opened(work: UnitOfWork, deal: Deal, unit_path: str) -> None:
    """Say that a deal was recorded."""
    work.add_event(events.DealOpened(deal=_deal_state(deal)), "deal", deal.id, deal.version, unit_path)


def tell_updated(work: UnitOfWork, deal: Deal, unit_path: str, changed: Sequence[str], version: int) -> None:
    """Say that fields of a deal changed, none of them its stage."""
    message = events.DealUpdated(deal=_deal_state(deal))
    message.changed.paths.extend(changed)
    work.add_event(message, "deal", deal.id, version, unit_path)


def tell_moved(work: UnitOfWork, deal: Deal, unit_path: str, from_stage_id: str) -> None:
    """Say that a deal entered another stage."""
    message = events.DealStageChanged(deal=_deal_state(deal), from_stage_id=from_stage_id)
    work.add_event(message, "deal", deal.id, deal.version, unit_path)


def tell_plan(work: UnitOfWork, plan: Plan, unit_path: str) -> None:
    """Say that a plan figure was set."""
    money = plan.metric == REVENUE
    state = events.PlanState(
        id=plan.id,
        unit_id=plan.unit_id,
        user_id=plan.user_id,
        product_id=plan.product_id,
        start_date=plan.start_date.isoformat(),
        end_date=plan.end_date.isoformat(),
        metric=plan.metric,
        amount=to_money(plan.figure, plan.currency) if money else None,
        quantity="" if money else decimal_text(plan.figure),
    )
    work.add_event(events.PlanSet(plan=state), "plan", plan.id, plan.version, unit_path)


def pipeline_defined(pipeline: Pipeline) -> events.PipelineDefined:
    """The fact that a pipeline exists or changed."""
    stages = [
        events.StageState(
            id=stage.id, name=stage.name, kind=stage.kind, position=stage.position, probability=stage.probability
        )
        for stage in pipeline.stages
    ]
    return events.PipelineDefined(pipeline=events.PipelineState(id=pipeline.id, name=pipeline.name, stages=stages))


def _deal_state(deal: Deal) -> events.DealState:
    facts = deal.facts
    state = events.DealState(
        id=deal.id,
        pipeline_id=facts.pipeline_id,
        stage_id=facts.stage_id,
        status=deal.status,
        organization_id=facts.organization_id,
        person_id=facts.person_id,
        unit_id=facts.unit_id,
        owner_id=facts.owner_id,
        amount=to_money(facts.amount, facts.currency),
        line_items=[_line_state(line, facts.currency) for line in facts.line_items],
        open_date=_day(facts.open_date),
        close_date=_day(facts.close_date),
        loss_reason=facts.loss_reason,
        business_line=facts.business_line,
        create_time=to_time(deal.create_time),
        creator_id=deal.creator_id,
        title=facts.title,
        external_id=facts.external_id,
        run_id=deal.run_id,
        expected_close_date=_day(facts.expected_close_date),
    )
    for step in facts.stage_history:
        state.stage_history.add(stage_id=step.stage_id, change_time=to_time(step.change_time), user_id=step.user_id)
    return state


def _line_state(line: Line, currency: str) -> events.LineState:
    return events.LineState(
        product_id=line.product_id,
        product_name=line.shown_name,
        quantity=decimal_text(line.quantity),
        amount=to_money(line.amount, currency),
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
