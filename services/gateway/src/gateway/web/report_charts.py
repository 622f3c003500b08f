"""What a report's chart shows, as plain data that the page's script draws: one chart for each currency or funnel.

The chart draws the rows of the table; what it leaves out (more bars than an eye takes in) stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.web.report_questions import Question
from gateway.web.report_tables import PERIOD_GROUPS, Line, Table
from gateway.web.texts import gettext as _

MOST_BARS = 30
MOST_CHARTS = 6
Chart = dict[str, Any]


@dataclass(frozen=True)
class _Series:
    """A column that is drawn, with the period before where it stands beside."""

    name: str
    place: int
    before: bool = False


def make_charts(question: Question, table: Table) -> list[Chart]:
    """The charts of a report; none where there is nothing to draw."""
    shape = question.shape
    if not table.lines or not shape.chart:
        return []
    if shape.chart == "funnel":
        return _funnels(table)[:MOST_CHARTS]
    return _bars(question, table)[:MOST_CHARTS]


def _bars(question: Question, table: Table) -> list[Chart]:
    series = _series_of(question.shape.figures, table)
    if not series or not question.group_by:
        return []
    found = []
    for currency in dict.fromkeys(_currency(line, series) for line in table.lines):
        lines = [line for line in table.lines if _currency(line, series) == currency and _outcome_fits(table, line)]
        some = lines[:MOST_BARS]
        if any(line.cells[one.place].value for line in some for one in series):
            found.append(
                {
                    "kind": question.shape.chart,
                    "unit": table.headings[series[0].place].kind,
                    "currency": currency,
                    "time": question.group_by[0] in PERIOD_GROUPS,
                    "categories": [_label(table, line) for line in some],
                    "links": [next((cell.link for cell in line.cells if cell.link), "") for line in some],
                    "series": [
                        {
                            "name": one.name,
                            "before": one.before,
                            "values": [_number(line.cells[one.place].value) for line in some],
                            "texts": [line.cells[one.place].text for line in some],
                        }
                        for one in series
                        if not one.before or any(line.cells[one.place].value for line in some)
                    ],
                    "title": _spoken(question, currency),
                }
            )
    return found


def _funnels(table: Table) -> list[Chart]:
    """One funnel for each group and pipeline; stages that are no step of the way (lost) are left to the table."""
    count, stage, previous = table.at("deals"), table.at("stage"), table.at("per_hundred_of_previous")
    per_hundred = table.at("per_hundred_of_first")
    if count is None or stage is None:
        return []
    before = table.at("deals_before")
    funnels: dict[str, list[Line]] = {}
    for line in table.lines:
        title = " · ".join(cell.text for cell in line.cells[:stage] if cell.text)
        funnels.setdefault(title, []).append(line)
    found = []
    for title, lines in funnels.items():
        steps = [
            line
            for at, line in enumerate(lines)
            if at == 0 or (previous is not None and line.cells[previous].value is not None)
        ]
        if not steps or not steps[0].cells[count].value:
            continue
        sides = [(_("Now") if before is not None else "", count, per_hundred)]
        if before is not None and any(line.cells[before].value for line in steps):
            sides.append((_("before"), before, table.at("per_hundred_of_first_before")))
        found.append(
            {
                "kind": "funnel",
                "title": title,
                "sides": [
                    {
                        "name": name,
                        "steps": [
                            {
                                "name": line.cells[stage].text,
                                "value": _number(line.cells[place].value) or 0,
                                "text": line.cells[place].text or "0",
                                "share": line.cells[share].text if share is not None else "",
                                "link": line.cells[place].link,
                            }
                            for line in steps
                        ],
                    }
                    for name, place, share in sides
                ],
            }
        )
    return found


def _series_of(names: Sequence[str], table: Table) -> list[_Series]:
    found: list[_Series] = []
    for name in names:
        for column, before in ((name, False), (f"{name}_before", True)):
            place = table.at(column)
            if place is not None:
                title = table.headings[place].title
                found.append(
                    _Series(_("%(name)s before") % {"name": found[-1].name} if before else title, place, before)
                )
    return found


def _currency(line: Line, series: Sequence[_Series]) -> str:
    return next((line.cells[one.place].currency for one in series if line.cells[one.place].currency), "")


def _outcome_fits(table: Table, line: Line) -> bool:
    """Of rows that stand apart by outcome only those of all closed deals are drawn."""
    place = table.at("outcome")
    return place is None or line.cells[place].text == _("All closed")


def _label(table: Table, line: Line) -> str:
    groups = [cell.text for cell, one in zip(line.cells, table.headings, strict=True) if one.is_group]
    return " · ".join(groups)


def _number(value: Decimal | None) -> float | None:
    """A figure for drawing; the exact one is in the table."""
    return float(value) if value is not None else None


def _spoken(question: Question, currency: str) -> str:
    return currency if question.shape.chart == "bars" else ""
