"""Rows of the imports service to messages of its contract, and options of the contract to plain values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from google.type import date_pb2

from crm.imports.v1 import imports_pb2 as pb
from imports.kinds import KINDS

_OPTION_TEXTS = ("encoding", "delimiter", "quote", "decimal_sign", "date_order")


def file_message(row: sa.Row[Any]) -> pb.File:
    """A file."""
    made = pb.File(
        id=row.id,
        name=row.name,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        received_bytes=row.received_bytes,
        complete=row.complete,
    )
    made.create_time.FromDatetime(row.create_time)
    return made


def options_from(message: pb.ReadOptions) -> dict[str, Any]:
    """Given options; what is empty is left out, so that it is detected."""
    found: dict[str, Any] = {name: getattr(message, name) for name in _OPTION_TEXTS if getattr(message, name)}
    if message.sheets:
        found["sheets"] = list(message.sheets)
    if message.header_row:
        found["header_row"] = message.header_row
    return found


def options_message(options: Mapping[str, Any]) -> pb.ReadOptions:
    """Options as a message."""
    return pb.ReadOptions(**options)


def mapping_from(columns: Any) -> list[dict[str, Any]]:
    """Columns as given by a caller."""
    return [{"column": one.column, "field": one.field} for one in columns]


def mapping_message(columns: list[dict[str, Any]]) -> list[pb.ColumnMapping]:
    """Columns with their fields."""
    return [pb.ColumnMapping(**one) for one in columns]


def choices_from(choices: Any) -> list[dict[str, str]]:
    """Value choices as given by a caller."""
    return [{"field": one.field, "text": one.text, "meaning": one.meaning} for one in choices]


def choices_message(choices: list[dict[str, str]]) -> list[pb.ValueChoice]:
    """Value choices."""
    return [pb.ValueChoice(**one) for one in choices]


def run_message(row: sa.Row[Any], file_row: sa.Row[Any]) -> pb.Run:
    """A run with its file."""
    made = pb.Run(
        id=row.id,
        etag=str(row.version),
        file=file_message(file_row),
        kind=row.kind,
        unit_id=row.unit_id,
        state=pb.RunState.Value("RUN_STATE_" + row.state.upper()),
        options=options_message(row.options),
        detected=options_message(row.detected),
        mapping=mapping_message(row.mapping),
        choices=choices_message(row.choices),
        expected=_counts(row, row.expected),
        actual=_counts(row, row.actual),
        progress=row.progress,
        message=row.message,
        blocked=row.blocked,
        unattended=row.unattended,
        error_count=row.error_count,
        warning_count=row.warning_count,
        template_name=row.template_name,
        template_version=row.template_version,
        source=row.source,
        first_date=_day(row.first_date),
        last_date=_day(row.last_date),
        user_id=row.user_id,
    )
    made.create_time.FromDatetime(row.create_time)
    if row.end_time:
        made.end_time.FromDatetime(row.end_time)
    if row.undo:
        made.undo.CopyFrom(_undo(row.undo))
    return made


def _undo(undo: Mapping[str, Any]) -> pb.RunUndo:
    made = pb.RunUndo(**{name: value for name, value in undo.items() if name != "create_time"})
    made.create_time.FromDatetime(datetime.fromisoformat(undo["create_time"]))
    return made


def kept_message(row: sa.Row[Any]) -> pb.RunKept:
    """A record that stays although its run is undone."""
    names = ("record_id", "record_type", "display_name", "reason", "fields")
    return pb.RunKept(**{name: getattr(row, name) for name in names})


def finding_message(row: sa.Row[Any]) -> pb.Finding:
    """A finding."""
    names = ("code", "severity", "sheet", "cell", "row", "column", "message", "value", "way_out", "row_only")
    return pb.Finding(
        **{name: getattr(row, name) for name in names}, count=row.times, cells=row.cells, suggestions=row.suggestions
    )


def row_message(row: sa.Row[Any]) -> pb.Row:
    """A row with its fate."""
    return pb.Row(
        sheet=row.sheet,
        row=row.row,
        cells=row.cells,
        fate=row.fate,
        reason=row.reason,
        message=row.message,
        record_id=row.record_id,
    )


def template_message(row: sa.Row[Any]) -> pb.Template:
    """A template."""
    made = pb.Template(
        name=row.name,
        kind=row.kind,
        version=row.version,
        mapping=mapping_message(row.mapping),
        options=options_message(row.options),
        choices=choices_message(row.choices),
        user_id=row.user_id,
    )
    made.create_time.FromDatetime(row.create_time)
    return made


def kind_messages() -> list[pb.Kind]:
    """All kinds with their fields."""
    return [
        pb.Kind(
            name=kind.name,
            description=kind.description,
            fields=[
                pb.Field(name=f.name, description=f.description, type=f.type.value, required=f.required)
                for f in kind.fields
            ],
        )
        for kind in KINDS.values()
    ]


def _counts(row: sa.Row[Any], counts: Mapping[str, int]) -> pb.RunCounts:
    return pb.RunCounts(rows_read=row.rows_read, rows_skipped=row.rows_skipped, **counts) if counts else pb.RunCounts()


def _day(value: date | None) -> date_pb2.Date | None:
    return date_pb2.Date(year=value.year, month=value.month, day=value.day) if value else None
