"""Answers of reports as messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from crm.reporting.v1 import reporting_pb2 as pb
from reporting.catalogue import RecordPage
from reporting.reports.answer import Answer, Cell, Column, Row


def report_answer(name: str, answer: Answer, as_of: datetime | None) -> pb.RunReportResponse:
    """The message of a report's answer."""
    response = pb.RunReportResponse(
        name=name,
        columns=_columns(answer.columns),
        rows=[_row(row) for row in answer.rows],
        totals=[_row(row) for row in answer.totals],
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


def records_answer(page: RecordPage) -> pb.ListReportRecordsResponse:
    """The message of a page of records."""
    return pb.ListReportRecordsResponse(
        record_type=page.asked.record_type,
        columns=_columns(page.asked.columns),
        rows=[_row(Row(tuple(page.asked.cells(row)))) for row in page.rows],
        next_page_token=page.next_token,
        total_size=page.total,
    )


def _columns(columns: Iterable[Column]) -> list[pb.Column]:
    return [pb.Column(name=one.name, title=one.title, type=one.type) for one in columns]


def _row(row: Row) -> pb.ReportRow:
    return pb.ReportRow(cells=[_cell(cell) for cell in row.cells], group_ids=row.groups)


def _cell(cell: Cell) -> pb.Cell:
    return pb.Cell(value=cell.value, currency_code=cell.currency, drill_key=cell.drill)


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
