"""What kind of file this is, by its content and never by its name, and whether it is safe to open.

Everything here looks at sizes, signatures and directories only: a bomb is refused before one byte of it is unpacked.
"""

from __future__ import annotations

import re
import struct
import zipfile
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from imports.reading.limits import CONTAINER_ERRORS, Limits, UnreadableFile, UnreadableReason, refuse_damaged
from imports.reading.text_encoding import detect_wide

#: Enough of a file to know it by.
HEAD_BYTES = 4096
#: The end record of a zip stands in its last 64 KiB plus the record itself (APPNOTE.TXT 4.3.16).
_ZIP_END_BYTES = 65_557
#: A directory entry is 46 bytes and a name; 1 KiB each is far above any real part name.
_DIRECTORY_BYTES_PER_ENTRY = 1024
#: A prolog longer than this before the root element is no real office file.
_PROLOG_BYTES = 65_536
_OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF_STARTS = (b"\x09\x08", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00", b"\x09\x00\x04\x00")
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
#: Bytes of marks and blanks, with which a text may begin.
_MARK_BYTES = b"\xef\xbb\xbf\xff\xfe \t\r\n"
_OTHER_FILES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"{\\rtf": "an RTF document",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"SQLite format 3": "an SQLite database",
    b"PAR1": "a Parquet file",
}
_WAY_OUT_TABLE = "save the table as .xlsx or .csv and upload that file"
_NOT_RESIDENT = re.compile(
    r"(worksheets?/|^content\.xml$|media/|Pictures/|embeddings/|Thumbnails/|\.(png|jpe?g|gif|emf|wmf|tiff?)$)", re.I
)
_FORBIDDEN_XML = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_ROOT_ELEMENT = re.compile(rb"<[A-Za-z_]")


class FileFormat(StrEnum):
    """The formats that are read."""

    XLSX = "xlsx"
    XLSM = "xlsm"
    XLSB = "xlsb"
    XLS = "xls"
    ODS = "ods"
    TEXT = "text"
    VCARD = "vcard"


#: File name endings under which each format is usually met.
USUAL_ENDINGS: dict[FileFormat, frozenset[str]] = {
    FileFormat.XLSX: frozenset({".xlsx", ".xltx"}),
    FileFormat.XLSM: frozenset({".xlsm", ".xltm", ".xlam"}),
    FileFormat.XLSB: frozenset({".xlsb"}),
    FileFormat.XLS: frozenset({".xls", ".xlt"}),
    FileFormat.ODS: frozenset({".ods", ".ots"}),
    FileFormat.TEXT: frozenset({".csv", ".tsv", ".txt", ".tab", ".dat", ""}),
    FileFormat.VCARD: frozenset({".vcf", ".vcard"}),
}


def detect_format(path: Path, limits: Limits) -> FileFormat:
    """Name the format of a file by its content.

    Errors: UnreadableFile when the file is missing, empty, over a limit, encrypted, or of a kind that holds no table.
    """
    size = _file_size(path, limits)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(b"PK"):
            _check_zip_directory(file, size, limits)
            return _detect_zip_format(path, limits)
        if head.startswith(_OLE_SIGNATURE):
            return _detect_ole_format(file)
    return _detect_plain_format(head)


def _file_size(path: Path, limits: Limits) -> int:
    try:
        if not path.is_file():
            raise UnreadableFile(UnreadableReason.NOT_FOUND, "there is no such file", "upload the file again")
        size = path.stat().st_size
    except OSError as error:
        raise UnreadableFile(
            UnreadableReason.NOT_FOUND, "the file cannot be opened", "upload the file again"
        ) from error
    if size == 0:
        raise UnreadableFile(
            UnreadableReason.EMPTY, "the file is empty (0 bytes)", "check the file and upload it again"
        )
    if size > limits.file_bytes:
        raise UnreadableFile(
            UnreadableReason.TOO_LARGE,
            f"the file has {size:,} bytes, at most {limits.file_bytes:,} are read",
            "split the file into several and import them one after another",
        )
    return size


def _detect_plain_format(head: bytes) -> FileFormat:
    if head.startswith(_BIFF_STARTS) and len(head) > 8:
        return FileFormat.XLS
    for signature, name in _OTHER_FILES.items():
        if head.startswith(signature):
            raise UnreadableFile(UnreadableReason.NOT_A_TABLE_FILE, f"the file is {name}, not a table", _WAY_OUT_TABLE)
    if head.replace(b"\x00", b"").lstrip(_MARK_BYTES).lower().startswith(b"begin:vcard"):
        return FileFormat.VCARD
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:2048].lower()
    if start.startswith(b"<?xml") and b"schemas-microsoft-com:office:spreadsheet" in start:
        raise _unsupported("an XML spreadsheet of 2003")
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<meta")):
        raise _unsupported("a web page saved under a spreadsheet's name")
    if start.startswith((b"<?xml", b"<!doctype")):
        raise UnreadableFile(
            UnreadableReason.NOT_A_TABLE_FILE, "the file is an XML document, not a table", _WAY_OUT_TABLE
        )
    if _looks_binary(head):
        raise UnreadableFile(
            UnreadableReason.NOT_A_TABLE_FILE, "the file is binary and no known table format", _WAY_OUT_TABLE
        )
    return FileFormat.TEXT


def _unsupported(what: str) -> UnreadableFile:
    return UnreadableFile(
        UnreadableReason.UNSUPPORTED_FORMAT,
        f"the file is {what}",
        "open it in a spreadsheet program and save it as .xlsx",
    )


def _looks_binary(head: bytes) -> bool:
    """Text has few control characters; UTF-16 and UTF-32 have zeros in a regular place, which the text reader looks
    at.
    """
    if head.startswith(_BOMS) or detect_wide(head):
        return False
    controls = sum(head.count(code) for code in (*range(1, 9), *range(14, 27), *range(28, 32)))
    return controls > max(4, len(head) // 20)


def _detect_ole_format(file: BinaryIO) -> FileFormat:
    file.seek(0)
    content = file.read()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise password_protected()
    lowered = content.lower()
    if any(name.encode("utf-16-le") in lowered for name in ("workbook", "book")):
        return FileFormat.XLS
    if "worddocument".encode("utf-16-le") in lowered or "powerpoint".encode("utf-16-le") in lowered:
        raise UnreadableFile(
            UnreadableReason.NOT_A_TABLE_FILE, "the file is an office document, not a workbook", _WAY_OUT_TABLE
        )
    raise refuse_damaged("it is an office container without a workbook in it")


def password_protected() -> UnreadableFile:
    """The refusal of a file that only opens with its password."""
    return UnreadableFile(
        UnreadableReason.PASSWORD_PROTECTED,
        "the file is protected by a password",
        "open it with its password, save it without one and upload it again",
    )


def _check_zip_directory(file: BinaryIO, size: int, limits: Limits) -> None:
    """Refuse by the end record alone: the directory of a million parts must not even be loaded."""
    file.seek(max(0, size - _ZIP_END_BYTES))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise refuse_damaged("its end is missing, the upload or copy was cut off")
    entries, directory_bytes = struct.unpack_from("<HI", tail, at + 10)
    if entries == 0xFFFF or directory_bytes == 0xFFFFFFFF:
        wide = tail.rfind(b"PK\x06\x06", 0, at)
        if wide >= 0 and at - wide >= 56:
            entries, directory_bytes = struct.unpack_from("<QQ", tail, wide + 32)
    if entries > limits.zip_entries or directory_bytes > limits.zip_entries * _DIRECTORY_BYTES_PER_ENTRY:
        raise UnreadableFile(
            UnreadableReason.TOO_MANY_PARTS,
            f"the workbook consists of {entries:,} parts, at most {limits.zip_entries} are read",
            "copy the table into a new workbook and upload that",
        )


def _detect_zip_format(path: Path, limits: Limits) -> FileFormat:
    try:
        with zipfile.ZipFile(path) as archive:
            check_zip_sizes(archive, limits)
            found = _format_of_parts(archive)
            _refuse_forbidden_xml(archive)
            return found
    except CONTAINER_ERRORS as error:
        raise refuse_damaged("its container cannot be opened") from error


def check_zip_sizes(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Refuse what would unpack too large. The zip reader stops at the declared size, so a lying header gains
    nothing.
    """
    total = 0
    for part in archive.infolist():
        total += part.file_size
        resident = not _NOT_RESIDENT.search(part.filename)
        ratio = part.file_size / max(1, part.compress_size)
        if part.flag_bits & 0x1:
            raise password_protected()
        if resident and part.file_size > limits.resident_part_bytes:
            raise _too_large_unpacked(part.filename, part.file_size, limits.resident_part_bytes)
        if ratio > limits.compression_ratio and part.file_size > 1024 * 1024:
            raise _too_large_unpacked(part.filename, part.file_size, part.compress_size * limits.compression_ratio)
    if total > limits.unpacked_bytes:
        raise _too_large_unpacked("the workbook", total, limits.unpacked_bytes)


def _too_large_unpacked(what: str, size: int, most: int) -> UnreadableFile:
    return UnreadableFile(
        UnreadableReason.TOO_LARGE_UNPACKED,
        f"{what} unpacks to {size:,} bytes, at most {most:,} are read",
        "copy the table alone into a new workbook, or save it as .csv",
    )


def _format_of_parts(archive: zipfile.ZipFile) -> FileFormat:
    names = {name.replace("\\", "/").lower().lstrip("/"): name for name in archive.namelist()}
    if "content.xml" in names:
        return _open_document_format(archive, names)
    if any(name.endswith("workbook.bin") for name in names):
        return FileFormat.XLSB
    if "[content_types].xml" in names:
        types = archive.read(names["[content_types].xml"])
        if b"macroEnabled" in types or any(name.endswith("vbaproject.bin") for name in names):
            return FileFormat.XLSM
        if b"spreadsheetml" in types:
            return FileFormat.XLSX
        raise UnreadableFile(
            UnreadableReason.NOT_A_TABLE_FILE, "the file is an office document, not a workbook", _WAY_OUT_TABLE
        )
    if any(name.startswith("xl/") for name in names):
        raise refuse_damaged("its list of contents is missing")
    raise UnreadableFile(
        UnreadableReason.NOT_A_TABLE_FILE,
        "the file is a zip archive, not a workbook",
        "unpack it and upload the tables in it",
    )


def _open_document_format(archive: zipfile.ZipFile, names: dict[str, str]) -> FileFormat:
    manifest = archive.read(names["meta-inf/manifest.xml"]) if "meta-inf/manifest.xml" in names else b""
    if b"encryption-data" in manifest:
        raise password_protected()
    kind = archive.read(names["mimetype"])[:200] if "mimetype" in names else b"spreadsheet"
    if b"spreadsheet" not in kind:
        raise UnreadableFile(
            UnreadableReason.NOT_A_TABLE_FILE, "the file is an office document, not a workbook", _WAY_OUT_TABLE
        )
    return FileFormat.ODS


def _refuse_forbidden_xml(archive: zipfile.ZipFile) -> None:
    """Office formats have no document type: one that is there can only be an entity trick, so the file is refused."""
    for part in archive.infolist():
        if part.filename.lower().endswith((".xml", ".rels", ".vml")):
            with archive.open(part) as stream:
                prolog = _read_prolog(stream)
            if _FORBIDDEN_XML.search(prolog):
                raise UnreadableFile(
                    UnreadableReason.FORBIDDEN_CONTENT,
                    f"{part.filename} declares a document type, which no spreadsheet program writes",
                    "copy the table into a new workbook and upload that",
                )


def _read_prolog(stream: object) -> bytes:
    prolog = b""
    while len(prolog) < _PROLOG_BYTES:
        piece: bytes = stream.read(1024)  # type: ignore[attr-defined]
        prolog += piece
        plain = prolog.replace(b"\x00", b"")  # UTF-16 parts
        if not piece or _ROOT_ELEMENT.search(plain):
            return plain
    raise refuse_damaged("one of its parts begins with nothing but comments")
