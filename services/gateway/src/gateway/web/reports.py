"""Reports: the catalogue, and one report as chart and table with its period, unit, comparison; the same as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import Response

from chassis.errors import DomainError, Kind
from crm.deals.v1 import deals_pb2 as deals
from crm.directory.v1 import directory_pb2 as directory
from crm.reporting.v1 import reporting_pb2 as pb
from gateway.problems import current_trace_id
from gateway.routes.imports import MEDIA_TYPES
from gateway.saved_views import MINE
from gateway.web import report_words as words
from gateway.web.exports import offer_report
from gateway.web.imports import indented
from gateway.web.mounting import Page
from gateway.web.people import ask_for_people, people_of
from gateway.web.report_charts import make_charts
from gateway.web.report_files import write_workbook
from gateway.web.report_questions import Question, Span, read_question
from gateway.web.report_sending import REPORTS, note_opened, sending_words
from gateway.web.report_tables import Table, make_table, say_word
from gateway.web.texts import current_texts
from gateway.web.texts import gettext as _
from gateway.web.view_tabs import ViewTabs, find_tabs
from gateway.web.visits import Visit

REPORT_SECONDS = 30.0
MOST_UNITS = 1_000


class NoSuchReport(DomainError):
    """An address of a report that is not in the catalogue."""

    kind = Kind.NOT_FOUND
    reason = "REPORT_NOT_FOUND"


@dataclass(frozen=True)
class Asked:
    """A question with the units the viewer sees and the groups the report allows."""

    question: Question
    allowed: tuple[str, ...]
    units: list[directory.Unit]


@dataclass(frozen=True)
class Card:
    """A report among others: the picture is that of the report `name`; `path` where it is a saved one."""

    name: str
    title: str
    about: str
    path: str = ""
    shared: bool = False
    comes: str = ""


def show_catalogue(visit: Visit) -> Response:
    """The reports as cards; those whose words hold what is searched for."""
    titles, questions = words.report_titles(), words.report_questions()
    sought = visit.query.get("q", "").strip().casefold()[:100]
    found = [name for name in titles if sought in f"{titles[name]} {questions[name]} {name}".casefold()]
    sections = [(_("Saved"), _saved_cards(visit, sought, titles))] + [
        (title, [Card(name, titles[name], questions[name]) for name in found if words.SHAPES[name].section == key])
        for key, title in words.section_words().items()
    ]
    return visit.render(
        "reports/cards.html" if visit.is_part else "reports/catalogue.html",
        help="reports",
        sought=visit.query.get("q", "")[:100],
        sections=[(title, cards) for title, cards in sections if cards],
    )


def _saved_cards(visit: Visit, sought: str, titles: Mapping[str, str]) -> list[Card]:
    """The reports that the viewer saved or has from others, as far as their words hold what is searched for."""
    found = []
    for one in find_tabs(visit, REPORTS, {}).tabs:
        name = dict(parse_qsl(one.query)).get("report", "")
        if name in titles and sought in f"{one.name} {titles[name]}".casefold():
            comes = sending_words()[one.send_every] if one.send_every else ""
            found.append(Card(name, one.name, titles[name], one.path, one.sharing != MINE, comes))
    return found


def _views_of(visit: Visit, question: Question) -> ViewTabs:
    """The saved reports, where this question is shown."""
    asked = dict(parse_qsl(question.address().partition("?")[2]))
    return find_tabs(visit, REPORTS, {**asked, "report": question.name})


def show_report(visit: Visit) -> Response:
    """One report; one that has come by the bell is opened with it."""
    asked = read_asked(visit)
    if came := visit.query.get("came"):
        note_opened(visit, came)
    question = asked.question
    found = run_question(visit, asked)
    table = make_table(question, asked.allowed, found["now"], found["before"]) if found["now"] else Table([])
    return visit.render(
        "reports/report.html",
        help="reports",
        views_kept=_views_of(visit, question),
        sendings=sending_words().items(),
        question=question,
        title=words.report_titles()[question.name],
        definition=words.report_definitions()[question.name],
        away=found["now"] if not found["now"] else None,
        answer=found["now"],
        table=table,
        charts=make_charts(question, table),
        span_words=span_words(question.span),
        earlier_words=span_words(question.earlier()) if found["before"] else "",
        units=[(unit.id, indented(unit)) for unit in asked.units],
        unit_trail=_trail(asked),
        people=people_of(found["people"]),
        user_name=found["user"].user.display_name if found["user"] else "",
        pipelines=[(one.id, one.name) for one in found["pipelines"].pipelines] if found["pipelines"] else [],
        groups=[(name, words.group_words().get(name, name)) for name in asked.allowed],
        periods=words.period_words(),
        comparisons=words.compare_words(),
        filters=question.shape.filters,
        said=say_word,
        exportable=offer_report(question.name, question.parameters()),
    )


def download_report(visit: Visit) -> Response:
    """The report as a workbook; the same calls as the page, so the same rights."""
    asked = read_asked(visit)
    question = asked.question
    found = run_question(visit, asked, lists=False, as_file=True)
    if not found["now"]:
        raise NotAvailable(found["now"].service)
    table = make_table(question, asked.allowed, found["now"], found["before"])
    facts = [(_("Unit"), " › ".join(unit.name for unit in _trail(asked)) or _("All that you may see"))]
    if question.span.first or question.span.last:
        facts.append((_("Period"), span_words(question.span)))
    if found["before"]:
        facts.append((_("Compared with"), span_words(question.earlier())))
    if found["user"]:
        facts.append((_("Person"), found["user"].user.display_name))
    facts.append((_("Taken by"), f"{visit.user_name}, {visit.texts.moment(visit.now)}, {current_trace_id()}"))
    answer = found["now"]
    notes = [text for text in (_delivered(answer), *answer.notes) if text]
    rtl = visit.texts.direction == "rtl"
    data = write_workbook(words.report_titles()[question.name], facts, table, notes, rtl)
    days = "-".join(day.isoformat() for day in (question.span.first, question.span.last) if day)
    name = f"{question.name}{'-' + days if days else ''}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(data, media_type=MEDIA_TYPES["xlsx"], headers=headers)


class NotAvailable(DomainError):
    """Reporting is away, so there is nothing to write into a file."""

    kind = Kind.UNAVAILABLE
    reason = "UNAVAILABLE"

    def __init__(self, service: str) -> None:
        super().__init__(_("Not available just now: %(service)s") % {"service": service})


def read_asked(visit: Visit) -> Asked:
    """What the address asks for. Errors: NoSuchReport, RemoteError."""
    name = visit.path["name"]
    if name not in words.SHAPES:
        raise NoSuchReport(_("There is no such report"))
    found = visit.gather(
        reports=("reporting", "ListReports", pb.ListReportsRequest()),
        units=("directory", "ListUnits", directory.ListUnitsRequest(page_size=MOST_UNITS)),
    )
    reports = found["reports"].reports if found["reports"] else []
    allowed = next((tuple(one.group_by) for one in reports if one.name == name), ())
    units = list(found["units"].units) if found["units"] else []
    branches = sum(unit.kind == directory.UNIT_KIND_BRANCH for unit in units)
    return Asked(read_question(visit, name, allowed, "branch" if branches > 1 else "person"), allowed, units)


def run_question(visit: Visit, asked: Asked, lists: bool = True, as_file: bool = False) -> dict[str, Any]:
    """The answers to a question, each None where it was not asked for; with `lists` also what can be chosen."""
    question = asked.question
    calls = {"now": partial(_run, visit, question, question.span, as_file)}
    earlier = question.earlier()
    if earlier is not None:
        calls["before"] = partial(_run, visit, question, earlier)
    if question.user_id:
        wanted = directory.GetUserRequest(user_id=question.user_id)
        calls["user"] = partial(visit.call, "directory", "GetUser", wanted)
    if lists and words.PERSON in question.shape.filters:
        calls["people"] = partial(visit.call, *ask_for_people(question.unit_id, with_leavers=True))
    if lists and words.PIPELINE in question.shape.filters:
        calls["pipelines"] = partial(visit.call, "deals", "ListPipelines", deals.ListPipelinesRequest(page_size=200))
    return dict.fromkeys(("before", "user", "people", "pipelines")) | visit.gather_calls(**calls)


def span_words(span: Span | None) -> str:
    """A period in words."""
    texts = current_texts()
    if span is None or (span.first is None and span.last is None):
        return _("All time")
    if span.first is None:
        return _("until %(day)s") % {"day": texts.date(span.last)} if span.last else ""
    if span.last is None:
        return _("from %(day)s") % {"day": texts.date(span.first)}
    return _("%(first)s to %(last)s") % {"first": texts.date(span.first), "last": texts.date(span.last)}


def _run(visit: Visit, question: Question, span: Span, as_file: bool = False) -> pb.RunReportResponse:
    asked = pb.RunReportRequest(name=question.name, parameters=question.parameters(span), as_file=as_file)
    answer: pb.RunReportResponse = visit.call("reporting", "RunReport", asked, timeout=REPORT_SECONDS)
    return answer


def _trail(asked: Asked) -> list[directory.Unit]:
    """The unit asked for with all above it that the viewer sees, the highest first."""
    chosen = next((unit for unit in asked.units if unit.id == asked.question.unit_id), None)
    if chosen is None:
        return []
    return [unit for unit in asked.units if f"{chosen.path}.".startswith(f"{unit.path}.")]


def _delivered(answer: pb.RunReportResponse) -> str:
    if not answer.deliveries:
        return ""
    done, count = sum(one.delivered for one in answer.deliveries), len(answer.deliveries)
    return _("%(done)s of %(count)s branches have delivered") % {"done": done, "count": count}


PAGES = (
    Page("GET", "/reports", show_catalogue),
    Page("GET", "/reports/{name}", show_report),
    Page("GET", "/reports/{name}/file", download_report),
)
