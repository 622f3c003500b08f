"""An export as an address book: vCard 3.0, which every telephone and mail program reads, a card a customer.

Each card carries the mark of the export, so that one that is passed on alone still says who took it. What an address
book has no place for (owner, units, moments) is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from imports.exporting.cells import BETWEEN

FOLDED_BYTES = 73  # of a line, with the blank before a continuation (RFC 2426 advises 75)
MARK = "X-BRANCHLINE-EXPORT"
_ADDRESS = ("street", "city", "region", "postal_code", "country")
_SEVERAL = {"phone": "TEL", "email": "EMAIL", "website": "URL"}
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\r": None})


def write_cards(path: Path, rows: Iterator[Mapping[str, str]], mark: str) -> None:
    """Write persons or organizations, by the columns of their lists."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for row in rows:
            for line in _lines_of(row, mark):
                file.write("\r\n ".join(_folded(line)) + "\r\n")


def _lines_of(row: Mapping[str, str], mark: str) -> Iterator[str]:
    yield from ("BEGIN:VCARD", "VERSION:3.0")
    company = row.get("name", "")
    yield f"FN:{_plain(company or row.get('full_name', ''))}"
    yield "N:" + ";".join(_plain(row.get(part, "")) for part in ("family_name", "given_name", "middle_name")) + ";;"
    if company:
        yield "X-ABShowAs:COMPANY"
    if organization := company or row.get("organization", ""):
        yield f"ORG:{_plain(organization)}"
    if row.get("role"):
        yield f"TITLE:{_plain(row['role'])}"
    for column, name in _SEVERAL.items():
        yield from (f"{name}:{_plain(one)}" for one in row.get(column, "").split(BETWEEN) if one)
    if any(row.get(part) for part in _ADDRESS):
        yield "ADR:;;" + ";".join(_plain(row.get(part, "")) for part in _ADDRESS)
    if row.get("birth_date"):
        yield f"BDAY:{row['birth_date']}"
    yield f"{MARK}:{_plain(mark)}"
    yield "END:VCARD"


def _plain(text: str) -> str:
    return text.translate(_ESCAPED)


def _folded(line: str) -> Iterator[str]:
    """Pieces of at most FOLDED_BYTES bytes in UTF-8, none of which cuts a character."""
    piece, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > FOLDED_BYTES:
            yield piece
            piece, size = "", 0
        piece, size = piece + character, size + width
    yield piece
