"""Files that are damaged, huge, locked or made to do harm are refused with a reason, quickly and in bounded memory."""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imports.reading import (
    FileFormat,
    FindingCode,
    Limits,
    ReadOptions,
    UnreadableFile,
    UnreadableReason,
    inspect_file,
    read_rows,
)
from imports.reading.isolated import IsolatedSource

SaveXlsx = Callable[..., Path]
SaveText = Callable[..., Path]
ROWS = [["Name", "Sum"], ["A", 1], ["B", 2]]
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def read_to_the_end(path: Path, limits: Limits) -> int:
    inspect_file(path, path.name, limits=limits)
    return sum(1 for _ in read_rows(path, limits=limits))


def reads_or_refuses(path: Path) -> bool:
    """Whether reading ends in one of the two ways there are; anything else is raised."""
    try:
        return read_to_the_end(path, Limits()) >= 0
    except UnreadableFile as refused:
        return bool(refused.message and refused.way_out)


def refusal(path: Path, limits: Limits | None = None) -> UnreadableFile:
    """Read a file to its end and give the refusal that this must end in."""
    with pytest.raises(UnreadableFile) as caught:
        read_to_the_end(path, limits or Limits())
    assert caught.value.way_out
    return caught.value


def with_part(path: Path, part: str, content: bytes) -> Path:
    """The workbook with one of its parts replaced or added."""
    changed = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            if name != part:
                target.writestr(name, source.read(name))
        target.writestr(part, content)
    return changed


def test_a_missing_and_an_empty_file_are_refused(tmp_path: Path, save_text: SaveText) -> None:
    assert refusal(tmp_path / "nowhere.csv").reason is UnreadableReason.NOT_FOUND
    assert refusal(save_text(b"")).reason is UnreadableReason.EMPTY
    assert refusal(save_text("\n\n  \n")).reason is UnreadableReason.EMPTY


def test_a_sparse_file_of_ten_gigabytes_is_refused_by_its_size_at_once(tmp_path: Path) -> None:
    path = tmp_path / "huge.xlsx"
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)
    started = time.monotonic()
    assert refusal(path).reason is UnreadableReason.TOO_LARGE
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(100), UnreadableReason.NOT_A_TABLE_FILE),
        (b"%PDF-1.7\n%abc", UnreadableReason.NOT_A_TABLE_FILE),
        (b"\x7fELF" + bytes(100), UnreadableReason.NOT_A_TABLE_FILE),
        (bytes(range(256)) * 20, UnreadableReason.NOT_A_TABLE_FILE),
        (b"<html><table><tr><td>a</td></tr></table></html>", UnreadableReason.UNSUPPORTED_FORMAT),
        (b"PK\x03\x04" + bytes(50), UnreadableReason.DAMAGED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), UnreadableReason.DAMAGED),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            UnreadableReason.PASSWORD_PROTECTED,
        ),
    ],
)
def test_files_renamed_to_a_workbook_are_known_by_their_content(
    save_text: SaveText, content: bytes, reason: UnreadableReason
) -> None:
    assert refusal(save_text(content, "book.xlsx")).reason is reason


def test_a_workbook_under_a_wrong_name_is_read_and_the_name_reported(save_xlsx: SaveXlsx) -> None:
    path = save_xlsx(ROWS, name="table.csv")
    workbook = inspect_file(path, "table.csv")
    assert workbook.format is FileFormat.XLSX
    assert workbook.findings.count(FindingCode.WRONG_FILE_NAME) == 1


def test_a_zip_of_something_else_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("table.csv", "a,b\n1,2\n")
    assert refusal(path).reason is UnreadableReason.NOT_A_TABLE_FILE


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_truncated_workbook_is_damaged(save_xlsx: SaveXlsx, share: float) -> None:
    path = save_xlsx(ROWS)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert refusal(path).reason is UnreadableReason.DAMAGED


def test_a_sheet_that_unpacks_beyond_all_measure_is_refused_unopened(save_xlsx: SaveXlsx) -> None:
    bomb = with_part(save_xlsx(ROWS), "xl/worksheets/sheet1.xml", SHEET.format(" " * 40_000_000).encode())
    limits = Limits(unpacked_bytes=30_000_000, compression_ratio=100_000)
    assert refusal(bomb, limits).reason is UnreadableReason.TOO_LARGE_UNPACKED
    assert refusal(bomb, Limits(compression_ratio=500)).reason is UnreadableReason.TOO_LARGE_UNPACKED


def test_parts_that_are_held_in_memory_have_a_smaller_limit(save_xlsx: SaveXlsx) -> None:
    bomb = with_part(save_xlsx(ROWS), "xl/sharedStrings.xml", os.urandom(3_000_000).hex().encode())
    assert refusal(bomb, Limits(resident_part_bytes=2_000_000)).reason is UnreadableReason.TOO_LARGE_UNPACKED


def test_a_workbook_of_a_million_parts_is_refused_by_its_end_record(tmp_path: Path) -> None:
    path = tmp_path / "parts.xlsx"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(600):
            archive.writestr(f"xl/part{number}.xml", "<a/>")
    path.write_bytes(buffer.getvalue())
    assert refusal(path).reason is UnreadableReason.TOO_MANY_PARTS


def test_a_lying_size_in_the_directory_does_not_let_a_bomb_through(save_xlsx: SaveXlsx) -> None:
    bomb = with_part(save_xlsx(ROWS), "xl/worksheets/sheet1.xml", SHEET.format("<row/>" * 1_000_000).encode())
    content = bytearray(bomb.read_bytes())
    size = struct.pack("<I", len(SHEET.format("<row/>" * 1_000_000)))
    place = content.rfind(size)
    content[place : place + 4] = struct.pack("<I", 1000)
    bomb.write_bytes(content)
    assert refusal(bomb).reason in (UnreadableReason.DAMAGED, UnreadableReason.EMPTY)


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
@pytest.mark.parametrize(
    "trick", ['<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>', '<!DOCTYPE x SYSTEM "file:///etc/passwd">']
)
def test_entities_of_any_kind_are_refused(save_xlsx: SaveXlsx, part: str, trick: str) -> None:
    path = save_xlsx(ROWS)
    with zipfile.ZipFile(path) as archive:
        content = archive.read(part).replace(b"?>", b"?>" + trick.encode(), 1)
    assert refusal(with_part(path, part, content)).reason is UnreadableReason.FORBIDDEN_CONTENT


def test_a_false_dimension_neither_hides_rows_nor_costs_time(save_xlsx: SaveXlsx) -> None:
    path = save_xlsx(ROWS)
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    for false in (b"A1", b"A1:XFD1048576"):
        changed = with_part(path, "xl/worksheets/sheet1.xml", sheet.replace(b"A1:B3", false))
        assert len(list(read_rows(changed))) == 2


def test_macros_are_not_run_and_the_values_are_read(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("xls-calamine") / "vba.xlsm"
    workbook = inspect_file(path, path.name)
    assert workbook.format is FileFormat.XLSM
    assert workbook.findings.count(FindingCode.MACROS_IGNORED) == 1


@pytest.mark.parametrize(
    ("content", "limits", "reason"),
    [
        ("a,b\n" + "x" * 20_000 + "\n1,2\n", Limits(line_characters=8_000), UnreadableReason.LINE_TOO_LONG),
        ('a,b\n"' + "x\n" * 20_000, Limits(line_characters=8_000), UnreadableReason.LINE_TOO_LONG),
        (
            ",".join("abcdefghij" * 11) + "\n" + ",".join("1" * 110) + "\n",
            Limits(columns=100),
            UnreadableReason.TOO_MANY_COLUMNS,
        ),
        ("a,b\n" + "1,2\n" * 300, Limits(cells=500), UnreadableReason.TOO_MANY_CELLS),
    ],
)
def test_text_files_beyond_the_limits_are_refused(
    save_text: SaveText, content: str, limits: Limits, reason: UnreadableReason
) -> None:
    assert refusal(save_text(content), limits).reason is reason


def test_workbooks_beyond_the_limits_of_cells_and_columns_are_refused(save_xlsx: SaveXlsx) -> None:
    path = save_xlsx([["a", "b", "c"], *([1, 2, 3] for _ in range(300))])
    assert refusal(path, Limits(cells=500)).reason is UnreadableReason.TOO_MANY_CELLS
    assert refusal(path, Limits(columns=2)).reason is UnreadableReason.TOO_MANY_COLUMNS


def test_a_workbook_whose_chain_never_ends_ends_its_own_process_only(shared_data: Callable[[str], Path]) -> None:
    """The sectors of this file point at each other; a parser that follows them allocates until it is stopped."""
    path = shared_data("tab-phpspreadsheet") / "XLS" / "oleloop.xls"
    with pytest.raises(UnreadableFile) as caught:
        IsolatedSource(path, Limits(isolated_memory_bytes=300_000_000), FileFormat.XLS, engine="calamine")
    assert caught.value.reason is UnreadableReason.OUT_OF_MEMORY
    assert refusal(path).reason is UnreadableReason.DAMAGED


def test_an_old_workbook_that_only_looks_dangerous_is_read(shared_data: Callable[[str], Path]) -> None:
    assert len(list(read_rows(shared_data("xls-calamine") / "OOM_alloc2.xls"))) == 191


def test_control_characters_and_zeros_in_text_files_do_not_stop_the_reading(save_text: SaveText) -> None:
    rows = list(read_rows(save_text(b"Name,Note\nAnna,a\x00b\x07c\nBob,x\nCid,y\n"), ReadOptions(has_header=True)))
    assert rows[0].cells[1].text == "a\x00b\x07c"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(min_size=1, max_size=2_000))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    assert reads_or_refuses(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 10_000),
    value=st.integers(0, 255),
    name=st.sampled_from(["date.xlsx", "date.xlsb", "date.ods"]),
)
def test_a_workbook_with_a_broken_byte_is_read_or_refused(
    tmp_path: Path, shared_data: Callable[[str], Path], place: int, value: int, name: str
) -> None:
    content = bytearray((shared_data("xls-calamine") / name).read_bytes())
    content[place % len(content)] = value
    path = tmp_path / name
    path.write_bytes(content)
    assert reads_or_refuses(path)
