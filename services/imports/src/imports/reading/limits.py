"""How big and how strange a file may be, and the one way in which a file is refused.

The defaults let through a year of a large branch (500,000 rows of 40 columns) and stop what only an attack or a
mistake makes.
"""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from dataclasses import dataclass
from enum import StrEnum

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one file; every one is checked before the memory it would cost is spent."""

    file_bytes: int = 256 * MEBIBYTE
    #: Sheets are streamed, so their unpacked size costs time, not memory: 2 GiB is about 10 s of inflating.
    unpacked_bytes: int = 2048 * MEBIBYTE
    #: Shared strings, styles and the like are held in memory while a workbook is open.
    resident_part_bytes: int = 128 * MEBIBYTE
    zip_entries: int = 500
    #: Nothing real shrinks more than this; an empty styled sheet reaches about 100.
    compression_ratio: int = 1000
    cells: int = 20_000_000
    columns: int = 1_000
    #: What a spreadsheet cell can hold.
    cell_characters: int = 32_767
    #: A longer line means an unclosed quote or no line ends at all.
    line_characters: int = MEBIBYTE
    #: For the old formats, which are parsed in a process of their own.
    isolated_memory_bytes: int = 1024 * MEBIBYTE
    isolated_seconds: int = 120


DEFAULT_LIMITS = Limits()

#: What comes out of a container that is broken inside; the zip module promises no narrower set.
CONTAINER_ERRORS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, KeyError,
    ValueError, NotImplementedError, RuntimeError, OverflowError,
)  # fmt: skip


class UnreadableReason(StrEnum):
    """Why a file as a whole was refused."""

    EMPTY = "empty"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    TOO_LARGE_UNPACKED = "too_large_unpacked"
    TOO_MANY_PARTS = "too_many_parts"
    TOO_MANY_CELLS = "too_many_cells"
    TOO_MANY_COLUMNS = "too_many_columns"
    LINE_TOO_LONG = "line_too_long"
    PASSWORD_PROTECTED = "password_protected"
    NOT_A_TABLE_FILE = "not_a_table_file"
    UNSUPPORTED_FORMAT = "unsupported_format"
    DAMAGED = "damaged"
    FORBIDDEN_CONTENT = "forbidden_content"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    NO_SUCH_SHEET = "no_such_sheet"
    NO_SUCH_TABLE = "no_such_table"
    WRONG_ENCODING = "wrong_encoding"
    WRONG_OPTION = "wrong_option"


class UnreadableFile(Exception):
    """A file that cannot be read at all: why, and what its owner can do about it."""

    def __init__(self, reason: UnreadableReason, message: str, way_out: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.way_out = way_out

    def __reduce__(self) -> tuple[type[UnreadableFile], tuple[UnreadableReason, str, str]]:
        return (type(self), (self.reason, self.message, self.way_out))


def refuse_damaged(what: str) -> UnreadableFile:
    """The refusal of a file whose inside does not hold together; `what` says where it broke."""
    return UnreadableFile(
        UnreadableReason.DAMAGED,
        f"the file is damaged: {what}",
        "open it in the program that made it, save it again and upload the new file",
    )
