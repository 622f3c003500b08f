"""What an export asks the services: its conditions as a request, and the rows of one page of the answer as cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from chassis.dates import to_date
from chassis.errors import FieldInvalid, FieldViolation
from crm.reporting.v1 import reporting_pb2 as reporting
from imports.exporting.cells import NUMBER, TEXT, Around
from imports.exporting.lists import LISTS, REPORT, ExportList
from imports.exporting.own_fields import choose_columns, is_own
from imports.peers import PeerServices

PAGE = 500  # records a call, the most that a list answers
MOST_FILTER = 500  # characters of a condition
MOST_IDS = 500 * 37  # characters of a condition that names as many records as a list takes
CONDITIONS = "field_conditions"  # each stands in a line of its own: their values may have commas
TRUE, FALSE = ("true", "1"), ("false", "0", "")
REPORT_FIGURES = ("count", "money", "quantity", "percent", "days", "per_hundred")


@dataclass(frozen=True)
class Heading:
    """A column of the file: its name, and of what type its cells are."""

    name: str
    type: str


@dataclass(frozen=True)
class PageOfRows:
    """Rows as cells in the order of the headings, and the token of the next page, empty after the last one.

    `columns` are the names by which the same columns are asked for again, where a list has some.
    """

    headings: tuple[Heading, ...]
    rows: list[list[str]]
    next_token: str = ""
    columns: tuple[str, ...] = ()


def find_list(name: str) -> ExportList | None:
    """The list of that name; None for a report. Errors: FieldInvalid for what is neither."""
    found = LISTS.get(name)
    report = name.removeprefix(REPORT) if name.startswith(REPORT) else ""
    if found is None and not (report and report.replace("-", "").isalpha() and report.isascii()):
        raise FieldInvalid(FieldViolation("list", f"is {name[:50]!r}; use {', '.join(LISTS)} or {REPORT}<name>"))
    return found


def check_question(name: str, columns: Sequence[str], filters: Mapping[str, str]) -> ExportList | None:
    """The list that is meant. Errors: FieldInvalid for columns and conditions it does not have."""
    found = find_list(name)
    if found is None:
        if columns:
            raise FieldInvalid(FieldViolation("columns", "of a report cannot be chosen; leave them out"))
        fill_request(reporting.ReportParameters(), tuple(reporting.ReportParameters.DESCRIPTOR.fields_by_name), filters)
        return None
    strange = [one for one in columns if found.column(one) is None and not is_own(found, one)]
    if strange or len(set(columns)) != len(columns):
        own = ("own.<id of a field>",) if found.own_fields_of else ()
        known = ", ".join((*(one.name for one in found.columns), *own))
        raise FieldInvalid(FieldViolation("columns", f"are some of {known}, each once"))
    fill_request(found.request(), found.filters, filters)
    return found


def read_rows(
    peers: PeerServices, found: ExportList, columns: Sequence[str], filters: Mapping[str, str], token: str
) -> PageOfRows:
    """One page of a list, asked for as whom the calls are made for. Errors: FieldInvalid."""
    request = fill_request(found.request(page_size=PAGE, page_token=token), found.filters, filters)
    answer = peers.read(found.service, found.method, request)
    records = list(getattr(answer, found.rows))
    around = _around(peers, found, records)
    chosen = choose_columns(peers, found, columns)
    rows = [[column.read(one, around) for _name, column in chosen] for one in records]
    headings = tuple(Heading(column.name, column.type) for _name, column in chosen)
    return PageOfRows(headings, rows, answer.next_page_token, tuple(name for name, _column in chosen))


def read_report(peers: PeerServices, name: str, filters: Mapping[str, str]) -> PageOfRows:
    """The rows of a report. Money has a column for its currency beside it."""
    known = tuple(reporting.ReportParameters.DESCRIPTOR.fields_by_name)
    parameters = fill_request(reporting.ReportParameters(), known, filters)
    request = reporting.RunReportRequest(name=name.removeprefix(REPORT), parameters=parameters, as_file=True)
    answer = peers.read("reporting", "RunReport", request)
    headings: list[Heading] = []
    for column in answer.columns:
        headings.append(Heading(column.name, NUMBER if column.type in REPORT_FIGURES else TEXT))
        if column.type == "money":
            headings.append(Heading(f"{column.name}_currency", TEXT))
    rows = [_report_row(answer.columns, row.cells) for row in answer.rows]
    return PageOfRows(tuple(headings), rows)


def _report_row(columns: Iterable[Any], cells: Iterable[Any]) -> list[str]:
    row: list[str] = []
    for column, cell in zip(columns, cells, strict=True):
        row.append(cell.value)
        if column.type == "money":
            row.append(cell.currency_code)
    return row


def _around(peers: PeerServices, found: ExportList, records: Sequence[Any]) -> Around:
    def ids(what: str) -> list[str]:
        named = {getattr(one, name) for one in records for name in found.refers.get(what, ())}
        return sorted(named - {""})

    persons, organizations = peers.customer_names(ids("persons"), ids("organizations"))
    return Around(peers.user_names(ids("users")), peers.unit_names(), persons, organizations)


def fill_request(message: Any, allowed: Sequence[str], filters: Mapping[str, str]) -> Any:
    """The message with conditions as its fields. Errors: FieldInvalid for one it lacks, or a wrong value."""
    for name, text in filters.items():
        if name not in allowed:
            raise FieldInvalid(FieldViolation("filters", f"has {name[:50]!r}; use {', '.join(allowed)}"))
        field = message.DESCRIPTOR.fields_by_name[name]
        most = MOST_IDS if field.is_repeated else MOST_FILTER
        if len(text) > most or "\0" in text:
            raise FieldInvalid(FieldViolation("filters", f"{name} is longer than {most} characters"))
        try:
            _fill(message, field, text)
        except (ValueError, TypeError, OverflowError):
            raise FieldInvalid(FieldViolation("filters", f"{name} cannot be {text[:50]!r}")) from None
    return message


def _fill(message: Any, field: FieldDescriptor, text: str) -> None:
    if field.message_type is not None:
        getattr(message, field.name).CopyFrom(_moment(field.message_type, text))
    elif field.is_repeated:
        between = "\n" if field.name == CONDITIONS else ","
        getattr(message, field.name).extend(one.strip() for one in text.split(between) if one.strip())
    elif field.enum_type is not None:
        setattr(message, field.name, field.enum_type.values_by_name[_word_of(field.enum_type, text)].number)
    elif field.type == FieldDescriptor.TYPE_BOOL:
        if text.lower() not in (*TRUE, *FALSE):
            raise ValueError(text)
        setattr(message, field.name, text.lower() in TRUE)
    else:
        setattr(message, field.name, text)


def _word_of(enum: EnumDescriptor, text: str) -> str:
    whole = next((one for one in enum.values_by_name if one == text.upper() or one.endswith(f"_{text.upper()}")), "")
    if not whole:
        raise ValueError(text)
    return whole


def _moment(kind: Descriptor, text: str) -> Any:
    if kind.full_name == date_pb2.Date.DESCRIPTOR.full_name:
        return to_date(date.fromisoformat(text))
    moment = Timestamp()
    moment.FromJsonString(text)
    return moment
