"""What the process that surveys a file and the one that stages its rows say to each other: one JSON list a line.

`["opened", rows in sheets]`, then for each pass `["rows", sheet, columns, [[number, cells], …]]`,
`["table", facts]` before the rows that make them known, and `["end", skipped, findings]`; `["refused", …]` instead of
any of them. JSON, so that nothing that a file says can become code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from imports.cell_values import ColumnForm
from imports.findings import Finding
from imports.mapping import ColumnFacts
from imports.reading.cells import BLANK_CELL, Cell, CellKind, SourceRow
from imports.reading.dates import DateForm
from imports.reading.isolated import decode_cell, encode_cell
from imports.reading.limits import UnreadableFile, UnreadableReason
from imports.workbook import OpenedTable, Pass

SURVEY, LOOK, AGAIN = "survey", "look", "again"  # a pass that looks and gives rows, one that only looks, one more
_TEXT, _NUMBER = CellKind.TEXT, CellKind.NUMBER


def to_line(*said: Any) -> bytes:
    """One line, with its end."""
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def plain_rows(rows: Sequence[SourceRow]) -> list[Any]:
    """The rest of a line of rows that are of one sheet and its columns. Written flat: it runs for every cell."""
    numbered = [
        (
            number,
            [value if kind is _TEXT and not code else _plain_cell(kind, value, code) for kind, value, code in cells],
        )
        for _, number, cells, _ in rows
    ]
    return [rows[0].sheet, rows[0].columns, numbered]


def _plain_cell(kind: CellKind, value: Any, code: str) -> Any:
    """Text as it is and plain numbers so too, nothing for a blank; what else there is with its kind and format."""
    if value is None or (kind is _NUMBER and not code):
        return value
    return encode_cell(Cell(kind, value, code))


def rows_of(sheet: str, columns: list[int], numbered: list[Any]) -> Iterator[SourceRow]:
    """The rows of `plain_rows`."""
    new, places = tuple.__new__, tuple(columns)
    for number, cells in numbered:
        made = [new(Cell, (_TEXT, said, "")) if type(said) is str else _cell_of(said) for said in cells]
        yield new(SourceRow, (sheet, number, made, places))


def _cell_of(said: Any) -> Cell:
    if said is None:
        return BLANK_CELL
    return decode_cell(said) if type(said) is list else Cell(_NUMBER, said)


def plain_table(table: OpenedTable) -> dict[str, Any]:
    """What is known of a table, but for its rows."""
    return {
        "columns": [asdict(one) for one in table.columns],
        "forms": [asdict(one) for one in table.forms],
        "detected": table.detected,
        "expected_rows": table.expected_rows,
        "findings": plain_findings(table.findings),
    }


def table_of(said: dict[str, Any], last: Pass, begin: Any) -> OpenedTable:
    """The table of `plain_table`, whose passes are `last`, the one under way, and what `begin` answers."""
    columns = [ColumnFacts(**one) for one in said["columns"]]
    forms = [ColumnForm(one["decimal"], _date_form(one["date_form"]), one["typed"]) for one in said["forms"]]
    findings = findings_of(said["findings"])
    return OpenedTable(columns, forms, said["detected"], said["expected_rows"], findings, last, begin)


def _date_form(said: str | None) -> DateForm | None:
    return None if said is None else DateForm(said)


def plain_findings(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as plain values."""
    return [asdict(one) for one in found]


def findings_of(said: Sequence[dict[str, Any]]) -> list[Finding]:
    """The findings of `plain_findings`."""
    return [Finding(**one) for one in said]


def plain_refusal(refusal: UnreadableFile) -> tuple[str, str, str]:
    """Why a file is refused."""
    return str(refusal.reason), refusal.message, refusal.way_out


def refusal_of(reason: str, message: str, way_out: str) -> UnreadableFile:
    """The refusal of `plain_refusal`."""
    return UnreadableFile(UnreadableReason(reason), message, way_out)
