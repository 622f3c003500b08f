"""What is worth telling about sheets and tables before any record is read: hidden, merged, nameless, doubled."""

from __future__ import annotations

from collections.abc import Sequence

from imports.reading.cells import cell_address
from imports.reading.description import Table, TablePart
from imports.reading.findings import Finding, FindingCode, FindingList, Severity, excerpt
from imports.reading.sources import SheetFacts, SheetState


def report_sheets(sheets: Sequence[SheetFacts], findings: FindingList) -> None:
    """Hidden sheets, rows and columns, merged cells, formulas that were never calculated."""
    for facts in sheets:
        if facts.state is SheetState.HIDDEN:
            _tell(
                findings,
                FindingCode.HIDDEN_SHEET,
                Severity.INFO,
                "the sheet is hidden and is not read unless it is chosen",
                facts.name,
            )
            continue
        if facts.hidden_rows:
            _tell(
                findings,
                FindingCode.HIDDEN_ROWS,
                Severity.WARNING,
                f"{facts.hidden_rows} hidden rows are read like the others",
                facts.name,
            )
        if facts.hidden_columns:
            _tell(
                findings,
                FindingCode.HIDDEN_COLUMNS,
                Severity.INFO,
                f"{facts.hidden_columns} hidden columns are read like the others",
                facts.name,
            )
        if facts.merged_count:
            areas = ", ".join(facts.merged[:5])
            message = f"{facts.merged_count} merged areas ({areas}): the value stands in the first cell only"
            _tell(findings, FindingCode.MERGED_CELLS, Severity.INFO, message, facts.name)
        if facts.formulas_without_value:
            findings.add(
                Finding(
                    FindingCode.FORMULA_WITHOUT_VALUE,
                    Severity.ERROR,
                    f"{facts.formulas_without_value} formulas have no stored value and are read as blank",
                    "open the file in a spreadsheet program, let it calculate, and save it",
                    facts.name,
                    f"{cell_address(facts.name, 1, 1).split('!')[0]}!{facts.first_formula_without_value}",
                )
            )


def _tell(findings: FindingList, code: FindingCode, severity: Severity, message: str, sheet: str) -> None:
    findings.add(Finding(code, severity, message, sheet=sheet))


def report_tables(tables: Sequence[Table], findings: FindingList) -> None:
    """Headings that are missing, blank or doubled, titles above, tables that are not the default one."""
    readable = [table for table in tables if not table.hidden]
    if not readable:
        findings.add(
            Finding(
                FindingCode.NO_DATA,
                Severity.ERROR,
                "no visible sheet holds a table",
                "check the file, or choose a hidden sheet",
            )
        )
        return
    for part in readable[0].parts:
        _report_headings(part, findings)
    others = ", ".join(table.name for table in readable[1:6])
    if others:
        message = f"{len(readable) - 1} more tables are not read now: {others}"
        way_out = "choose another table to read it"
        findings.add(Finding(FindingCode.OTHER_SHEETS, Severity.INFO, message, way_out))


def _report_headings(part: TablePart, findings: FindingList) -> None:
    sheet = part.sheet
    if part.title_rows:
        first = part.title_rows[0]
        message = f"{len(part.title_rows)} rows above the table are taken for its title"
        findings.add(
            Finding(FindingCode.TITLE_ROWS, Severity.INFO, message, sheet=sheet, row=first[0], value=excerpt(first[1]))
        )
    if not part.header_rows:
        message = f"no headings were found, the columns are called column 1 to column {len(part.columns)}"
        findings.add(
            Finding(
                FindingCode.NO_HEADER,
                Severity.WARNING,
                message,
                "choose the row of the headings if there is one",
                sheet,
            )
        )
        return
    for column in part.columns:
        address = cell_address(sheet, part.header_rows[-1], column.index)
        if not column.heading:
            message = f"the column has no heading and is called {column.name}"
            findings.add(
                Finding(
                    FindingCode.BLANK_HEADER,
                    Severity.WARNING,
                    message,
                    "",
                    sheet,
                    address,
                    part.header_rows[-1],
                    column.name,
                )
            )
        elif column.name != column.heading:
            message = (
                f"the heading {excerpt(column.heading)!r} stands twice, this one is called {excerpt(column.name)!r}"
            )
            findings.add(
                Finding(
                    FindingCode.DUPLICATE_HEADER,
                    Severity.WARNING,
                    message,
                    "",
                    sheet,
                    address,
                    part.header_rows[-1],
                    column.name,
                )
            )
