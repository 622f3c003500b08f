"""Reading text tables: CSV, TSV and their relatives, one record at a time.

Every field stays the text it is; what it means is decided later, per column. Row numbers are those of records: a quoted
field with line breaks in it is one row, as a spreadsheet shows it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from pathlib import Path

from imports.quiet import is_quiet_file, loud_text
from imports.reading.cells import BLANK_CELL, Cell, CellKind
from imports.reading.findings import Finding, FindingCode, FindingList, Severity
from imports.reading.formats import FileFormat
from imports.reading.limits import MEBIBYTE, Limits, UnreadableFile, UnreadableReason
from imports.reading.sources import CellBudget, RawRow, SheetFacts
from imports.reading.text_dialect import Dialect, detect_dialect
from imports.reading.text_encoding import EncodingFacts, detect_encoding

#: Characters that the dialect is detected on.
_SAMPLE_CHARACTERS = 65_536
#: Stands in for a separator of several characters, which the csv module cannot have; no text file holds it otherwise.
_STAND_IN = "\x1f"
#: The name of the only "sheet" of a text file, used in cell addresses.
TEXT_SHEET = "Text"


class TextSource:
    """A text table opened under detected or told encoding and dialect."""

    format = FileFormat.TEXT

    def __init__(
        self,
        path: Path,
        limits: Limits,
        encoding: str | None = None,
        delimiter: str | None = None,
        quote: str | None = None,
    ) -> None:
        refuse_long_lines(path, limits)
        self._path = path
        self._limits = limits
        self._quiet = is_quiet_file(path)
        self.findings = FindingList()
        self.encoding = EncodingFacts(_known_encoding(encoding), True, "told") if encoding else detect_encoding(path)
        self.dialect = self._find_dialect(delimiter, quote)
        self.sheets: Sequence[SheetFacts] = (SheetFacts(TEXT_SHEET),)
        self._report_guesses(told_encoding=encoding is not None, told_delimiter=delimiter is not None)

    def _find_dialect(self, delimiter: str | None, quote: str | None) -> Dialect:
        found = detect_dialect(self._read_sample())
        if delimiter is not None:
            if not delimiter or "\n" in delimiter or "\r" in delimiter:
                raise UnreadableFile(
                    UnreadableReason.WRONG_OPTION, "the separator cannot be empty or a line end", "give a character"
                )
            line_end = "" if found.line_end == delimiter else found.line_end
            found = replace(found, delimiter=delimiter, certain=True, line_end=line_end)
        return found if quote is None else replace(found, quote=quote)

    def _read_sample(self) -> str:
        with self._path.open(encoding=self.encoding.encoding, errors="replace", newline="") as file:
            sample = file.read(_SAMPLE_CHARACTERS)
        if len(sample) < _SAMPLE_CHARACTERS:
            return sample
        cut = max(sample.rfind("\n"), sample.rfind("\r"))
        return sample[: cut + 1] if cut > 0 else sample

    def _report_guesses(self, told_encoding: bool, told_delimiter: bool) -> None:
        if not self.encoding.certain and not told_encoding:
            self.findings.add(
                Finding(
                    FindingCode.ENCODING_GUESSED,
                    Severity.WARNING,
                    f"the encoding is taken to be {self.encoding.encoding} ({self.encoding.how})",
                    "look at the names in the preview and choose another encoding if they are wrong",
                )
            )
        if not self.dialect.certain and not told_delimiter:
            self.findings.add(
                Finding(
                    FindingCode.DELIMITER_GUESSED,
                    Severity.WARNING,
                    f"the separator is taken to be {self.dialect.delimiter!r}, others are possible",
                    "look at the columns in the preview and choose another separator if they are wrong",
                )
            )

    def rows(self, sheet: str) -> Iterator[RawRow]:  # noqa: ARG002 - a text file has one "sheet"
        """Stream the records of the file."""
        budget = CellBudget(self._limits)
        text = CellKind.TEXT
        new = tuple.__new__
        with self._path.open(encoding=self.encoding.encoding, errors="replace", newline="") as file:
            number = 0
            for number, record in enumerate(self._records(file), start=1):
                budget.spend(len(record), number)
                if number == 1 and self.dialect.sep_line:
                    continue
                if self._quiet:
                    record = [loud_text(field) for field in record]
                yield number, [new(Cell, (text, field, "")) if field else BLANK_CELL for field in record]

    def _records(self, lines: Iterator[str]) -> Iterator[list[str]]:
        csv.field_size_limit(self._limits.line_characters)
        dialect = self.dialect
        wide = len(dialect.delimiter) > 1
        if wide or dialect.line_end:
            lines = map(_plain_line, lines, repeat(dialect.line_end), repeat(dialect.delimiter if wide else ""))
        reader = csv.reader(
            lines,
            delimiter=_STAND_IN if wide else dialect.delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            doublequote=not dialect.escape,
            escapechar=dialect.escape or None,
        )
        try:
            yield from reader
        except csv.Error as error:
            raise UnreadableFile(
                UnreadableReason.LINE_TOO_LONG,
                f"line {reader.line_num}: a field does not end ({error})",
                "look for a quote that is not closed near this line, or choose another quote character",
            ) from error

    def close(self) -> None:
        """Nothing stays open between rows."""


def _plain_line(line: str, line_end: str, wide_delimiter: str) -> str:
    body = line.rstrip("\r\n")
    if line_end:
        body = body.removesuffix(line_end)
    return (body.replace(wide_delimiter, _STAND_IN) if wide_delimiter else body) + "\n"


def _known_encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError as error:
        raise UnreadableFile(
            UnreadableReason.WRONG_ENCODING,
            f"there is no encoding called {name!r}",
            "choose one of the list, for example utf-8 or cp1251",
        ) from error
    return name


def refuse_long_lines(path: Path, limits: Limits) -> None:
    """Refuse a file with a line over the limit before anything would hold that line: one look over its bytes."""
    window = max(limits.line_characters, 4096)
    with path.open("rb") as file:
        while chunk := file.read(window):
            if len(chunk) == window and b"\n" not in chunk and b"\r" not in chunk:
                raise UnreadableFile(
                    UnreadableReason.LINE_TOO_LONG,
                    f"the file has a line of more than {limits.line_characters // MEBIBYTE or 1} MiB",
                    "check that the file is a table with one record per line",
                )
