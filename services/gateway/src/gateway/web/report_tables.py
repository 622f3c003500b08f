"""A report's answer as the table that a page shows and a workbook holds: words, figures, links, the period before.

The page and the file are made from the same table, so an export is what is seen. Figures stay exact; they are rounded
only where they are shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from babel import dates

from crm.reporting.v1 import reporting_pb2 as pb
from gateway.web.report_questions import Question, label_span, shift_label
from gateway.web.report_words import column_titles, text_words
from gateway.web.texts import current_texts
from gateway.web.texts import gettext as _
from gateway.web.values import show_date

FIGURES = frozenset({"count", "money", "quantity", "percent", "per_hundred", "days"})
PLACES = {"count": 0, "percent": 1, "per_hundred": 1, "days": 1}
PERIOD_GROUPS = frozenset({"month", "quarter", "year"})
CHANGED = frozenset({"count", "money", "quantity"})  # whose change in per cent means something
OWN_WORDS = frozenset({"outcome", "state"})  # columns whose texts the reports say, not people
_TOTAL_OF = re.compile("Total ([A-Z]{3})")


@dataclass(frozen=True)
class Heading:
    """A column: `kind` as in the contract, or `change`; `is_group` for what the rows are grouped by."""

    name: str
    title: str
    kind: str = "text"
    is_group: bool = False

    @property
    def is_figure(self) -> bool:
        """Whether the column holds figures."""
        return self.kind in FIGURES or self.kind == "change"


@dataclass(frozen=True)
class Shown:
    """A cell: the text for people, the exact figure where it is one, and where a click leads."""

    text: str = ""
    value: Decimal | None = None
    currency: str = ""
    link: str = ""


@dataclass(frozen=True)
class Line:
    """A row with the ids of its groups."""

    cells: tuple[Shown, ...]
    groups: tuple[str, ...] = ()


@dataclass
class Table:
    """Columns, rows and totals."""

    headings: list[Heading]
    lines: list[Line] = field(default_factory=list)
    totals: list[Line] = field(default_factory=list)

    def at(self, name: str) -> int | None:
        """The place of a column."""
        return next((place for place, one in enumerate(self.headings) if one.name == name), None)


def make_table(
    question: Question,
    allowed: tuple[str, ...],
    now: pb.RunReportResponse,
    before: pb.RunReportResponse | None,
) -> Table:
    """The table of an answer, with the figures of the period before beside them where there are any.

    `allowed` are the groups the report knows; a group's name leads to the next of them.
    """
    titles = column_titles()
    groups = len(question.group_by)
    headings = [
        Heading(one.name, titles.get(one.name, one.title), one.type, at < groups) for at, one in enumerate(now.columns)
    ]
    keep = [at for at, one in enumerate(headings) if not one.is_figure or _has_any(now.rows, before, at)]
    shown = [headings[at] for at in keep]
    table = Table(shown if before is None else _with_before(question, shown))
    maker = _Maker(question, allowed, headings, keep, before is not None)
    table.lines = maker.lines(now.rows, before.rows if before else ())
    if groups:  # a report without groups is its own total
        table.totals = maker.lines(now.totals, before.totals if before else ())
    return table


def show_figure(value: Decimal | None, kind: str, currency: str = "") -> str:
    """A figure for people; empty for none."""
    if value is None:
        return ""
    texts = current_texts()
    if kind == "money" and currency:
        return texts.money(value.quantize(Decimal("0.01")), currency)
    if kind in ("percent", "change"):
        return texts.percent(value / 100, 1)
    return texts.number(round(value, PLACES[kind]) if kind in PLACES else value.normalize(), PLACES.get(kind))


def show_text(text: str, heading: Heading) -> str:
    """A text of a cell: days by locale, the reports' own words translated; what people wrote stays as it is."""
    if heading.kind == "date" and text:
        return show_date(date.fromisoformat(text))
    return say_word(text) if heading.name in OWN_WORDS else text


def say_word(text: str) -> str:
    """One of the reports' own words in the viewer's language."""
    total = _TOTAL_OF.fullmatch(text)
    if total:
        return _("Total %(currency)s") % {"currency": total[1]}
    return text_words().get(text, text)


def show_period(label: str) -> str:
    """A month, quarter or year as the language writes it."""
    span = label_span(label)
    if span is None or span.first is None:
        return label or _("(no date)")
    skeleton = "yQQQ" if "Q" in label else "yMMM" if "-" in label else "y"
    return dates.format_skeleton(skeleton, span.first, locale=current_texts().locale)


def read_value(cell: pb.Cell) -> Decimal | None:
    """The figure of a cell; None where there is none."""
    return Decimal(cell.value) if cell.value else None


def group_link(question: Question, at: int, group: str, allowed: Sequence[str]) -> str:
    """Where a group leads: the same report inside of it, one level deeper; empty where there is no deeper."""
    name = question.group_by[at]
    rest = tuple(one for place, one in enumerate(question.group_by) if place != at)
    if not group:
        return ""
    if name in PERIOD_GROUPS:
        span = label_span(group)
        deeper = {"year": "month", "quarter": "month"}.get(name, "branch")
        return question.with_changes(period="own", span=span, group_by=rest or _first(allowed, deeper)).address()
    inside = {
        "region": ({"unit_id": group}, "branch"),
        "branch": ({"unit_id": group}, "person"),
        "unit": ({"unit_id": group}, "person"),
        "person": ({"user_id": group}, "month"),
        "pipeline": ({"pipeline_id": group}, "person"),
        "product": ({"product_id": group}, "person"),
    }.get(name)
    if inside is None:
        return ""
    filters, deeper = inside
    return question.with_changes(**filters, group_by=rest or _first(allowed, deeper)).address()


def _first(allowed: Sequence[str], wanted: str) -> tuple[str, ...]:
    return (wanted,) if wanted in allowed else ()


def _is_main(question: Question, one: Heading) -> bool:
    """Whether a figure is what the report is about, so that its change is shown too."""
    return one.kind in CHANGED and one.name in question.shape.figures


def _has_any(rows: Iterable[pb.ReportRow], before: pb.RunReportResponse | None, at: int) -> bool:
    rows = list(rows)
    return not rows or any(row.cells[at].value for row in [*rows, *(before.rows if before else ())])


def _with_before(question: Question, headings: list[Heading]) -> list[Heading]:
    found: list[Heading] = []
    for one in headings:
        found.append(one)
        if one.is_figure:
            found.append(Heading(f"{one.name}_before", _("before"), one.kind))
            if _is_main(question, one):
                found.append(Heading(f"{one.name}_change", _("change"), "change"))
    return found


@dataclass(frozen=True)
class _Maker:
    """Makes the lines of one table: `keep` are the columns shown, with `compared` earlier figures stand beside."""

    question: Question
    allowed: tuple[str, ...]
    headings: list[Heading]
    keep: list[int]
    compared: bool

    def lines(self, rows: Sequence[pb.ReportRow], before: Sequence[pb.ReportRow]) -> list[Line]:
        """Rows with those of the period before that are about the same; earlier ones without a later come last."""
        months = self._months_between()
        earlier = {self._key(row, months): row for row in before}
        found = [self._line(row, earlier.pop(self._key(row, 0), None)) for row in rows]
        return found + [self._line(None, row) for row in earlier.values()]

    def _months_between(self) -> int:
        span, earlier = self.question.span, self.question.earlier()
        if earlier is None or earlier.first is None or span.first is None or span.first.day != earlier.first.day:
            return 0
        return (span.first.year - earlier.first.year) * 12 + span.first.month - earlier.first.month

    def _key(self, row: pb.ReportRow, months: int) -> tuple[str, ...]:
        """What a row is about: its groups (periods moved by some months), its other texts, its currency."""
        groups = [
            shift_label(group, months) if name in PERIOD_GROUPS else group
            for name, group in zip(self.question.group_by, row.group_ids, strict=False)
        ]
        texts = [
            cell.value
            for cell, one in zip(row.cells, self.headings, strict=True)
            if not one.is_figure and not (one.is_group and row.group_ids)
        ]
        money = [cell.currency_code for cell, one in zip(row.cells, self.headings, strict=True) if one.kind == "money"]
        return (*groups, *texts, money[0] if money else "")

    def _line(self, row: pb.ReportRow | None, earlier: pb.ReportRow | None) -> Line:
        cells: list[Shown] = []
        for at in self.keep:
            one = self.headings[at]
            now = row.cells[at] if row is not None else None
            if not one.is_figure:
                cells.append(self._text(row if row is not None else earlier, at))
                continue
            cells.append(self._figure(one, now))
            if self.compared:
                cells += self._earlier(one, now, earlier.cells[at] if earlier is not None else None)
        known = row if row is not None else earlier
        return Line(tuple(cells), tuple(known.group_ids) if known is not None else ())

    def _text(self, row: pb.ReportRow | None, at: int) -> Shown:
        if row is None:
            return Shown()
        one, value = self.headings[at], row.cells[at].value
        if one.is_group and row.group_ids:
            group = row.group_ids[at]
            shown = show_period(group) if one.name in PERIOD_GROUPS else value if group else _("(none)")
            return Shown(shown, link=group_link(self.question, at, group, self.allowed))
        return Shown(say_word(value) if one.is_group else show_text(value, one))

    def _figure(self, one: Heading, cell: pb.Cell | None) -> Shown:
        if cell is None:
            return Shown()
        value = read_value(cell)
        link = self.question.address("records", key=cell.drill_key) if cell.drill_key else ""
        return Shown(show_figure(value, one.kind, cell.currency_code), value, cell.currency_code, link)

    def _earlier(self, one: Heading, now: pb.Cell | None, before: pb.Cell | None) -> list[Shown]:
        value = read_value(before) if before is not None else None
        currency = before.currency_code if before is not None else ""
        span = self.question.earlier()
        link = ""
        if before is not None and before.drill_key and span is not None:
            asked = self.question.with_changes(period="own", span=span, compare="")
            link = asked.address("records", key=before.drill_key)
        found = [Shown(show_figure(value, one.kind, currency), value, currency, link)]
        if _is_main(self.question, one):
            new = read_value(now) if now is not None else None
            change = (new - value) / value * 100 if new is not None and value else None
            found.append(Shown(show_figure(change, "change"), change))
        return found
