"""Reading vCard files as a table: a card is a row, what a card can say is a column.

A column is there when some card of the file fills it. Several telephones or e-mails of a card stand in one cell, the
preferred first. A card whose name is its company's has no person's name: it is a company, and so says its row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from imports.reading.cells import BLANK_CELL, Cell, CellKind
from imports.reading.findings import Finding, FindingCode, FindingList, Severity
from imports.reading.formats import FileFormat
from imports.reading.limits import Limits, UnreadableFile, UnreadableReason
from imports.reading.sources import CellBudget, NamedRange, RawRow, SheetFacts
from imports.reading.text_encoding import SAMPLE_BYTES, detect_encoding, rank_code_pages
from imports.reading.text_source import refuse_long_lines
from imports.reading.vcard_lines import Property, PropertyReader

#: The name of the only "sheet".
CARDS = "Cards"
_FULL, _FAMILY, _GIVEN = "Full name", "Family name", "Given name"
_ORGANIZATION, _BIRTHDAY, _YEARLESS = "Organization", "Birth date", "Born on, in part"
_NAME_PARTS = (_FAMILY, _GIVEN, "Middle name", "Honorific prefix", "Honorific suffix")
_ADDRESS_PARTS = ("", "Address line 2", "Street", "City", "Region", "Postal code", "Country")
_FAX, _PAGER, _OTHER_ADDRESS, _OTHER_ORGANIZATION = "Fax", "Pager", "Other address", "Other organization"
_TELEPHONES = {"fax": _FAX, "pager": _PAGER, "cell": "Mobile phone", "work": "Work phone", "home": "Home phone"}
_PLAIN = {
    "UID": "Id", "NICKNAME": "Nickname", "TITLE": "Job title", "ROLE": "Occupation", "URL": "Website",
    "NOTE": "Note", "CATEGORIES": "Categories", "IMPP": "Messenger", "EMAIL": "E-mail", "LANG": "Language",
    "GENDER": "Gender", "RELATED": "Related", "ANNIVERSARY": "Anniversary", "X-SKYPE": "Messenger",
    "X-SKYPE-USERNAME": "Messenger", "X-ICQ": "Messenger", "X-JABBER": "Messenger", "X-AIM": "Messenger",
    "X-MSN": "Messenger", "X-TWITTER": "Messenger", "X-TELEGRAM": "Messenger", "X-ANNIVERSARY": "Anniversary",
}  # fmt: skip
#: In this order, those of them that some card fills.
_COLUMNS = (
    "Id", _FULL, *_NAME_PARTS, "Nickname", _ORGANIZATION, _OTHER_ORGANIZATION, "Department", "Job title", "Occupation",
    "Mobile phone", "Work phone", "Home phone", "Phone", _FAX, _PAGER, "E-mail", "Messenger", "Website",
    "Street", "Address line 2", "City", "Region", "Postal code", "Country", _OTHER_ADDRESS, _BIRTHDAY, _YEARLESS,
    "Anniversary", "Gender", "Language", "Related", "Categories", "Note",
)  # fmt: skip
_SEPARATED = "; "
_UNESCAPED = {"n": "\n", "N": "\n"}
_FULL_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:T.*)?\Z")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_SEMICOLON, _COMMA = re.compile(r"(?<!\\);"), re.compile(r"(?<!\\),")
_MOST_PROPERTIES = 10_000  # of one card
#: What a card of an address book is not: a list of other cards, a device, an application.
_NO_CUSTOMER = frozenset({"group", "application", "device", "location"})


class VcardSource:
    """A vCard file, read once for its columns and once for each pass over its cards."""

    format = FileFormat.VCARD

    def __init__(self, path: Path, limits: Limits, encoding: str | None = None) -> None:
        refuse_long_lines(path, limits)
        self._limits = limits
        self._properties = PropertyReader(path, encoding or detect_encoding(path).encoding, limits)
        self.findings = FindingList()
        self._encodings = self._find_encodings()
        filled: set[str] = set()
        cards = 0
        for card in self._cards():
            filled |= card.keys()
            cards += 1
        self._columns = [name for name in _COLUMNS if name in filled]
        self._report_strange()
        if not self._columns:
            raise UnreadableFile(
                UnreadableReason.EMPTY, "the file has no card with anything in it", "export the contacts once more"
            )
        table = NamedRange(CARDS, 1, cards + 1, 1, len(self._columns))
        self.sheets: Sequence[SheetFacts] = (SheetFacts(CARDS, rows=cards + 1, tables=(table,)),)

    def rows(self, sheet: str) -> Iterator[RawRow]:  # noqa: ARG002 - there is one
        """Headings, then a row a card."""
        budget = CellBudget(self._limits)
        yield 1, [Cell(CellKind.TEXT, name) for name in self._columns]
        for number, card in enumerate(self._cards(), start=2):
            budget.spend(len(self._columns), number)
            yield number, [Cell(CellKind.TEXT, card[name]) if name in card else BLANK_CELL for name in self._columns]

    def close(self) -> None:
        """Nothing stays open between rows."""

    def _find_encodings(self) -> list[str]:
        """The file's encoding, and one for what quoted-printable hides from the look at its bytes."""
        sample = bytearray()
        for found in self._properties:
            if not found.charset and len(sample) < SAMPLE_BYTES:
                try:
                    found.value.decode(self._properties.encoding)
                except UnicodeDecodeError:
                    sample += found.value + b"\n"
        if not sample:
            return [self._properties.encoding]
        guessed = rank_code_pages(bytes(sample)).encoding
        self.findings.add(
            Finding(
                FindingCode.ENCODING_GUESSED,
                Severity.WARNING,
                f"texts that name no encoding are taken to be {guessed}",
                "look at the names in the preview and choose another encoding if they are wrong",
            )
        )
        return [self._properties.encoding, guessed]

    def _cards(self) -> Iterator[dict[str, str]]:
        """The cards by column. A card in a card (an assistant) is left out; a lost end is the next one's beginning."""
        held: list[Property] = []
        depth = 0
        for found in self._properties:
            mark = found.name if found.value.strip().upper() == b"VCARD" else ""
            if mark == "BEGIN" and held and held[-1].name == "AGENT":
                depth += 1
            elif mark == "BEGIN":
                yield from self._card(held)
                held, depth = [], 1
            elif mark == "END":
                depth = max(0, depth - 1)
                if not depth:
                    yield from self._card(held)
                    held = []
            elif depth == 1:
                held.append(found)
                if len(held) > _MOST_PROPERTIES:
                    raise UnreadableFile(
                        UnreadableReason.TOO_MANY_COLUMNS,
                        f"a card has more than {_MOST_PROPERTIES:,} properties",
                        "export the contacts once more, one card a contact",
                    )
        yield from self._card(held)

    def _card(self, held: Sequence[Property]) -> Iterator[dict[str, str]]:
        by_name = {one.name: one.text(self._encodings).strip() for one in reversed(held)}
        if by_name.get("KIND", by_name.get("X-ADDRESSBOOKSERVER-KIND", "")).lower() in _NO_CUSTOMER:
            return
        card: dict[str, list[str]] = {}
        for one in sorted(held, key=lambda each: "pref" not in each.types):
            for column, text in self._read(one):
                if text and text not in card.setdefault(column, []):
                    card[column].append(text)
        if len(companies := card.get(_ORGANIZATION, [])) > 1:
            card[_ORGANIZATION], card[_OTHER_ORGANIZATION] = companies[:1], companies[1:]
        filled = {column: _SEPARATED.join(texts) for column, texts in card.items() if texts}
        if filled:
            yield _name_card(filled, by_name)

    def _read(self, one: Property) -> Iterator[tuple[str, str]]:
        """Columns with texts of one property."""
        text = one.text(self._encodings)
        if one.name == "TEL":
            kind = next((column for type_, column in _TELEPHONES.items() if type_ in one.types), "Phone")
            yield kind, _telephone(_unescape(text))
        elif one.name == "N":
            yield from zip(_NAME_PARTS, (_line(_COMMA.sub(" ", one)) for one in _SEMICOLON.split(text)), strict=False)
        elif one.name == "FN":
            yield _FULL, _line(text)
        elif one.name == "ORG":
            company, *departments = map(_line, _SEMICOLON.split(text))
            yield _ORGANIZATION, company
            yield "Department", ", ".join(filter(None, departments))
        elif one.name == "ADR":
            yield _OTHER_ADDRESS, "\n".join(map(_line, _SEMICOLON.split(text)))
        elif one.name == "BDAY":
            found = _FULL_DATE.match(_line(text))
            yield (_BIRTHDAY, "-".join(found.groups())) if found else (_YEARLESS, _line(text))
        elif one.name in _PLAIN:
            yield _PLAIN[one.name], _unescape(text).removeprefix("mailto:").strip()

    def _report_strange(self) -> None:
        if self._properties.strange:
            self.findings.add(
                Finding(
                    FindingCode.EXTRA_CELLS,
                    Severity.WARNING,
                    f"{self._properties.strange:,} lines of the file say nothing that a card can say",
                    f"look at line {self._properties.first_strange}; the cards are read without these lines",
                )
            )


def _name_card(card: dict[str, str], by_name: dict[str, str]) -> dict[str, str]:
    """The card with one address in parts, and with a person's name once: in parts where it has parts."""
    addresses = card.pop(_OTHER_ADDRESS, "").split(_SEPARATED)
    first, others = addresses[0].split("\n"), addresses[1:]
    card |= {column: part for column, part in zip(_ADDRESS_PARTS, first, strict=False) if column and part}
    if others:
        card[_OTHER_ADDRESS] = _SEPARATED.join(", ".join(filter(None, one.split("\n"))) for one in others)
    parts, full, company = card.keys() & {_FAMILY, _GIVEN}, card.get(_FULL, ""), card.get(_ORGANIZATION, "")
    is_company = by_name.get("KIND", "").lower() == "org" or by_name.get("X-ABSHOWAS", "").upper() == "COMPANY"
    if is_company or (not parts and company and full.casefold() == company.casefold()):
        card.setdefault(_ORGANIZATION, full)
        parts = card.keys() & {_FULL, *_NAME_PARTS}
        return {column: text for column, text in card.items() if column not in parts and text}
    if parts:
        card.pop(_FULL, None)
    return card


def _unescape(text: str) -> str:
    plain = _ESCAPE.sub(lambda found: _UNESCAPED.get(found[1], found[1]), text)
    return plain.replace("\r\n", "\n").strip()


def _line(text: str) -> str:
    return " ".join(_unescape(text).split())


def _telephone(text: str) -> str:
    """A number as people write it; version 4.0 writes `tel:+1-555-010-0000;ext=102`."""
    if not text.lower().startswith("tel:"):
        return text
    number, _, extension = unquote(text[4:]).partition(";ext=")
    return f"{number.partition(';')[0]} ext. {extension}" if extension else number.partition(";")[0]
