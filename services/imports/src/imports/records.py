"""One row of a file to the values of one record, with every trouble named by its cell.

Knows kinds, cells and the branch's defaults; no file, no database, no other service.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from imports.cell_values import (
    CellTrouble,
    ColumnForm,
    as_day,
    as_moment,
    is_nothing,
    read_date,
    read_flag,
    read_number,
)
from imports.countries import country_code
from imports.kinds import ATTRIBUTE, Field, FieldType, Kind
from imports.money_columns import MoneyForm, code_of, sign_of
from imports.periods import read_period
from imports.reading.cells import Cell, CellKind, SourceRow
from values.emails import Email, normalize_email, split_emails
from values.full_names import split_full_name
from values.phones import Phone, normalize_phone, split_phones

MAX_TEXT = 10_000
MAX_ATTRIBUTES = 50
SIX_PLACES, MEANT_PLACES, SINGLE_DIGITS, DOUBLE_PLACES = 6, 4, 9, 12
SINGLE_PRECISION = Decimal("6e-8")  # half a unit in the last place of 24 binary digits
Record = dict[str, Any]
_CURRENCY_CODE = re.compile("[A-Z]{3}")


@dataclass(frozen=True)
class BranchDefaults:
    """What holds for the rows of a branch where they do not say: country, area code, currency, zone."""

    country_code: str
    area_code: str
    currency_code: str
    time_zone: str


@dataclass(frozen=True)
class MappedColumn:
    """A column that feeds a field (None: kept as a further fact under its header)."""

    place: int
    header: str
    field: Field | None
    form: ColumnForm = ColumnForm()
    money: MoneyForm = MoneyForm()


@dataclass(frozen=True, slots=True)
class RowTrouble:
    """A trouble of one cell (`place` is its column; None when it is of the whole row)."""

    place: int | None
    trouble: CellTrouble
    value: str = ""


@dataclass
class RecordReader:
    """Reads rows of one kind through one mapping. `refused_values` are (field, text) a person chose to refuse."""

    kind: Kind
    columns: Sequence[MappedColumn]
    defaults: BranchDefaults
    refused_values: frozenset[tuple[str, str]] = frozenset()
    dates: list[date] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._country = next((one for one in self.columns if one.field and one.field.name == "country"), None)
        self._zone = ZoneInfo(self.defaults.time_zone or "UTC")
        self._currencies: dict[str, int] = {}  # what the money of the row in hand says of itself, and where
        self._told: set[tuple[int, str]] = set()
        # Looked up once: these run for every cell and every row.
        # Further facts come last: a card holds so many and no more.
        columns = sorted(self.columns, key=lambda one: one.field is None)
        self._taken = [(one.place, one, _taker_of(one.field) if one.field else None) for one in columns]
        groups = [(one.name,) for one in self.kind.fields if one.required] + list(self.kind.needs)
        self._needed = [(names, [*names, *(_PLURALS[name] for name in names if name in _PLURALS)]) for names in groups]

    def read(self, row: SourceRow) -> tuple[Record, list[RowTrouble]]:
        """The record of a row, and its troubles; one that refuses keeps the row from being loaded."""
        record: Record = {}
        troubles: list[RowTrouble] = []
        country = self._country_of(row)
        cells = row.cells
        for place, column, taker in self._taken:
            cell = cells[place]
            if is_nothing(cell):
                continue
            trouble = self._take(record, column, taker, cell, country)
            if trouble is not None:
                troubles.append(self._chosen(column, cell, trouble))
        if self._currencies or "currency" in record:
            troubles.extend(self._settle_currency(record))
        troubles.extend(self._missing(record, troubles))
        return record, troubles

    def _country_of(self, row: SourceRow) -> str:
        if self._country is not None:
            return country_code(row.cells[self._country.place].text) or self.defaults.country_code
        return self.defaults.country_code

    def _take(
        self, record: Record, column: MappedColumn, taker: Taker | None, cell: Cell, country: str
    ) -> CellTrouble | None:
        text = cell.value
        if cell.kind is CellKind.ERROR:
            return CellTrouble("error_cell", f"the cell shows the error {cell.text}", "mend the formula in the file")
        if type(text) is str and (len(text) > MAX_TEXT or "\x00" in text):
            return CellTrouble(
                "text_too_long", f"the text has {len(text):,} characters or a null sign", "shorten it", False
            )
        if taker is None:
            self._keep(record, column, cell)
            return None
        return taker(self, record, column, cell, country)

    def _keep(self, record: Record, column: MappedColumn, cell: Cell) -> None:
        """Keep a cell as a further fact under its heading."""
        facts = record.setdefault("attributes", {})
        if len(facts) < MAX_ATTRIBUTES:
            facts[column.header[:100]] = cell.text

    def _own_field(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> CellTrouble | None:
        """A value of a field of the company's own, written as its rules read it."""
        assert column.field is not None
        text: str | CellTrouble = cell.text.strip()
        match column.field.type:
            case FieldType.NUMBER | FieldType.MONEY:
                text = self._own_number(column, column.field.type, cell)
            case FieldType.DATE:
                day = read_date(cell, column.form)
                text = day if isinstance(day, CellTrouble) else as_day(day).isoformat()
            case FieldType.FLAG:
                said = read_flag(cell)
                text = said if isinstance(said, CellTrouble) else "yes" if said else "no"
        if isinstance(text, CellTrouble):
            return text
        record.setdefault("attributes", {})[column.field.key] = text
        return None

    def _own_number(self, column: MappedColumn, type_: FieldType, cell: Cell) -> str | CellTrouble:
        number = read_number(cell, column.form, type_)
        if isinstance(number, CellTrouble):
            return number
        text = format(without_noise(number) * column.money.scale, "f")
        if type_ is FieldType.NUMBER:
            return text
        sign = sign_of(cell, column.form.decimal) or column.money.sign
        return f"{text} {code_of(sign, self.defaults.currency_code) if sign else self.defaults.currency_code}"

    def _chosen(self, column: MappedColumn, cell: Cell, trouble: CellTrouble) -> RowTrouble:
        name = column.field.name if column.field else ATTRIBUTE
        if trouble.blocks and (name, cell.text) in self.refused_values:
            trouble = CellTrouble(trouble.code, trouble.message, "chosen to be refused", blocks=False)
        return RowTrouble(column.place, trouble, cell.text)

    def _missing(self, record: Record, troubles: Sequence[RowTrouble]) -> list[RowTrouble]:
        if troubles and any(one.trouble.refuses for one in troubles):
            return []
        return [
            RowTrouble(
                None, CellTrouble("missing_value", f"the row has no {' or '.join(names)}", "fill it in", blocks=False)
            )
            for names, stored in self._needed
            if record.keys().isdisjoint(stored)
        ]

    def _text(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> None:
        assert column.field is not None
        name, text = column.field.name, cell.text.strip()
        if text == "0" and name in _NAMES:  # what an export writes for "none"
            return
        if name == "country":
            text = country_code(text) or text
        record[name] = f"{record[name]}, {text}" if column.field.repeats and name in record else text

    def _parted_name(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> None:
        """A whole name that a person chose to have parted; a part that has a column of its own is taken from there."""
        text = cell.text.strip()
        if text == "0":
            return
        parts = split_full_name(text)
        record.setdefault("full_name", text)
        if not parts.family:  # one word, or several people: nobody knows which part it is
            return
        for name, part in (("given_name", parts.given), ("middle_name", parts.middle), ("family_name", parts.family)):
            if part:
                record.setdefault(name, part)

    def _number(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> CellTrouble | None:
        assert column.field is not None
        found = read_number(cell, column.form, column.field.type)
        if isinstance(found, CellTrouble):
            return found
        if column.field.type is FieldType.FRACTION:
            found = without_noise(found / 100 if found > 1 else found)  # "15" under Discount is 15 percent
        elif column.field.type is FieldType.MONEY:
            found = without_noise(found) * column.money.scale
            for sign in filter(None, (column.money.sign, sign_of(cell, column.form.decimal))):
                self._currencies.setdefault(code_of(sign, self.defaults.currency_code), column.place)
        record[column.field.name] = format(found, "f")
        return None

    def _settle_currency(self, record: Record) -> Iterator[RowTrouble]:
        """The one currency of a row: that of its own column, else what its money says; two are not added up."""
        met, self._currencies = self._currencies, {}
        met.pop("", None)
        own = record.get("currency")
        if own:
            record["currency"] = own = code_of(own, self.defaults.currency_code) or own.upper()
            if not _CURRENCY_CODE.fullmatch(own):
                yield RowTrouble(
                    None,
                    CellTrouble("unknown_currency", f"{own[:40]!r} is no currency", "write its code, like EUR", False),
                )
        others = [code for code in met if code != (own or next(iter(met)))]
        if others:
            said = own or next(iter(met))
            message = f"the row has money in {said} and in {others[0]}"
            trouble = CellTrouble("several_currencies", message, "split the row, or correct the sign", blocks=False)
            yield RowTrouble(met[others[0]], trouble, others[0])
        elif met and not own:
            [(code, place)] = met.items()
            record["currency"] = code
            if code != self.defaults.currency_code and (place, code) not in self._told:
                self._told.add((place, code))
                yield RowTrouble(place, _foreign(code, self.defaults.currency_code), code)

    def _date(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> CellTrouble | None:
        assert column.field is not None
        found = read_date(cell, column.form)
        if isinstance(found, CellTrouble):
            return found
        day = as_day(found)
        record[column.field.name] = day.isoformat()
        if column.field.name in ("open_date", "close_date", "start_date", "end_date"):
            self.dates.append(day)
        return None

    def _time(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> CellTrouble | None:
        assert column.field is not None
        found = read_date(cell, column.form)
        if isinstance(found, CellTrouble):
            return found
        moment: datetime = as_moment(found)
        aware = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
        record[column.field.name] = aware.isoformat()
        self.dates.append(moment.date())
        return None

    def _period(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> CellTrouble | None:
        found = read_period(cell)
        if found is None:
            return CellTrouble(
                "not_a_period", f"{cell.text!r} is no month, quarter or year", "write it like 2024-05", False
            )
        record["period"] = cell.text
        record["start_date"], record["end_date"] = (day.isoformat() for day in found)
        self.dates.append(found[0])
        return None

    def _flag(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> CellTrouble | None:
        assert column.field is not None
        found = read_flag(cell)
        if isinstance(found, CellTrouble):
            return found
        record[column.field.name] = found
        return None

    def _phones(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> None:
        numbers = split_phones(cell.text)
        if not numbers and any(map(str.isalpha, cell.text)):  # "ask the secretary"
            self._keep(record, column, cell)
        for raw in numbers:
            found = normalize_phone(raw, country or None, self.defaults.area_code or None)
            if isinstance(found, Phone):
                entry = {
                    "raw": raw,
                    "value": found.e164,
                    "extension": found.extension or "",
                    "verified": found.verified,
                }
            elif found.reason.name == "EMPTY":
                continue
            else:
                entry = {"raw": raw, "problem": found.reason.name.lower()}
            record.setdefault("phones", []).append({**entry, "label": column.header[:50]})

    def _emails(self, record: Record, column: MappedColumn, cell: Cell, country: str) -> CellTrouble | None:
        parts = [(raw, normalize_email(raw)) for raw in split_emails(cell.text)]
        if not any(isinstance(found, Email) for _, found in parts):  # "ann@example,org" is one address with a slip
            parts = [(text, normalize_email(text))] if (text := cell.text.strip()) else []
        wrong = ""
        for raw, found in parts:
            if isinstance(found, Email):
                record.setdefault("emails", []).append({"raw": raw, "value": found.address})
            elif found.reason.name != "EMPTY":
                record.setdefault("emails", []).append({"raw": raw, "problem": "not_an_email"})
                wrong = wrong or raw
        if not wrong:
            return None
        return CellTrouble(
            "not_an_email",
            f"{wrong[:200]!r} is no e-mail address; it is kept as written",
            "correct the cell where the address is known",
            blocks=False,
            refuses=False,
        )


def _foreign(code: str, own: str) -> CellTrouble:
    return CellTrouble(
        "foreign_currency",
        f"the money is taken as {code}, as the heading or the cell says; the branch's own is {own or 'not set'}",
        "correct the heading or the cells if it is not; a currency column says it for each row",
        blocks=False,
        refuses=False,
    )


Taker = Callable[[RecordReader, Record, MappedColumn, Cell, str], CellTrouble | None]


def _taker_of(field: Field) -> Taker:
    return RecordReader._own_field if field.key else _TAKERS[field.type]


_NAMES = frozenset({"organization", "person", "parent", "name", "full_name", "owner", "author"})
_PLURALS = {"phone": "phones", "email": "emails"}
_TAKERS: Mapping[FieldType, Taker] = {
    FieldType.TEXT: RecordReader._text,
    FieldType.REFERENCE: RecordReader._text,
    FieldType.NUMBER: RecordReader._number,
    FieldType.MONEY: RecordReader._number,
    FieldType.FRACTION: RecordReader._number,
    FieldType.DATE: RecordReader._date,
    FieldType.TIME: RecordReader._time,
    FieldType.PERIOD: RecordReader._period,
    FieldType.FLAG: RecordReader._flag,
    FieldType.PHONE: RecordReader._phones,
    FieldType.EMAIL: RecordReader._emails,
    FieldType.PARTED_NAME: RecordReader._parted_name,
}


def record_key(kind: Kind, record: Record) -> tuple[str, bool]:
    """What tells records of a file apart, and whether rows with the same key are one record.

    A deal's number groups its rows. Deals and interactions without a number get a fingerprint of their values; equal
    fingerprints are different records (the same line twice is two sales) told apart by their order in the file.
    """
    number = str(record.get("external_id", ""))
    if kind.name == "deals" and number:
        return f"id:{number}", True
    if kind.name in ("deals", "interactions") and not number:
        body = repr(sorted((key, value) for key, value in record.items() if key != "attributes"))
        return "row:" + hashlib.sha256(body.encode()).hexdigest()[:32], False
    return "", False


def without_noise(number: Decimal) -> Decimal:
    """The decimal that was meant by a number written out of a four-byte binary fraction: 9.80000019 is 9.8.

    Such a fraction is written with at most nine digits (or, as an eight-byte one, with more than twelve places) and
    lies within half a unit of its last place (6e-8 of it) of the meant number of two or three places. All other numbers
    stay, rounded to the six places that are kept.
    """
    parts = number.as_tuple()
    places = -int(parts.exponent)
    if (places > MEANT_PLACES and len(parts.digits) <= SINGLE_DIGITS) or places > DOUBLE_PLACES:
        for few in (2, 3):
            meant = round(number, few)
            if abs(number - meant) <= abs(meant) * SINGLE_PRECISION:
                return meant.normalize()
    return number if places <= SIX_PLACES else number.quantize(Decimal(1).scaleb(-SIX_PLACES)).normalize()
