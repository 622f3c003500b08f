"""Records as the messages of the API, and the API's numbers for kinds and metrics."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from google.type.money_pb2 import Money

from chassis.dates import from_date, to_date, to_time
from chassis.money import from_money, to_money
from crm.deals.v1 import deals_pb2 as pb
from deals.board import Sums
from deals.catalogue import Match
from deals.forecasting import MonthSum
from deals.moves import Move, Mover
from deals.pipelines import NewStage
from deals.records import LOST, OPEN, QUANTITY, REVENUE, WON, Deal, Facts, Line, Pipeline, Plan, Product, Stage, Step
from deals.rules import decimal_text
from deals.times import from_time

KIND_NUMBERS = {OPEN: pb.STAGE_KIND_OPEN, WON: pb.STAGE_KIND_WON, LOST: pb.STAGE_KIND_LOST}
KINDS = {number: name for name, number in KIND_NUMBERS.items()}
ORDERS = {
    pb.DEAL_ORDER_TITLE: "title",
    pb.DEAL_ORDER_AMOUNT: "amount",
    pb.DEAL_ORDER_STAGE: "stage",
    pb.DEAL_ORDER_STAGE_TIME: "stage_time",
    pb.DEAL_ORDER_OPEN_DATE: "open_date",
    pb.DEAL_ORDER_CLOSE_DATE: "close_date",
    pb.DEAL_ORDER_EXPECTED_CLOSE_DATE: "expected_close_date",
}
GROUPINGS = {
    pb.DEAL_GROUPING_STAGE: "stage_id",
    pb.DEAL_GROUPING_OWNER: "owner_id",
    pb.DEAL_GROUPING_UNIT: "unit_id",
}
METRIC_NUMBERS = {REVENUE: pb.PLAN_METRIC_REVENUE, QUANTITY: pb.PLAN_METRIC_QUANTITY}
METRICS = {number: name for name, number in METRIC_NUMBERS.items()}


def pipeline_message(one: Pipeline) -> pb.Pipeline:
    """A pipeline."""
    stages = [stage_message(step) for step in one.stages]
    return pb.Pipeline(id=one.id, etag=str(one.version), name=one.name, stages=stages, is_default=one.is_default)


def stage_message(one: Stage) -> pb.Stage:
    """A stage."""
    kind = KIND_NUMBERS[one.kind]
    return pb.Stage(
        id=one.id, name=one.name, kind=kind, position=one.position, aliases=one.aliases, probability=one.probability
    )


def amount_messages(amounts: Iterable[tuple[str, Decimal]]) -> list[Money]:
    """Sums, each with its currency."""
    return [money for currency, amount in amounts if (money := to_money(amount, currency)) is not None]


def new_stage(one: pb.Stage) -> NewStage:
    """A stage as asked for."""
    said = one.probability if one.HasField("probability") else None
    return NewStage(one.name, KINDS.get(one.kind, ""), tuple(one.aliases), said)


def forecast_message(one: MonthSum) -> pb.ForecastSum:
    """What is expected of one stage in one month."""
    return pb.ForecastSum(
        month=one.month,
        stage=stage_message(one.stage),
        count=one.sums.count,
        amounts=amount_messages(one.sums.amounts),
        weighted_amounts=amount_messages(one.weighted),
        unvalued_count=one.sums.unvalued,
    )


def group_message(key: str, sums: Sums) -> pb.DealGroup:
    """What deals that share something come to."""
    return pb.DealGroup(key=key, count=sums.count, amounts=amount_messages(sums.amounts), unvalued_count=sums.unvalued)


def product_message(one: Product) -> pb.Product:
    """A product."""
    return pb.Product(
        id=one.id,
        etag=str(one.version),
        name=one.name,
        code=one.code,
        category=one.category,
        unit_of_measure=one.unit_of_measure,
        fraction_allowed=one.fraction_allowed,
        list_price=to_money(one.list_price, one.currency),
        create_time=to_time(one.create_time),
    )


def move_message(one: Move) -> pb.DealMove:
    """A step of a deal."""
    return pb.DealMove(
        deal_id=one.deal_id,
        title=one.title,
        organization_id=one.organization_id,
        person_id=one.person_id,
        amount=to_money(one.amount, one.currency) if one.amount is not None else None,
        from_stage_name=one.from_stage_name,
        stage_name=one.stage_name,
        stage_kind=KIND_NUMBERS[one.kind],
        user_id=one.user_id,
        change_time=to_time(one.change_time),
    )


def mover_message(one: Mover) -> pb.MoverSummary:
    """What one user did."""
    return pb.MoverSummary(
        user_id=one.user_id,
        opened_count=one.opened,
        moved_count=one.moved,
        won_count=one.won,
        lost_count=one.lost,
    )


def deal_message(one: Deal) -> pb.Deal:
    """A deal with its lines and history, products and stage by their present names."""
    message = facts_message(one.facts)
    message.id = one.id
    message.etag = str(one.version)
    message.stage_name = one.stage.name
    message.status = KIND_NUMBERS[one.status]
    message.create_time.FromDatetime(one.create_time)
    message.update_time.FromDatetime(one.update_time)
    message.stage_time.FromDatetime(one.stage_time)
    for line, known in zip(message.line_items, one.facts.line_items, strict=True):
        line.product_name = known.shown_name
    before = ""
    for step in message.stage_history:
        step.from_stage_id, before = before, step.stage_id
    return message


def card_message(row: Any, stage: Stage) -> pb.Deal:
    """A deal as a board shows it: a row of `board.last_entered` in its stage, without lines and history."""
    return pb.Deal(
        id=row.id,
        etag=str(row.version),
        title=row.title,
        pipeline_id=row.pipeline_id,
        stage_id=row.stage_id,
        stage_name=stage.name,
        status=KIND_NUMBERS[stage.kind],
        organization_id=row.organization_id,
        person_id=row.person_id,
        unit_id=row.unit_id,
        owner_id=row.owner_id,
        amount=to_money(row.amount, row.currency),
        open_date=to_date(row.open_date),
        close_date=to_date(row.close_date),
        loss_reason=row.loss_reason,
        business_line=row.business_line,
        external_id=row.external_id,
        create_time=to_time(row.create_time),
        update_time=to_time(row.update_time),
        stage_time=to_time(row.stage_time),
        expected_close_date=to_date(row.expected_close_date),
    )


def facts_message(facts: Facts) -> pb.Deal:
    """The facts of a deal without what the service adds; what a source said is kept in this form."""
    message = pb.Deal(
        title=facts.title,
        pipeline_id=facts.pipeline_id,
        stage_id=facts.stage_id,
        organization_id=facts.organization_id,
        person_id=facts.person_id,
        unit_id=facts.unit_id,
        owner_id=facts.owner_id,
        amount=to_money(facts.amount, facts.currency),
        line_items=[line_message(line, facts.currency) for line in facts.line_items],
        open_date=to_date(facts.open_date),
        close_date=to_date(facts.close_date),
        loss_reason=facts.loss_reason,
        loss_comment=facts.loss_comment,
        business_line=facts.business_line,
        external_id=facts.external_id,
        attributes=dict(facts.attributes),
        expected_close_date=to_date(facts.expected_close_date),
    )
    for step in facts.stage_history:
        message.stage_history.add(
            stage_id=step.stage_id,
            stage_name=step.stage_name,
            change_time=to_time(step.change_time),
            user_id=step.user_id,
        )
    return message


def facts_of(message: pb.Deal) -> Facts:
    """The facts in a message that `facts_message` made: the inverse."""
    amount, currency = from_money(message.amount) if message.HasField("amount") else (None, "")
    lines = tuple(_line_of(one) for one in message.line_items)
    if not currency:
        priced = (one.unit_price for one in message.line_items if one.HasField("unit_price"))
        currency = next((price.currency_code for price in priced), "")
    return Facts(
        title=message.title,
        pipeline_id=message.pipeline_id,
        stage_id=message.stage_id,
        organization_id=message.organization_id,
        person_id=message.person_id,
        unit_id=message.unit_id,
        owner_id=message.owner_id,
        amount=amount,
        currency=currency,
        line_items=lines,
        stage_history=tuple(_step_of(one) for one in message.stage_history),
        open_date=from_date(message.open_date, "open_date"),
        close_date=from_date(message.close_date, "close_date"),
        loss_reason=message.loss_reason,
        loss_comment=message.loss_comment,
        business_line=message.business_line,
        external_id=message.external_id,
        attributes=tuple(sorted(message.attributes.items())),
        expected_close_date=from_date(message.expected_close_date, "expected_close_date"),
    )


def _line_of(one: pb.LineItem) -> Line:
    return Line(
        product_id=one.product_id,
        description=one.product_name,
        quantity=Decimal(one.quantity),
        unit_price=from_money(one.unit_price)[0] if one.HasField("unit_price") else None,
        discount=Decimal(one.discount or 0),
        amount=from_money(one.amount)[0] if one.HasField("amount") else None,
        external_id=one.external_id,
    )


def _step_of(one: pb.StageChange) -> Step:
    moment = from_time(one.change_time, "change_time") if one.HasField("change_time") else None
    return Step(one.stage_id, one.stage_name, moment, one.user_id)


def line_message(line: Line, currency: str) -> pb.LineItem:
    """A line of a deal."""
    return pb.LineItem(
        product_id=line.product_id,
        product_name=line.description,
        quantity=decimal_text(line.quantity),
        unit_price=to_money(line.unit_price, currency),
        discount=decimal_text(line.discount) if line.discount else "",
        amount=to_money(line.amount, currency),
        external_id=line.external_id,
    )


def plan_message(one: Plan) -> pb.Plan:
    """A planned figure."""
    money = one.metric == REVENUE
    return pb.Plan(
        id=one.id,
        etag=str(one.version),
        unit_id=one.unit_id,
        user_id=one.user_id,
        product_id=one.product_id,
        start_date=to_date(one.start_date),
        end_date=to_date(one.end_date),
        metric=METRIC_NUMBERS[one.metric],
        amount=to_money(one.figure, one.currency) if money else None,
        quantity="" if money else decimal_text(one.figure),
    )


def match_message(one: Match) -> pb.CatalogueMatch:
    """What a written name means."""
    message = pb.CatalogueMatch(text=one.text, suggestions=one.suggestions)
    if one.product is not None:
        message.id, message.name = one.product.id, one.product.name
        message.fraction_allowed = one.product.fraction_allowed
        message.unit_of_measure = one.product.unit_of_measure
    elif one.stage is not None:
        message.id, message.name, message.stage_kind = one.stage.id, one.stage.name, KIND_NUMBERS[one.stage.kind]
    elif one.loss_reason:
        message.id = message.name = one.loss_reason
    return message
