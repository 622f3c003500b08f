"""The records behind one figure of a report, page by page, each with the way to its card."""

from __future__ import annotations

from starlette.responses import Response

from crm.reporting.v1 import reporting_pb2 as pb
from gateway.web import report_words as words
from gateway.web.mounting import Page
from gateway.web.report_tables import Heading, Line, Shown, read_value, show_figure, show_text
from gateway.web.reports import REPORT_SECONDS, read_asked, span_words
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

ROWS = 50
CARDS = {"deal": "/deals/", "person": "/customers/", "organization": "/organizations/", "run": "/imports/"}


def show_records(visit: Visit) -> Response:
    """One page of records."""
    asked = read_asked(visit)
    question = asked.question
    found = visit.call(
        "reporting",
        "ListReportRecords",
        pb.ListReportRecordsRequest(
            name=question.name,
            parameters=question.parameters(),
            drill_key=visit.query.get("key", ""),
            page_size=ROWS,
            page_token=visit.query.get("page", ""),
        ),
        timeout=REPORT_SECONDS,
    )
    titles = words.column_titles()
    headings = [Heading(one.name, titles.get(one.name, one.title), one.type) for one in found.columns[1:]]
    return visit.render(
        "reports/records.html",
        help="reports",
        question=question,
        title=words.report_titles()[question.name],
        span_words=span_words(question.span),
        kind=record_words().get(found.record_type, ""),
        total=found.total_size,
        headings=headings,
        lines=[_line(row, headings, CARDS.get(found.record_type, "")) for row in found.rows],
        next_token=found.next_page_token,
    )


def record_words() -> dict[str, str]:
    """What the records are."""
    return {
        "deal": _("Deals"),
        "person": _("Persons"),
        "organization": _("Organizations"),
        "interaction": _("Interactions"),
        "plan": _("Plans"),
        "run": _("Imports"),
    }


def _line(row: pb.ReportRow, headings: list[Heading], card: str) -> Line:
    """A record's cells; the first leads to its card, whose id the answer has in front."""
    record_id = row.cells[0].value
    cells = []
    for at, (cell, one) in enumerate(zip(row.cells[1:], headings, strict=True)):
        if one.is_figure:
            value = read_value(cell)
            cells.append(Shown(show_figure(value, one.kind, cell.currency_code), value, cell.currency_code))
        else:
            text = show_text(cell.value, one)
            link = f"{card}{record_id}" if card and at == 0 else ""
            cells.append(Shown(text or (_("(no title)") if link else ""), link=link))
    return Line(tuple(cells))


PAGES = (Page("GET", "/reports/{name}/records", show_records),)
