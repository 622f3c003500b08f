"""What a report's page works out by itself: periods, the period before, the table of two answers, the workbook."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from crm.reporting.v1 import reporting_pb2 as pb
from gateway.web.report_charts import make_charts
from gateway.web.report_files import write_workbook
from gateway.web.report_questions import Question, Span, earlier_span, label_span, shift_label, span_of
from gateway.web.report_tables import Heading, Line, Shown, Table, make_table, show_figure
from gateway.web.texts import Texts, speaking

TODAY = date(2026, 11, 22)
QUARTER = Span(date(2026, 1, 1), date(2026, 3, 31))


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("this-week", date(2026, 11, 16), date(2026, 11, 22)),
        ("last-week", date(2026, 11, 9), date(2026, 11, 15)),
        ("this-month", date(2026, 11, 1), date(2026, 11, 30)),
        ("last-month", date(2026, 10, 1), date(2026, 10, 31)),
        ("this-quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("last-quarter", date(2026, 7, 1), date(2026, 9, 30)),
        ("last-year", date(2025, 1, 1), date(2025, 12, 31)),
        ("all", None, None),
    ],
)
def test_a_period_is_whole_and_ends_with_its_last_day(period: Any, first: Any, last: Any) -> None:
    assert span_of(period, TODAY) == Span(first, last)


@pytest.mark.parametrize(
    ("first", "last", "compare", "begin", "end"),
    [
        (date(2026, 1, 1), date(2026, 3, 31), "previous", date(2025, 10, 1), date(2025, 12, 31)),
        (date(2024, 3, 1), date(2024, 3, 31), "previous", date(2024, 2, 1), date(2024, 2, 29)),
        (date(2026, 1, 5), date(2026, 1, 11), "previous", date(2025, 12, 29), date(2026, 1, 4)),
        (date(2024, 2, 1), date(2024, 2, 29), "year", date(2023, 2, 1), date(2023, 2, 28)),
        (date(2024, 2, 10), date(2024, 2, 29), "year", date(2023, 2, 10), date(2023, 2, 28)),
    ],
)
def test_the_period_before_is_as_long_in_the_calendars_own_terms(
    first: Any, last: Any, compare: Any, begin: Any, end: Any
) -> None:
    assert earlier_span(first, last, compare) == Span(begin, end)


@pytest.mark.parametrize(
    ("label", "months", "moved"),
    [("2026-01", 3, "2026-04"), ("2025-Q4", 3, "2026-Q1"), ("2025", 12, "2026"), ("Moscow", 3, "Moscow")],
)
def test_months_quarters_and_years_move_with_their_period(label: Any, months: Any, moved: Any) -> None:
    assert shift_label(label, months) == moved


@pytest.mark.parametrize("label", ["2026-Q5", "2026-13", "0000", "", "Moscow", "2026-Qx"])
def test_another_text_is_no_period(label: Any) -> None:
    assert label_span(label) is None


def answer(*rows: tuple[str, str, str]) -> pb.RunReportResponse:
    """An answer of `won` by month: label, amount, currency."""
    return pb.RunReportResponse(
        name="won",
        columns=[
            pb.Column(name="month", title="Month", type="text"),
            pb.Column(name="amount", title="Amount", type="money"),
            pb.Column(name="converted", title="Converted", type="money"),
        ],
        rows=[
            pb.ReportRow(
                group_ids=[label],
                cells=[
                    pb.Cell(value=label),
                    pb.Cell(value=amount, currency_code=code, drill_key="key"),
                    pb.Cell(),
                ],
            )
            for label, amount, code in rows
        ],
    )


def test_a_month_stands_beside_the_same_month_of_the_period_before() -> None:
    question = Question("won", "own", QUARTER, group_by=("month",), compare="previous")
    now = answer(("2026-01", "150", "EUR"), ("2026-02", "10", "EUR"))
    before = answer(("2025-10", "100", "EUR"), ("2025-12", "7", "EUR"))
    table = make_table(question, ("month", "person"), now, before)
    texts = [[cell.text for cell in line.cells] for line in table.lines]
    assert [one.title for one in table.headings] == ["Month", "Amount", "before", "change"]  # nothing is converted
    assert texts[0] == ["Jan 2026", "€150", "€100", "50.0%"]
    assert texts[1][1:3] == ["€10", ""]
    assert texts[2][1:3] == ["", "€7"]  # a month that only the period before has is not lost


def test_the_figures_of_the_period_before_lead_to_its_own_records() -> None:
    question = Question("won", "own", QUARTER, group_by=("month",), compare="previous")
    table = make_table(question, ("month",), answer(("2026-01", "1", "EUR")), answer(("2025-10", "2", "EUR")))
    now, before = table.lines[0].cells[1].link, table.lines[0].cells[2].link
    assert "from=2026-01-01" in now
    assert "from=2025-10-01" in before
    assert "to=2025-12-31" in before


def test_a_stage_that_people_called_won_keeps_its_name() -> None:
    answered = pb.RunReportResponse(
        columns=[
            pb.Column(name="stage", title="Stage", type="text"),
            pb.Column(name="outcome", title="O", type="text"),
        ],
        rows=[pb.ReportRow(cells=[pb.Cell(value="Won"), pb.Cell(value="Won")])],
    )
    with speaking(Texts("ru", ZoneInfo("UTC"))):
        stage, outcome = make_table(Question("funnel", "all", Span()), (), answered, None).lines[0].cells
    assert stage.text == "Won"
    assert outcome.text != "Won"


def test_each_currency_has_a_chart_of_its_own() -> None:
    question = Question("won", "own", QUARTER, group_by=("month",))
    now = answer(("2026-01", "150", "EUR"), ("2026-01", "9000", "RUB"), ("2026-02", "10", "EUR"))
    charts = make_charts(question, make_table(question, ("month",), now, None))
    assert [(one["currency"], one["series"][0]["values"]) for one in charts] == [("EUR", [150, 10]), ("RUB", [9000])]


def test_a_figure_is_shown_as_the_language_writes_it() -> None:
    with speaking(Texts("ru", ZoneInfo("UTC"))):
        assert show_figure(Decimal("1234.5"), "money", "EUR") == "1\u00a0234,50\u00a0€"
        assert show_figure(Decimal("71.014493"), "percent") == "71,0%"
    assert show_figure(None, "money", "EUR") == ""


def test_hostile_texts_stay_texts_in_the_workbook_and_figures_are_numbers() -> None:
    hostile = ['=HYPERLINK("http://127.0.0.2:9/","x")', "+1+1", "@SUM(A1)", "http://127.0.0.2:9/", "12", "{=1+1}"]
    lines = [Line((Shown(text), Shown("€1.50", Decimal("1.5"), "EUR"))) for text in hostile]
    table = Table([Heading("person", "Person"), Heading("amount", "Amount", "money")], lines)
    data = write_workbook("=1+1", [("Unit", "=2+2")], table, ["-3+3"])
    sheet = openpyxl.load_workbook(BytesIO(data)).worksheets[0]
    cells = [cell for row in sheet for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
    assert [cell.value for cell in cells if cell.value in hostile] == hostile
    assert sum(float(str(cell.value)) for cell in cells if cell.data_type == "n") == 9
