"""What may be in a deal and what follows from it: decisions on plain values, no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from zoneinfo import ZoneInfo

from rapidfuzz import fuzz, process

from chassis.ids import time_of
from deals.errors import FractionNotAllowed, invalid
from deals.records import OPEN, Line, Pipeline, Product, Stage, Step
from values.names import fold_name

STEP_OF_MONEY = Decimal("0.000001")
MOST = Decimal(10) ** 14
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)  # what no calendar of sales goes beyond
SUGGESTIONS = 3
LEAST_LIKENESS = 70.0  # of 100: "GTXPro" to "GTX Plus Pro" has 67, to "GTX Pro" 92
# An id is made a moment before its event is committed, a batch's a minute before; clocks of machines differ as well.
LATE = timedelta(minutes=2)
_DECIMAL = re.compile(r"-?[0-9]{1,14}(?:\.[0-9]{1,6})?")
_ONE = Decimal(1)


def check_text(field: str, text: str, most: int) -> str:
    """The text as it is stored, unchanged. Errors: FieldInvalid for over-length or NUL (PostgreSQL holds none)."""
    if "\0" in text:
        raise invalid(field, "holds a NUL character; remove it")
    if len(text) > most:
        raise invalid(field, f"has {len(text)} characters; use at most {most}")
    return text


def check_name(field: str, text: str, most: int) -> str:
    """A name without blanks around it. Errors: FieldInvalid when empty, too long or with NUL."""
    name = check_text(field, text, most).strip()
    if not name:
        raise invalid(field, "is empty; give a name")
    return name


def check_day(field: str, day: date | None) -> date | None:
    """Errors: FieldInvalid outside 1900 to 2199."""
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise invalid(field, f"is {day.isoformat()}; use a day from {FIRST_DAY.year} to {LAST_DAY.year}")
    return day


def check_order(open_date: date | None, close_date: date | None) -> None:
    """Errors: FieldInvalid when a deal would close before it opened."""
    if open_date and close_date and close_date < open_date:
        raise invalid("deal.close_date", f"is {close_date}, before the deal was opened on {open_date}")


def parse_decimal(field: str, text: str) -> Decimal:
    """A number written as `-12.5`. Errors: FieldInvalid for any other spelling, over 14 digits or 6 places."""
    if not _DECIMAL.fullmatch(text):
        raise invalid(field, f"is {text[:40]!r}; write a number such as 12.5, of at most 14 digits and 6 places")
    return Decimal(text) + 0  # no negative zero


def parse_quantity(field: str, text: str) -> Decimal:
    """A quantity; empty means one piece. Negative quantities are returns. Errors: FieldInvalid."""
    return parse_decimal(field, text) if text else _ONE


def parse_discount(field: str, text: str) -> Decimal:
    """A discount as a fraction of the price, 0 when empty. Errors: FieldInvalid outside 0 to 1."""
    found = parse_decimal(field, text) if text else Decimal(0)
    if not 0 <= found <= 1:
        raise invalid(field, f"is {text}; write a fraction from 0 to 1, such as 0.15 for 15 %")
    return found


def decimal_text(number: Decimal) -> str:
    """A number as the contract writes it: no exponent, no trailing zeros."""
    return f"{number.normalize() + 0:f}"


def check_fraction(field: str, quantity: Decimal, product: Product) -> None:
    """Errors: FractionNotAllowed when the product is counted in whole units."""
    if not product.fraction_allowed and quantity != quantity.to_integral_value():
        raise FractionNotAllowed(field, decimal_text(quantity), product.name, product.unit_of_measure)


def price_line(field: str, line: Line) -> Line:
    """The line with its amount: the one given, else quantity times price less discount.

    Exact; beyond 6 places, which prices of 2 places and whole quantities never reach, half goes to even.
    Errors: FieldInvalid at 10**14 or more.
    """
    if line.amount is not None or line.unit_price is None:
        return line
    with localcontext() as context:
        context.prec = 60
        amount = (line.quantity * line.unit_price * (1 - line.discount)).quantize(STEP_OF_MONEY, ROUND_HALF_EVEN)
    if abs(amount) >= MOST:
        raise invalid(field, f"comes to {amount:f}; use less than 100,000,000,000,000")
    return replace(line, amount=amount)


def price_deal(lines: Sequence[Line], amount: Decimal | None) -> tuple[tuple[Line, ...], Decimal | None]:
    """Lines with their amounts, and the deal's amount.

    The amount is the sum of the lines' known amounts. Where no line has one, the amount given for the deal stands; and
    where there is only that one line, it is the line's amount too, so that a sum by product is right.
    Errors: FieldInvalid at 10**14 or more.
    """
    priced = tuple(price_line(f"deal.line_items[{number}].amount", line) for number, line in enumerate(lines))
    known = [line.amount for line in priced if line.amount is not None]
    if known:
        total = sum(known, Decimal(0))
        if abs(total) >= MOST:
            raise invalid("deal.amount", f"comes to {total:f}; use less than 100,000,000,000,000")
        return priced, total
    if len(priced) == 1:
        priced = (replace(priced[0], amount=amount),)
    return priced, amount


def noon_of(day: date | None, zone: str) -> datetime | None:
    """The moment that stands for a day without a time: noon of the unit's zone.

    Noon, because that is the same day for a reader who counts in UTC, in every zone east of UTC-12 up to UTC+12.
    """
    return None if day is None else datetime.combine(day, time(12), ZoneInfo(zone or "UTC")).astimezone(UTC)


def tell_history(
    pipeline: Pipeline, stage: Stage, open_date: date | None, close_date: date | None, zone: str, user_id: str = ""
) -> tuple[Step, ...]:
    """The steps that a deal with these dates has surely made, oldest first.

    An open deal entered its stage on the day it was opened. A won or lost one entered the pipeline's first open stage
    on the day it was opened, where that is known, and its last stage on the day it was closed. What is not known
    stays unknown: a step without a time.
    """
    if stage.kind == OPEN:
        return (Step(stage.id, stage.name, noon_of(open_date, zone), user_id),)
    last = Step(stage.id, stage.name, noon_of(close_date, zone), user_id)
    if open_date is None:
        return (last,)
    first = pipeline.first_open
    return Step(first.id, first.name, noon_of(open_date, zone), user_id), last


def correct_history(current: Sequence[Step], before: Sequence[Step], after: Sequence[Step]) -> tuple[Step, ...]:
    """The recorded steps after a source corrected what it had said of them; steps made here stay."""
    if tuple(current) == tuple(before):
        return tuple(after)
    recorded = {step.stage_id for step in current}
    newly_first = after[:1] if after[0].stage_id not in recorded else ()
    return (*newly_first, *_put_right(current, before, after))


def continue_history(
    current: Sequence[Step], before: Sequence[Step], after: Sequence[Step], stage: Stage, now: datetime
) -> tuple[Step, ...]:
    """The recorded steps after a source said that the deal is in another stage, `stage`, the last of `after`.

    The new step follows those recorded: at the time the source says, unless a recorded one is later; then at `now`,
    when we learned of it. An open stage's time is the day of opening, so it counts only when later than all others.
    """
    kept, last = _put_right(current, before, after[:-1]), after[-1]
    said = last.change_time
    later = said is not None and all(
        step.change_time is None or step.change_time < said or (stage.kind != OPEN and step.change_time == said)
        for step in kept
    )
    return (*kept, last if later else replace(last, change_time=now))


def _put_right(current: Sequence[Step], before: Sequence[Step], after: Sequence[Step]) -> list[Step]:
    said = {step.stage_id: step for step in before}
    corrected = {said[step.stage_id]: step for step in after if step.stage_id in said}
    return [corrected.get(step, step) for step in current]


def squeeze(text: str) -> str:
    """A name without blanks and signs: "GTX Pro" and "GTXPro" become the same."""
    return fold_name(text).replace(" ", "")


def propose_names(written: str, names: Iterable[str]) -> list[str]:
    """The nearest of `names`, best first, at most three; those that differ in blanks and signs only come first."""
    choices = {name: fold_name(name) for name in names}
    wanted, squeezed = fold_name(written), squeeze(written)
    same = sorted(name for name, folded in choices.items() if folded.replace(" ", "") == squeezed)
    near = process.extract(
        wanted, choices, scorer=fuzz.WRatio, limit=SUGGESTIONS + len(same), score_cutoff=LEAST_LIKENESS
    )
    return list(dict.fromkeys([*same, *(str(key) for _, _, key in near)]))[:SUGGESTIONS]


def may_be_on_its_way(customer_id: str, first: str | None, heard_until: datetime | None, now: datetime) -> bool:
    """Tell whether contacts may have made a customer of whom its events have not told us yet.

    `first` is the oldest id that was told, `heard_until` the moment of the newest event; None where nothing was told,
    as where contacts is not deployed. An id tells when it was made: what is younger than the news may still come, what
    is older than the first was made before we listened.
    """
    if first is None or heard_until is None:
        return True
    made, began = time_of(customer_id), time_of(first)
    if made is None or made > now + LATE:
        return False
    return made > heard_until - LATE or (began is not None and made < began)
