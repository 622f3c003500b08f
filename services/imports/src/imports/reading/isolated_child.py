"""The child process of isolated.py: parses one workbook under hard limits and prints its rows as JSON lines.

Run as `python -m imports.reading.isolated_child '{"path": …}'`. isolated.py says what the lines mean.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import python_calamine
import xlrd

from imports.reading.cells import BLANK_CELL, Cell, CellKind
from imports.reading.isolated import EXIT_DAMAGED, EXIT_MEMORY, EXIT_PASSWORD, encode_cell
from imports.reading.number_formats import cell_of_number, whole
from imports.reading.sources import trim_row

_XLRD_ERRORS = (
    xlrd.XLRDError, xlrd.compdoc.CompDocError, AssertionError, IndexError, KeyError, ValueError, TypeError,
    AttributeError, UnicodeError, OverflowError, NotImplementedError, ArithmeticError, EOFError, OSError,
)  # fmt: skip
_CALAMINE_ERROR_SIGNS = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA")


def main() -> int:
    """Do what the request on the command line says; the exit code says how it ended."""
    request = json.loads(sys.argv[1])
    _limit(request["memory"], request["seconds"])
    try:
        _print_workbook(request["path"], request["engine"])
    except MemoryError:
        return EXIT_MEMORY
    except python_calamine.PasswordError:
        return EXIT_PASSWORD
    except (*_XLRD_ERRORS, python_calamine.CalamineError) as error:
        if "encrypted" in str(error).lower():
            return EXIT_PASSWORD
        sys.stderr.write(f"{type(error).__name__}: {error}".replace("\n", " "))
        return EXIT_DAMAGED
    return 0


def _limit(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 * memory, 4 * memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _print_workbook(path: str, engine: str) -> None:
    """The workbook's line, then each sheet's line and rows. A sheet that xlrd cannot parse sends all to calamine."""
    if engine == "xlrd":
        try:
            book = _open_xlrd(path)
            described = [_describe_xlrd(book, name) for name in book.sheet_names()]
        except _XLRD_ERRORS as error:
            if "encrypted" in str(error).lower():
                raise
        else:
            _print({"formats": True})
            for facts in described:
                _print_sheet(facts, _rows_of_xlrd(book, facts["name"]))
            return
    with open(path, "rb") as file:  # as a file, since a name would decide about the format
        workbook = python_calamine.CalamineWorkbook.from_filelike(file)
    _print({"formats": False})
    for sheet in workbook.sheets_metadata:
        if "WorkSheet" in str(sheet.typ):
            _print_sheet(_describe_calamine(sheet), _rows_of_calamine(workbook, sheet.name))


def _print_sheet(facts: dict[str, Any], rows: Iterator[tuple[int, list[Cell]]]) -> None:
    _print(facts)
    for number, cells in rows:
        if trim_row(cells):
            _print([number, [encode_cell(cell) for cell in cells]])


def _print(line: Any) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")


def _open_xlrd(path: str) -> xlrd.book.Book:
    with open("/dev/null", "w", encoding="utf-8") as silence:
        return xlrd.open_workbook(path, formatting_info=True, on_demand=True, logfile=silence)


def _describe_xlrd(book: xlrd.book.Book, name: str) -> dict[str, Any]:
    sheet = book.sheet_by_name(name)
    return {
        "name": name,
        "state": "visible" if sheet.visibility == 0 else "hidden",
        "rows": sheet.nrows,
        "hidden_rows": sum(1 for row in range(sheet.nrows) if getattr(sheet.rowinfo_map.get(row), "hidden", 0)),
        "hidden_columns": sum(1 for info in sheet.colinfo_map.values() if info.hidden),
        "merged": [xlrd.formula.rangename2d(*area) for area in sheet.merged_cells],
    }


def _rows_of_xlrd(book: xlrd.book.Book, name: str) -> Iterator[tuple[int, list[Cell]]]:
    sheet = book.sheet_by_name(name)
    formats = {index: _format_code(book, index) for index in range(len(book.xf_list))}
    for row in range(sheet.nrows):
        yield row + 1, [_cell_of_xlrd(cell, formats, book.datemode == 1) for cell in sheet.row(row)]
    book.unload_sheet(name)


def _format_code(book: xlrd.book.Book, style: int) -> str:
    found = book.format_map.get(book.xf_list[style].format_key)
    code = found.format_str if found is not None else ""
    return "" if code == "General" else str(code)


def _cell_of_xlrd(cell: xlrd.sheet.Cell, formats: dict[int, str], epoch_1904: bool) -> Cell:
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return BLANK_CELL
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return Cell(CellKind.TEXT, cell.value) if cell.value else BLANK_CELL
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return Cell(CellKind.BOOL, bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return Cell(CellKind.ERROR, xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    return cell_of_number(cell.value, formats.get(cell.xf_index, ""), epoch_1904)


def _describe_calamine(sheet: Any) -> dict[str, Any]:
    state = "visible" if "Hidden" not in str(sheet.visible) else "hidden"
    return {"name": sheet.name, "state": state, "rows": 0, "hidden_rows": 0, "hidden_columns": 0, "merged": []}


def _rows_of_calamine(book: python_calamine.CalamineWorkbook, name: str) -> Iterator[tuple[int, list[Cell]]]:
    for number, row in enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False), start=1):
        yield number, [_cell_of_calamine(value) for value in row]


def _cell_of_calamine(value: Any) -> Cell:
    if value is None or value == "":
        return BLANK_CELL
    if isinstance(value, bool):
        return Cell(CellKind.BOOL, value)
    if isinstance(value, str):
        return Cell(CellKind.ERROR if value in _CALAMINE_ERROR_SIGNS else CellKind.TEXT, value)
    if isinstance(value, int | float):
        return Cell(CellKind.NUMBER, whole(value))
    if isinstance(value, datetime):
        return Cell(CellKind.DATE, value)
    if isinstance(value, date):
        return Cell(CellKind.DATE, datetime.combine(value, time()))
    if isinstance(value, time | timedelta):
        return Cell(CellKind.TIME, value)
    return Cell(CellKind.TEXT, str(value))


if __name__ == "__main__":
    sys.exit(main())
