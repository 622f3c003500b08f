"""What a written deal means: a message of any door, checked against the catalogue, becomes facts; one way for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from chassis.dates import from_date
from chassis.ids import is_id
from chassis.money import from_money
from crm.deals.v1 import deals_pb2 as pb
from deals import rules
from deals.catalogue import Catalogue
from deals.errors import LossReasonRequired, ProductNotFound, StageNotFound, invalid
from deals.first_pipeline import NOT_STATED, OTHER
from deals.records import LOST, OPEN, Facts, Line, Pipeline, Stage, Step
from deals.rules import check_day, check_text
from deals.times import from_time

MAX_TITLE, MAX_COMMENT, MAX_SHORT = 300, 4_000, 300
MAX_EXTERNAL_ID, MAX_ATTRIBUTES, MAX_ATTRIBUTE_NAME, MAX_ATTRIBUTE = 255, 50, 100, 4_000
MAX_LINES, MAX_STEPS = 1_000, 200


@dataclass(frozen=True)
class Door:
    """By which door a deal comes. A source may keep silent about what a person at a screen has to say.

    `today` is given for persons: their deals are opened and closed today unless they say another day.
    """

    catalogue: Catalogue
    zone: str
    user_id: str = ""
    today: date | None = None
    now: datetime | None = None

    @property
    def is_source(self) -> bool:
        """True for imports: original dates and history are kept, silence is allowed."""
        return self.today is None


def compose_facts(said: pb.Deal, unit_id: str, door: Door, number: str = "") -> Facts:
    """The facts of a deal as said; its steps follow by `tell_steps`. `number` is the source's where the deal has none.

    Errors: FieldInvalid, PipelineNotFound, StageNotFound, ProductNotFound, FractionNotAllowed, LossReasonRequired.
    """
    pipeline, stage = door.catalogue.pipelines.find_stage(said.pipeline_id, said.stage_id, said.stage_name)
    open_date, close_date = compose_dates(said, stage, door)
    beside = _told_beside(said, stage) if door.is_source else {}
    expected = compose_expected(said)
    if stage.kind == OPEN:
        # Exports have one column for both: of an open deal it says when it is expected to close.
        expected, close_date = expected or close_date, None
    reason, comment = compose_loss(stage, said.loss_reason, said.loss_comment, door)
    lines, line_currency = compose_lines(said.line_items, door.catalogue)
    amount, currency = compose_amount(said, line_currency)
    unpriced = all(line.amount is None and line.unit_price is None for line in lines)
    if door.is_source and stage.kind == OPEN and unpriced and amount == 0:
        amount, currency = None, ""  # exports write 0 where an open deal has no value yet; both mean the same
    if lines:
        lines, amount = rules.price_deal(lines, amount)
    return Facts(
        title=check_text("deal.title", said.title, MAX_TITLE),
        pipeline_id=pipeline.id,
        stage_id=stage.id,
        organization_id=compose_id("deal.organization_id", said.organization_id),
        person_id=compose_id("deal.person_id", said.person_id),
        unit_id=unit_id,
        owner_id=compose_id("deal.owner_id", said.owner_id),
        amount=amount,
        currency=currency,
        line_items=lines,
        stage_history=compose_steps(said.stage_history, pipeline, stage) if door.is_source else (),
        open_date=open_date,
        close_date=close_date,
        loss_reason=reason,
        loss_comment=comment,
        business_line=check_text("deal.business_line", said.business_line, MAX_SHORT),
        external_id=check_text("deal.external_id", said.external_id or number, MAX_EXTERNAL_ID),
        attributes=compose_attributes({**beside, **said.attributes}) if beside or said.attributes else (),
        expected_close_date=expected,
    )


def price_facts(facts: Facts) -> Facts:
    """The facts with the amounts that follow from the lines. Errors: FieldInvalid."""
    if not facts.line_items:
        return facts
    lines, amount = rules.price_deal(facts.line_items, facts.amount)
    return replace(facts, line_items=lines, amount=amount)


def tell_steps(facts: Facts, door: Door) -> tuple[Step, ...]:
    """The history that these facts tell: as given, else as their dates tell it; a person's deal of today begins now."""
    pipelines = door.catalogue.pipelines
    pipeline, stage = pipelines.by_id[facts.pipeline_id], pipelines.stages[facts.stage_id]
    if facts.stage_history:
        steps = facts.stage_history
        if steps[-1].stage_id != stage.id:
            steps = (*steps, Step(stage.id, stage.name, rules.noon_of(facts.close_date, door.zone), door.user_id))
        return steps
    steps = rules.tell_history(pipeline, stage, facts.open_date, facts.close_date, door.zone, door.user_id)
    if door.today is None:
        return steps
    noon = rules.noon_of(door.today, door.zone)
    return tuple(replace(step, change_time=door.now) if step.change_time == noon else step for step in steps)


def compose_dates(said: pb.Deal, stage: Stage, door: Door) -> tuple[date | None, date | None]:
    """Days of opening and closing; a source may say when an open deal is expected to close. Errors: FieldInvalid."""
    open_date = check_day("deal.open_date", from_date(said.open_date, "deal.open_date"))
    close_date = check_day("deal.close_date", from_date(said.close_date, "deal.close_date"))
    if stage.kind == OPEN:
        if close_date is not None and not door.is_source:
            raise invalid("deal.close_date", f"is {close_date} though stage {stage.name!r} is open; leave it out")
    elif close_date is None:
        close_date = door.today
    elif door.today is not None and close_date > door.today:
        raise invalid("deal.close_date", f"is {close_date}, which is still to come; today is {door.today}")
    if open_date is None and door.today is not None:
        open_date = min(door.today, close_date or door.today)
    if stage.kind != OPEN:
        rules.check_order(open_date, close_date)
    return open_date, close_date


def compose_loss(stage: Stage, written: str, comment: str, door: Door) -> tuple[str, str]:
    """Reason from the list and comment of a lost deal, both empty for others.

    A person must choose a reason. A source that says nothing means "not stated"; what it writes freely becomes the
    comment of "other". Errors: LossReasonRequired, FieldInvalid.
    """
    check_text("deal.loss_comment", comment, MAX_COMMENT)
    check_text("deal.loss_reason", written, MAX_COMMENT)
    if stage.kind != LOST:
        if (written or comment) and not door.is_source:
            field = "deal.loss_reason" if written else "deal.loss_comment"
            raise invalid(field, f"is given though stage {stage.name!r} is not a lost one; leave it out")
        return "", ""
    reasons = door.catalogue.loss_reasons
    known = reasons.find(written)
    if known:
        return known, comment
    if not door.is_source:
        if written:
            raise invalid("deal.loss_reason", f"{written[:60]!r} is none of: {', '.join(reasons.names)}")
        raise LossReasonRequired(reasons.names)
    if not written.strip():
        return NOT_STATED, comment
    return OTHER, check_text("deal.loss_comment", f"{written}: {comment}" if comment else written, MAX_COMMENT)


def compose_expected(said: pb.Deal) -> date | None:
    """The day on which the deal is expected to be won. Errors: FieldInvalid."""
    field = "deal.expected_close_date"
    return check_day(field, from_date(said.expected_close_date, field))


def _told_beside(said: pb.Deal, stage: Stage) -> dict[str, str]:
    """What exports say though the stage has no such field, kept as further facts: a reason where nothing was lost."""
    if stage.kind == LOST:
        return {}
    written = {"loss_reason": said.loss_reason, "loss_comment": said.loss_comment}
    return {name: text for name, text in written.items() if text}


def compose_lines(said: Iterable[pb.LineItem], catalogue: Catalogue) -> tuple[tuple[Line, ...], str]:
    """The lines and their one currency, empty when no line has money.

    Errors: FieldInvalid, ProductNotFound, FractionNotAllowed, each naming the line.
    """
    lines: list[Line] = []
    currency = ""
    for number, one in enumerate(said):
        line, money = _compose_line(f"deal.line_items[{number}]", one, catalogue)
        if currency and money and money != currency:
            raise invalid(f"deal.line_items[{number}].amount", f"is in {money}, an earlier line in {currency}; use one")
        currency = currency or money
        lines.append(line)
    if len(lines) > MAX_LINES:
        raise invalid("deal.line_items", f"has {len(lines)} lines; use at most {MAX_LINES}")
    return tuple(lines), currency


def _compose_line(at: str, one: pb.LineItem, catalogue: Catalogue) -> tuple[Line, str]:
    product = catalogue.products.get(one.product_id) if one.product_id else None
    if one.product_id and product is None:
        raise ProductNotFound(f"{at}.product_id", one.product_id)
    if product is None and not (one.product_name or one.quantity or one.HasField("amount")):
        raise invalid(f"{at}.product_id", "is empty and so is the line; name a product or describe what is sold")
    quantity = rules.parse_quantity(f"{at}.quantity", one.quantity)
    if product is not None:
        rules.check_fraction(f"{at}.quantity", quantity, product)
    price, price_currency = from_money(one.unit_price, f"{at}.unit_price") if one.HasField("unit_price") else (None, "")
    amount, currency = from_money(one.amount, f"{at}.amount") if one.HasField("amount") else (None, price_currency)
    if price_currency and price_currency != currency:
        raise invalid(f"{at}.unit_price", f"is in {price_currency}, the amount in {currency}; use one currency")
    line = Line(
        product_id=one.product_id,
        description="" if product else check_text(f"{at}.product_name", one.product_name, MAX_SHORT),
        quantity=quantity,
        unit_price=price,
        discount=rules.parse_discount(f"{at}.discount", one.discount),
        amount=amount,
        external_id=check_text(f"{at}.external_id", one.external_id, MAX_EXTERNAL_ID),
        product_name=product.name if product else "",
    )
    return line, currency


def compose_amount(said: pb.Deal, line_currency: str) -> tuple[Decimal | None, str]:
    """The amount said and the deal's currency. Errors: FieldInvalid when the lines are in another currency."""
    if not said.HasField("amount"):
        return None, line_currency
    amount, currency = from_money(said.amount, "deal.amount")
    if line_currency and line_currency != currency:
        raise invalid("deal.amount", f"is in {currency}, the lines in {line_currency}; use one currency")
    return amount, currency


def compose_steps(said: Iterable[pb.StageChange], pipeline: Pipeline, last: Stage) -> tuple[Step, ...]:
    """The dated steps a source knows, oldest first. Errors: StageNotFound, FieldInvalid when they are out of order."""
    names = {stage.id: stage.name for stage in pipeline.stages}
    steps: list[Step] = []
    latest: datetime | None = None
    for number, one in enumerate(said):
        at = f"deal.stage_history[{number}]"
        if one.stage_id not in names:
            raise StageNotFound(one.stage_id, pipeline.name, names.values())
        moment = from_time(one.change_time, f"{at}.change_time") if one.HasField("change_time") else None
        if moment is not None:
            check_day(f"{at}.change_time", moment.date())
            if latest is not None and moment < latest:
                raise invalid(f"{at}.change_time", "is before the step above it; give the oldest first")
            latest = moment
        steps.append(Step(one.stage_id, names[one.stage_id], moment, compose_id(f"{at}.user_id", one.user_id)))
    if len(steps) > MAX_STEPS:
        raise invalid("deal.stage_history", f"has {len(steps)} steps; use at most {MAX_STEPS}")
    if steps and last.kind == OPEN and steps[-1].stage_id != last.id:
        raise invalid("deal.stage_history", f"does not end with the deal's stage {last.name!r}")
    return tuple(steps)


def compose_attributes(said: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Further facts in the order of their names. Errors: FieldInvalid."""
    found = tuple(sorted(said.items()))
    if len(found) > MAX_ATTRIBUTES:
        raise invalid("deal.attributes", f"has {len(found)} names; use at most {MAX_ATTRIBUTES}")
    for name, text in found:
        check_text("deal.attributes", name, MAX_ATTRIBUTE_NAME)
        check_text("deal.attributes", text, MAX_ATTRIBUTE)
    return found


def compose_id(field: str, text: str) -> str:
    """An id or nothing. Errors: FieldInvalid when it is no UUID in canonical form."""
    if text and not is_id(text):
        raise invalid(field, f"is {text[:60]!r}, which is no id; use one that a service has given")
    return text
