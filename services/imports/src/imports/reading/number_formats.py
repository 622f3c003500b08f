"""What a spreadsheet's number format code says a number is: a plain number, a percent, money, a date or a time.

Source: ECMA-376 part 1, section 18.8.30 (built-in ids) and 18.8.31 (format codes).
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from functools import lru_cache

from imports.reading.cells import Cell, CellKind, CellValue

#: Built-in format ids that matter for the kind of a number; all others below 164 are plain numbers or text.
BUILT_IN_FORMATS: dict[int, str] = {
    5: '"$"#,##0',
    6: '"$"#,##0',
    7: '"$"#,##0.00',
    8: '"$"#,##0.00',
    9: "0%",
    10: "0.00%",
    14: "mm-dd-yy",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    22: "m/d/yy h:mm",
    42: '"$"#,##0',
    44: '"$"#,##0.00',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    **dict.fromkeys((*range(27, 32), 36, *range(50, 55), 57, 58), "yyyy/m/d"),
    **dict.fromkeys((32, 33, 34, 35, 55, 56), "h:mm"),
}

_LITERALS = re.compile(r'"[^"]*"|\\.|_.|\*.')
_BRACKETS = re.compile(r"\[(?!h+\]|m+\]|s+\])[^\]]*\]", re.IGNORECASE)
_CURRENCY_SIGN = re.compile(
    r"[$€£¥₽₴₸₹₩₪₫฿₺₼₾₿¢]|\[\$[^\]-]+|(?<![a-zа-я])(?:руб|р\.|usd|eur|rub|gbp|chf|kr|zł|kč|лв)", re.IGNORECASE
)
_AM_PM = re.compile(r"am/pm|a/p", re.IGNORECASE)
#: Serial 0 is 1899-12-30 for serials above 60, because 1900 counts a 29 February that was not (ECMA-376 18.17.4.1).
_EPOCH_1900 = datetime(1899, 12, 30)
_EPOCH_1904 = datetime(1904, 1, 1)
_LAST_SERIAL = 2_958_466
_MICROSECONDS_PER_DAY = 86_400_000_000


@lru_cache(maxsize=4096)
def kind_of_format(code: str) -> CellKind:
    """The kind a number has under a format code; its first section decides."""
    section = code.split(";")[0]
    if code.lower() in ("", "general", "@"):
        return CellKind.NUMBER
    bare = _BRACKETS.sub("", _LITERALS.sub("", section))
    if "%" in bare:
        return CellKind.PERCENT
    letters = _AM_PM.sub("h", bare).lower()
    if any(token in letters for token in "ymdhs") and "general" not in letters:
        return CellKind.DATE if _names_a_day(letters) else CellKind.TIME
    return CellKind.CURRENCY if _CURRENCY_SIGN.search(section) else CellKind.NUMBER


def _names_a_day(letters: str) -> bool:
    if "y" in letters or "d" in letters:
        return True
    return "m" in letters and "h" not in letters and "s" not in letters


def cell_of_number(value: float, code: str, epoch_1904: bool) -> Cell:
    """The cell of a stored number under its format: a date serial becomes a date, an integral float an int."""
    kind = kind_of_format(code)
    if kind is CellKind.DATE or kind is CellKind.TIME:
        moment = moment_of_serial(value, kind, epoch_1904, code)
        return Cell(CellKind.NUMBER, whole(value), code) if moment is None else Cell(kind, moment, code)
    return Cell(kind, whole(value), code)


def whole(value: float) -> int | float:
    """The int of a float that is one; infinities and NaN do not occur in files and stay what they are."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def moment_of_serial(serial: float, kind: CellKind, epoch_1904: bool, code: str = "") -> CellValue:
    """Date, time of day or length of time of a spreadsheet serial; None when no calendar day has that serial."""
    if not (-_LAST_SERIAL < serial < _LAST_SERIAL):
        return None
    length = timedelta(microseconds=round(serial * _MICROSECONDS_PER_DAY / 1000) * 1000)
    if kind is CellKind.TIME:
        if "[" in code or not 0 <= serial < 1:
            return length
        return (_EPOCH_1900 + length).time()
    if serial < 0:
        return None
    if epoch_1904:
        return _EPOCH_1904 + length
    if 60 <= serial < 61:
        return None  # 29 February 1900, which was not a day
    if serial < 1:
        return time() if serial == 0 else (_EPOCH_1900 + length).time()
    return _EPOCH_1900 + length + timedelta(days=1 if serial < 60 else 0)
