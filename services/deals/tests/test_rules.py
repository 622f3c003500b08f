"""Amounts, steps and proposals follow from plain values, whatever the values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid
from deals import rules
from deals.records import LOST, OPEN, WON, Line, Pipeline, Stage, Step

PLACES = st.decimals(min_value=-10_000, max_value=10_000, places=6)
PRICES = st.decimals(min_value=0, max_value=100_000, places=2)
DISCOUNTS = st.decimals(min_value=0, max_value=1, places=2)
DAYS = st.dates(min_value=rules.FIRST_DAY, max_value=rules.LAST_DAY)
STAGES = tuple(
    Stage(name, "p", name, kind, position)
    for position, (name, kind) in enumerate([("Lead", OPEN), ("Offer", OPEN), ("Won", WON), ("Lost", LOST)], 1)
)
PIPELINE = Pipeline("p", 1, "Sales", STAGES)
LINES = st.builds(
    Line, st.just(""), st.just("x"), PLACES, st.none() | PRICES, DISCOUNTS, st.none() | PLACES, st.just("")
)


@given(PLACES, PRICES, DISCOUNTS)
def test_a_line_is_worth_quantity_times_price_less_discount_to_six_places(
    quantity: Decimal, price: Decimal, discount: Decimal
) -> None:
    line = rules.price_line("amount", Line("", "x", quantity, price, discount, None, ""))
    assert line.amount is not None
    assert abs(line.amount - quantity * price * (1 - discount)) <= rules.STEP_OF_MONEY / 2
    assert line.amount == line.amount.quantize(rules.STEP_OF_MONEY)


@given(st.lists(LINES, min_size=1, max_size=6), st.none() | PLACES)
def test_the_lines_add_up_to_the_deal_or_the_deal_stands(lines: list[Line], amount: Decimal | None) -> None:
    priced, total = rules.price_deal(lines, amount)
    known = [line.amount for line in priced if line.amount is not None]
    assert total == (sum(known) if known else amount)
    assert rules.price_deal(priced, total) == (priced, total)


@given(PLACES)
def test_a_number_is_written_so_that_it_is_read_as_the_same(number: Decimal) -> None:
    text = rules.decimal_text(number)
    assert rules.parse_decimal("quantity", text) == number
    assert not text.startswith("-0") or number != 0


@pytest.mark.parametrize(
    "text", ["", "1,5", "1e3", "NaN", "Infinity", "٣", "１", "+1", "1.", ".5", "0x1", "1" * 15, "--1"]
)
def test_another_spelling_of_a_number_is_no_number(text: str) -> None:
    with pytest.raises(FieldInvalid):
        rules.parse_decimal("quantity", text)


@given(DAYS, st.sampled_from(sorted(available_timezones())))
def test_a_day_without_a_time_is_the_same_day_in_its_zone(day: date, zone: str) -> None:
    moment = rules.noon_of(day, zone)
    assert moment is not None
    assert moment.astimezone(ZoneInfo(zone)).date() == day
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    if timedelta(hours=-12) < offset <= timedelta(hours=12):
        assert moment.date() == day


@given(st.sampled_from(STAGES), st.none() | DAYS, st.none() | DAYS)
def test_the_told_history_ends_in_the_stage_and_invents_no_time(
    stage: Stage, opened: date | None, closed: date | None
) -> None:
    steps = rules.tell_history(PIPELINE, stage, opened, closed, "UTC")
    assert steps[-1].stage_id == stage.id
    assert {step.change_time.date() for step in steps if step.change_time} <= {opened, closed}
    assert len(steps) == (2 if stage.kind != OPEN and opened else 1)


def step(stage: str, day: int | None) -> Step:
    return Step(stage, stage, datetime(2026, 1, day, 12, tzinfo=UTC) if day else None, "")


NOW = datetime(2026, 2, 1, tzinfo=UTC)


def test_corrected_days_keep_the_steps_made_here() -> None:
    recorded = (step("Lead", 3), step("Offer", 9))
    corrected = rules.correct_history(recorded, [step("Lead", 3)], [step("Lead", 2)])
    assert corrected == (step("Lead", 2), step("Offer", 9))
    learned = rules.correct_history(
        (step("Won", 5), step("Offer", 9)), [step("Won", 5)], [step("Lead", 1), step("Won", 6)]
    )
    assert learned == (step("Lead", 1), step("Won", 6), step("Offer", 9))


@pytest.mark.parametrize(
    ("recorded", "before", "after", "expected"),
    [
        ([("Lead", 1)], [("Lead", 1)], [("Lead", 1), ("Won", 4)], [("Lead", 1), ("Won", 4)]),
        ([("Lead", 1)], [("Lead", 1)], [("Lead", 1), ("Won", 1)], [("Lead", 1), ("Won", 1)]),
        ([("Lead", 1)], [("Lead", 1)], [("Offer", 1)], [("Lead", 1), ("Offer", "now")]),
        ([("Lead", None)], [("Lead", None)], [("Offer", 4)], [("Lead", None), ("Offer", 4)]),
        ([("Lead", 1)], [("Lead", 1)], [("Lead", 2), ("Won", None)], [("Lead", 2), ("Won", "now")]),
        (
            [("Lead", 1), ("Offer", 9)],
            [("Lead", 1)],
            [("Lead", 1), ("Won", 5)],
            [("Lead", 1), ("Offer", 9), ("Won", "now")],
        ),
    ],
)
def test_a_stage_said_later_is_dated_by_the_source_unless_a_recorded_step_is_later(
    recorded: list[tuple[str, int | None]],
    before: list[tuple[str, int | None]],
    after: list[tuple[str, int | None]],
    expected: list[tuple[str, object]],
) -> None:
    stage = next(one for one in STAGES if one.id == after[-1][0])
    found = rules.continue_history(
        [step(*one) for one in recorded], [step(*one) for one in before], [step(*one) for one in after], stage, NOW
    )
    days = [
        (one.stage_id, "now" if one.change_time == NOW else one.change_time.day if one.change_time else None)
        for one in found
    ]
    assert days == expected


def test_names_that_differ_in_blanks_and_signs_are_proposed_first() -> None:
    names = ["GTX Plus Pro", "GTX Pro", "GTX Basic", "gtx-pro (old)", "MG Special"]
    assert rules.propose_names("GTXPro", names)[0] == "GTX Pro"
    assert rules.propose_names("plus pro gtx", names)[0] == "GTX Plus Pro"
    assert rules.propose_names("Zebra", names) == []
