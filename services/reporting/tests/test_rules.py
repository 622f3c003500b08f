"""The pure rules: periods split without loss, figures as text, lines that add up, plans never counted twice."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from statistics import mean, median

from hypothesis import given
from hypothesis import strategies as st

from reporting.rules.figures import as_text, mean_of, median_of, ratio
from reporting.rules.funnel import Journey, Step, count_reached, steps_in_order
from reporting.rules.lines import Line, add_remainder
from reporting.rules.periods import DAY, Span, grain_span, label_span, next_month, period_label, split_span
from reporting.rules.planning import Plan, choose_plans, overlap

days = st.dates(date(2019, 1, 1), date(2027, 12, 31))
money = st.decimals(-(10**9), 10**9, places=6)


@given(st.one_of(st.none(), days), st.one_of(st.none(), days), days)
def test_a_period_is_split_so_that_each_day_is_in_it_exactly_once(
    first: date | None, last: date | None, day: date
) -> None:
    if first and last and first > last:
        first, last = last, first
    span = Span(first, last)
    whole, rest = split_span(span)
    in_whole = whole is not None and (whole.first or date.min) <= day.replace(day=1) <= (whole.last or date.max)
    times = int(in_whole) + sum(part.meets(Span(day, day)) for part in rest)
    assert times == int(span.meets(Span(day, day)))


@given(days, st.sampled_from(("month", "quarter", "year")))
def test_a_day_lies_in_the_period_it_is_labelled_with(day: date, grain: str) -> None:
    span = grain_span(day, grain)
    assert span.holds(Span(day, day))
    assert span.last is not None
    assert period_label(span.last, grain) == period_label(day, grain) != period_label(span.last + DAY, grain)


def test_labels_of_no_period_are_none_and_the_end_of_the_calendar_is_no_trouble() -> None:
    assert [label_span(text) for text in ("", "2026-13", "2026-Q5", "0000", "26", "2026-00", "٢٠٢٦")] == [None] * 7
    assert label_span("9999-12") == Span(date(9999, 12, 1), date.max)
    assert next_month(date(9999, 12, 5)) == date.max
    december = Span(date(9999, 12, 1), date.max)
    assert split_span(Span(date(9999, 11, 1), date.max)) == (Span(date(9999, 11, 1), date(9999, 11, 1)), [december])


def test_the_first_month_there_is_may_end_a_span() -> None:
    for span in (Span(None, date(1, 1, 15)), Span(date.min, date.min)):
        assert split_span(span) == (None, [span])
    assert split_span(Span(None, date(1, 1, 31))) == (Span(None, date.min), [])


@given(money)
def test_a_figure_as_text_says_the_same_number_plainly(value: Decimal) -> None:
    text = as_text(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert "." not in text or text[-1] != "0"


@given(st.lists(st.integers(-5, 400), min_size=1, max_size=60))
def test_mean_and_median_are_those_of_the_listed_numbers(values: list[int]) -> None:
    histogram = Counter(values)
    assert median_of(histogram) == Decimal(str(median(values)))
    found = mean_of(histogram)
    assert found is not None
    assert abs(float(found) - mean(values)) < 1e-6


def test_nothing_has_no_ratio_and_no_median() -> None:
    assert (ratio(1, 0), mean_of({}), median_of({}), as_text(None)) == (None, None, None, "")


@given(st.lists(st.one_of(st.none(), money), max_size=5), st.one_of(st.none(), money))
def test_lines_and_what_they_leave_are_the_deal_to_the_digit(
    amounts: list[Decimal | None], amount: Decimal | None
) -> None:
    given_lines = [Line(number, None, "", 1, None, value) for number, value in enumerate(amounts, 1)]
    found = add_remainder(given_lines, amount)
    assert sum((line.amount for line in found if line.amount is not None), Decimal(0)) == (amount or 0)
    assert sum(line.counted for line in found) == max(1, len(amounts))


STEPS = steps_in_order(
    [
        Step("lost", "L", "lost", 9),
        Step("won", "W", "won", 8),
        *(Step(f"s{at}", f"S{at}", "open", at) for at in range(4)),
    ]
)
journeys = st.builds(
    Journey,
    st.sampled_from(("open", "won", "lost")),
    st.sampled_from([step.stage_id for step in STEPS]),
    st.frozensets(st.sampled_from([step.stage_id for step in STEPS])),
    st.integers(1, 9),
)


@given(st.lists(journeys, max_size=12))
def test_a_funnel_never_widens_and_endings_are_counted_once(going: list[Journey]) -> None:
    counts = count_reached(STEPS, going)
    opened = [counts[step.stage_id] for step in STEPS if step.kind == "open"]
    assert opened == sorted(opened, reverse=True)
    assert opened[0] == sum(one.deals for one in going)
    for status in ("won", "lost"):
        assert counts[status] == sum(one.deals for one in going if one.status == status)
    assert opened[-1] >= counts["won"]


plans = st.builds(
    lambda path, user, product, start, length, number: Plan(
        f"{number:09d}", path, path, user, product, start, start + timedelta(days=length), Decimal(1), "EUR"
    ),
    st.sampled_from(("hq", "hq.a", "hq.b", "hq.a.x", "hq.a.y", "hq.ab")),
    st.sampled_from(("", "anna", "boris")),
    st.sampled_from(("", "saw", "nail")),
    st.dates(date(2026, 1, 1), date(2026, 6, 30)),
    st.integers(0, 120),
    st.integers(0, 10**6),
)


@given(
    st.lists(plans, max_size=14, unique_by=lambda one: one.id),
    st.sets(st.sampled_from(("person", "product", "branch"))),
)
def test_no_two_chosen_plans_overlap_and_each_left_out_meets_a_chosen_one(
    given_plans: list[Plan], by: set[str]
) -> None:
    chosen, left_out = choose_plans(given_plans, tuple(by), lambda one: one.unit_path.count(".") >= 1)
    assert sorted(one.id for one in (*chosen, *left_out)) == sorted(one.id for one in given_plans)
    assert not any(overlap(one, other) for one in chosen for other in chosen if one is not other)
    assert all(any(overlap(one, other) for other in chosen) for one in left_out)
