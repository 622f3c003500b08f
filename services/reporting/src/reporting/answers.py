"""Answers of reports as messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from crm.reporting.v1 import reporting_pb2 as pb
from reporting.catalogue import RecordPage
from reporting.reports.answer import Answer, Cell, Column, Row


def report_answer(
    name: str, answer: Answer, as_of: datetime | None, *, with_amounts: bool = True
) -> pb.RunReportResponse:
    """The message of a report's answer; without amounts every sum is empty, and so is what tells of sums."""
    told = told_columns(answer.columns, with_amounts=with_amounts)
    response = pb.RunReportResponse(
        name=name,
        columns=_columns(answer.columns),
        rows=[_row(row, told) for row in answer.rows],
        totals=[_row(row, told) for row in answer.totals],
        notes=answer.notes,
        deliveries=[
            pb.Delivery(
                unit_id=one.unit_id,
                unit_name=one.unit_name,
                delivered=one.delivered,
                state=one.state,
                run_id=one.run_id,
            )
            for one in answer.deliveries
        ],
        delivery_summary=answer.delivery_summary,
    )
    if as_of is not None:
        response.as_of_time.CopyFrom(_timestamp(as_of))
    return response


def records_answer(page: RecordPage, *, with_amounts: bool = True) -> pb.ListReportRecordsResponse:
    """The message of a page of records; without amounts every sum is empty."""
    told = told_columns(page.asked.columns, with_amounts=with_amounts)
    return pb.ListReportRecordsResponse(
        record_type=page.asked.record_type,
        columns=_columns(page.asked.columns),
        rows=[_row(Row(tuple(page.asked.cells(row))), told) for row in page.rows],
        next_page_token=page.next_token,
        total_size=page.total,
    )


def _columns(columns: Iterable[Column]) -> list[pb.Column]:
    return [pb.Column(name=one.name, title=one.title, type=one.type) for one in columns]


def told_columns(columns: Sequence[Column], *, with_amounts: bool) -> list[bool]:
    """Which columns are told: all, or those that neither are sums nor tell how one sum stands to another."""
    of_sums = any(one.type == "money" for one in columns)
    return [with_amounts or not of_sums or one.type != "money" and one.name != "attainment" for one in columns]


def _row(row: Row, told: Sequence[bool]) -> pb.ReportRow:
    cells = [_cell(cell) if is_told else pb.Cell() for cell, is_told in zip(row.cells, told, strict=True)]
    return pb.ReportRow(cells=cells, group_ids=row.groups)


def _cell(cell: Cell) -> pb.Cell:
    return pb.Cell(value=cell.value, currency_code=cell.currency, drill_key=cell.drill)


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
