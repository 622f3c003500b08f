"""Reading old or broken workbooks in a process of its own, with bounded memory and time.

The parsers of those formats hold a whole sheet in memory and can be led into a spin or an endless allocation by a
damaged
file; there it ends the child process and becomes a refusal here. Rows come over a pipe as JSON lines, so nothing that a
file says can become code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any

from imports.reading.cells import BLANK_CELL, Cell, CellKind, CellValue
from imports.reading.findings import Finding, FindingCode, FindingList, Severity
from imports.reading.formats import FileFormat, password_protected
from imports.reading.limits import Limits, UnreadableFile, UnreadableReason, refuse_damaged
from imports.reading.sources import CellBudget, RawRow, SheetFacts, SheetState

#: Exit codes of the child; anything else is a crash.
EXIT_DAMAGED = 3
EXIT_PASSWORD = 4
EXIT_MEMORY = 5
_SIGNALS_OF_TIME = (-24, -9)  # SIGXCPU, then SIGKILL
_SIGNAL_OF_SIZE = -25  # SIGXFSZ: the spool grew beyond what a workbook can hold


class IsolatedSource:
    """A workbook parsed once by a child process into a spool file, and read from there."""

    def __init__(self, path: Path, limits: Limits, file_format: FileFormat, engine: str) -> None:
        self.format = file_format
        self.findings = FindingList()
        self._limits = limits
        self._spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._starts: dict[str, int] = {}
        try:
            self._run_child(path, engine)
            self.sheets: Sequence[SheetFacts] = tuple(self._index_spool())
        except BaseException:
            self._spool.close()
            raise

    def _run_child(self, path: Path, engine: str) -> None:
        limits = self._limits
        request = {
            "path": str(path),
            "engine": engine,
            "memory": limits.isolated_memory_bytes,
            "seconds": limits.isolated_seconds,
        }
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-m", "imports.reading.isolated_child", json.dumps(request)]
        try:
            # The wall-clock bound is only for a machine under load; the child's own bound counts processor time.
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._spool,
                stderr=subprocess.PIPE,
                env=environment,
                timeout=limits.isolated_seconds * 10,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise self._timed_out() from error
        self._check_end(done.returncode, done.stderr.decode("utf-8", "replace"))

    def _check_end(self, code: int, errors: str) -> None:
        if code == 0:
            return
        if code == EXIT_PASSWORD:
            raise password_protected()
        if code in _SIGNALS_OF_TIME:
            raise self._timed_out()
        said = errors.strip().splitlines()
        if code in (EXIT_MEMORY, _SIGNAL_OF_SIZE) or any("memory" in line.lower() for line in said):
            raise UnreadableFile(
                UnreadableReason.OUT_OF_MEMORY,
                "the file asks for more memory than its size explains; it is damaged or made to do harm",
                "open it in a spreadsheet program, save it as .xlsx and upload that",
            )
        raise refuse_damaged(said[-1][:200] if said and code == EXIT_DAMAGED else "its parser stopped")

    def _timed_out(self) -> UnreadableFile:
        return UnreadableFile(
            UnreadableReason.TIMED_OUT,
            f"the file was not read within {self._limits.isolated_seconds} seconds of work",
            "open it in a spreadsheet program, save it as .xlsx and upload that",
        )

    def _index_spool(self) -> Iterator[SheetFacts]:
        """A line that is an object begins a sheet (the first one tells of the workbook), a line that is a list is a
        row.
        """
        self._spool.seek(0)
        while line := self._spool.readline():
            if not line.startswith(b"{"):
                continue
            entry = json.loads(line)
            if "formats" in entry:
                if not entry["formats"]:
                    self.findings.add(_formats_unknown())
                continue
            self._starts[entry["name"]] = self._spool.tell()
            yield _sheet_facts(entry)

    def rows(self, sheet: str) -> Iterator[RawRow]:
        """Stream the rows of a sheet."""
        budget = CellBudget(self._limits)
        place = self._starts[sheet]
        while True:
            self._spool.seek(place)  # several passes may be under way at once
            line = self._spool.readline()
            place = self._spool.tell()
            if not line.startswith(b"["):
                return
            number, cells = json.loads(line)
            budget.spend(len(cells), number)
            yield number, [decode_cell(cell) for cell in cells]

    def close(self) -> None:
        """Give the spool file back."""
        self._spool.close()


def _sheet_facts(entry: dict[str, Any]) -> SheetFacts:
    return SheetFacts(
        name=entry["name"],
        state=SheetState(entry["state"]),
        rows=entry["rows"],
        hidden_rows=entry["hidden_rows"],
        hidden_columns=entry["hidden_columns"],
        merged=tuple(entry["merged"][:50]),
        merged_count=len(entry["merged"]),
    )


def _formats_unknown() -> Finding:
    return Finding(
        FindingCode.FORMATS_UNKNOWN,
        Severity.WARNING,
        "the cell formats of this file could not be read: a percent looks like a plain number (7.5 % like 0.075)",
        "check columns with percents, or save the file as .xlsx and upload that",
    )


def encode_cell(cell: Cell) -> Any:
    """A cell as JSON: 0 for a blank, else [kind, value, format] with dates in ISO form and lengths of time in
    seconds.
    """
    value: Any = cell.value
    if value is None:
        return 0
    if isinstance(value, datetime | date | time):
        value = value.isoformat()
    elif isinstance(value, timedelta):
        value = value.total_seconds()
    return [str(cell.kind), value, cell.format]


def decode_cell(encoded: Any) -> Cell:
    """The cell of encode_cell."""
    if encoded == 0:
        return BLANK_CELL
    kind, value, code = CellKind(encoded[0]), encoded[1], encoded[2]
    return Cell(kind, _decode_moment(kind, value), code)


def _decode_moment(kind: CellKind, value: Any) -> CellValue:
    if kind is CellKind.DATE:
        return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if kind is CellKind.TIME:
        return time.fromisoformat(value) if isinstance(value, str) else timedelta(seconds=value)
    checked: CellValue = value
    return checked
