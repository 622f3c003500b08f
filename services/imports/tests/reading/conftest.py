"""What the tests of reading start from: small files made on the spot, and the sets of real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

SaveXlsx = Callable[..., Path]
SaveText = Callable[..., Path]


@pytest.fixture
def save_xlsx(tmp_path: Path) -> SaveXlsx:
    """Save rows as a workbook. A cell may be a pair of value and format code; `sheets` makes several sheets."""

    def save(
        rows: Sequence[Sequence[Any]] = (), sheets: dict[str, Sequence[Sequence[Any]]] | None = None, **options: Any
    ) -> Path:
        path: Path = tmp_path / options.get("name", "book.xlsx")
        settings = {"strings_to_urls": False, "strings_to_formulas": False, "date_1904": bool(options.get("date_1904"))}
        book = xlsxwriter.Workbook(path, settings)
        for title, lines in (sheets or {"Sheet1": rows}).items():
            sheet = book.add_worksheet(title)
            for number, line in enumerate(lines):
                for column, value in enumerate(line):
                    code = None
                    if isinstance(value, tuple):
                        value, code = value
                    if value is not None:
                        sheet.write(number, column, value, book.add_format({"num_format": code}) if code else None)
            if title in options.get("hidden", ()):
                sheet.hide()
        book.close()
        return path

    return save


@pytest.fixture
def save_text(tmp_path: Path) -> SaveText:
    """Save text, or bytes as they are, under a name."""

    def save(content: str | bytes, name: str = "table.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return save
