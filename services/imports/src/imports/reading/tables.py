"""Which tables a file holds: one per sheet, those the workbook names, and sheets of one template taken together.

Looks at the first rows of every sheet; the rest is read when the table is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from statistics import median_low

from imports.reading.cells import BLANK_CELL, Cell, SourceRow, column_number
from imports.reading.description import Column, ReadOptions, Table, TablePart
from imports.reading.header import SAMPLE_ROWS, Headings, Likeness, fill_of, find_headings, likeness, name_columns
from imports.reading.limits import UnreadableFile, UnreadableReason
from imports.reading.sources import NamedRange, RawRow, SheetFacts, SheetState, Source

#: Rows, blank ones too, that are looked through for the beginning of a table.
_LOOKED_THROUGH = 10_000
#: A column that this share of rows fills with text is one that records have.
_KEY_SHARE = 0.8
#: Values without a heading beside the table are a column from this share of rows on, else stray cells.
_BESIDE_SHARE = 0.2
_AREA = re.compile(r"([A-Z]+)(\d+):([A-Z]+)(\d+)")
_PREVIEW_ROWS = 20


def find_tables(source: Source, options: ReadOptions) -> tuple[Table, ...]:
    """The tables of a file, the one to be read by default first."""
    wanted = _wanted_sheets(source, options)
    visible = [facts for facts in wanted if facts.state is SheetState.VISIBLE or options.sheets is not None]
    hidden = [facts for facts in wanted if facts not in visible]
    tables = _group([table for facts in visible for table in _tables_of_sheet(source, facts, options)])
    tables.sort(key=lambda table: -table.rows)
    tables += [replace(table, hidden=True) for facts in hidden for table in _tables_of_sheet(source, facts, options)]
    return tuple(tables)


def choose_table(tables: Sequence[Table], options: ReadOptions) -> Table:
    """The table that the options name, or the default one."""
    if options.table is not None:
        named = [table for table in tables if table.name == options.table]
        if not named:
            raise UnreadableFile(
                UnreadableReason.NO_SUCH_TABLE,
                f"there is no table called {options.table!r}",
                "choose one of the tables listed",
            )
        return named[0]
    readable = [table for table in tables if not table.hidden]
    if not readable and options.header_row is not None:
        raise _no_headings(options.header_row)
    if not readable:
        raise UnreadableFile(
            UnreadableReason.EMPTY,
            "no visible sheet holds a table",
            "choose a hidden sheet by its name, or check the file",
        )
    return readable[0]


def _no_headings(row: int) -> UnreadableFile:
    message = f"row {row} is blank or beyond the sheet"
    return UnreadableFile(UnreadableReason.WRONG_OPTION, message, "choose the row that holds the headings")


def _wanted_sheets(source: Source, options: ReadOptions) -> list[SheetFacts]:
    if options.sheets is None:
        return list(source.sheets)
    by_name = {facts.name: facts for facts in source.sheets}
    missing = [name for name in options.sheets if name not in by_name]
    if missing:
        raise UnreadableFile(
            UnreadableReason.NO_SUCH_SHEET,
            f"there is no sheet called {missing[0]!r}",
            "choose one of the sheets listed",
        )
    return [by_name[name] for name in options.sheets]


def _tables_of_sheet(source: Source, facts: SheetFacts, options: ReadOptions) -> list[Table]:
    sample = _take_sample(source, facts.name, options)
    if not sample:
        return []
    rows = max(facts.rows, len(sample))
    whole = _whole_table(facts, sample, options)
    named = [_named_table(facts.name, area, sample) for area in facts.tables]
    tables = [table for table in named if table is not None]
    tables_hold_most = sum(area.last_row - area.first_row for area in facts.tables) * 2 >= rows
    if tables and tables_hold_most and options.header_row is None:
        return tables
    return [replace(whole, rows=rows), *tables]


def _take_sample(source: Source, sheet: str, options: ReadOptions) -> list[RawRow]:
    start = options.header_row or 1
    rows = (row for row in source.rows(sheet) if row[0] >= start)
    filled = (row for row in islice(rows, _LOOKED_THROUGH) if fill_of(row[1]))
    return list(islice(filled, SAMPLE_ROWS))


def _whole_table(facts: SheetFacts, sample: list[RawRow], options: ReadOptions) -> Table:
    headings = _told_headings(sample, options) or find_headings(sample, _spans(facts))
    heading_rows = [sample[place] for place in headings.headings]
    body = sample[headings.first :]
    columns = _find_columns(heading_rows, body)
    first_row = options.first_row or (sample[headings.first][0] if body else sample[-1][0] + 1)
    part = TablePart(
        sheet=facts.name,
        header_rows=tuple(number for number, _ in heading_rows),
        first_row=first_row,
        last_row=options.last_row,
        columns=columns,
        title_rows=tuple((sample[place][0], _row_text(sample[place])) for place in headings.titles),
        key_columns=_key_columns(columns, _solid_rows(body)),
        usual_fill=_usual_fill(body),
    )
    return Table(facts.name, (part,), _preview(part, body))


def _told_headings(sample: Sequence[RawRow], options: ReadOptions) -> Headings | None:
    if options.header_row is not None:
        found = [place for place, row in enumerate(sample) if row[0] == options.header_row]
        if not found:
            raise _no_headings(options.header_row)
        return Headings(tuple(range(found[0])), (found[0],), found[0] + 1)
    detected = find_headings(sample)
    if options.has_header is False:
        top = len(detected.titles)
        return Headings(detected.titles, (), top)
    if options.has_header and not detected.headings:
        top = len(detected.titles)
        return Headings(detected.titles, (top,), top + 1)
    return None


def _spans(facts: SheetFacts) -> list[tuple[int, int, int, int]]:
    found = [_AREA.fullmatch(name) for name in facts.merged]
    return [(int(area[2]), column_number(area[1]), int(area[4]), column_number(area[3])) for area in found if area]


def _find_columns(heading_rows: Sequence[RawRow], body: Sequence[RawRow]) -> tuple[Column, ...]:
    """Columns with a heading, and those without one under which something stands.

    Beside the headings that takes more than a stray cell: a fifth of the rows, and two at least.
    """
    lines = [cells for _, cells in heading_rows]
    headed = _filled_places(lines)
    below = Counter(
        place for _, cells in body for place, cell in enumerate(cells) if likeness(cell) is not Likeness.BLANK
    )
    enough = max(2, len(body) * _BESIDE_SHARE) if headed and len(body) > 1 else 1
    inside = range(min(headed, default=0), max(headed, default=10**6) + 1)
    places = headed | {place for place, count in below.items() if place in inside or count >= enough}
    return name_columns(lines, [place + 1 for place in sorted(places)])


def _filled_places(lines: Sequence[Sequence[Cell]]) -> set[int]:
    return {place for cells in lines for place, cell in enumerate(cells) if likeness(cell) is not Likeness.BLANK}


def _key_columns(columns: Sequence[Column], body: Sequence[RawRow]) -> tuple[int, ...]:
    if len(body) < 3:
        return ()
    texts = (Likeness.TEXT, Likeness.VALUE_TEXT, Likeness.DATE)
    counts = {
        column.index: sum(
            1 for _, cells in body if column.index <= len(cells) and likeness(cells[column.index - 1]) in texts
        )
        for column in columns
    }
    return tuple(index for index, count in counts.items() if count >= _KEY_SHARE * len(body))


def _usual_fill(body: Sequence[RawRow]) -> int:
    return median_low([fill_of(cells) for _, cells in body]) if body else 0


def _solid_rows(body: Sequence[RawRow]) -> list[RawRow]:
    """Rows filled like the others; what is half empty may be a total or a note and says nothing about records."""
    usual = _usual_fill(body)
    return [row for row in body if fill_of(row[1]) * 2 >= usual]


def _preview(part: TablePart, body: Sequence[RawRow]) -> tuple[SourceRow, ...]:
    indexes = tuple(column.index for column in part.columns)
    rows = [row for row in body if row[0] >= part.first_row][:_PREVIEW_ROWS]
    return tuple(SourceRow(part.sheet, number, align_cells(cells, indexes), indexes) for number, cells in rows)


def align_cells(cells: Sequence[Cell], indexes: Sequence[int]) -> list[Cell]:
    """The cells of a raw row under the columns of a table."""
    width = len(cells)
    return [cells[index - 1] if index <= width else BLANK_CELL for index in indexes]


def _row_text(row: RawRow) -> str:
    return " | ".join(cell.text for cell in row[1] if cell.value is not None)


def _named_table(sheet: str, area: NamedRange, sample: Sequence[RawRow]) -> Table | None:
    indexes = list(range(area.first_column, area.last_column + 1))
    heading = [cells for number, cells in sample if number == area.first_row]
    if not heading:
        return None
    body = [(number, cells[: area.last_column]) for number, cells in sample if area.first_row < number <= area.last_row]
    part = TablePart(sheet, (area.first_row,), area.first_row + 1, area.last_row, name_columns(heading, indexes))
    return Table(area.name, (part,), _preview(part, body), named=True, rows=area.last_row - area.first_row)


def _group(tables: list[Table]) -> list[Table]:
    """Sheets with the same headings are one table in parts, in the order of the sheets."""
    groups: dict[tuple[str, ...], list[Table]] = {}
    single: list[Table] = []
    for table in tables:
        key = tuple(column.name.casefold() for column in table.columns)
        if table.named or not table.has_header:
            single.append(table)
        else:
            groups.setdefault(key, []).append(table)
    return [_join(group) for group in groups.values()] + single


def _join(group: Sequence[Table]) -> Table:
    return replace(
        group[0], parts=tuple(part for table in group for part in table.parts), rows=sum(table.rows for table in group)
    )
