"""What people write into forms, read as the contracts want it: sums of money, days, moments, numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from chassis.dates import to_date
from chassis.errors import FieldInvalid, FieldViolation
from chassis.money import to_money
from gateway.web.texts import gettext as _

BLANKS = str.maketrans("", "", " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}'")
MOST = Decimal(10) ** 14  # the first sum that the services cannot hold
STEP = Decimal("0.000001")


def read_number(name: str, written: str) -> Decimal | None:
    """A number as people write it, with a point or a comma; None where nothing is written. Errors: FieldInvalid."""
    plain = written.translate(BLANKS)
    if not plain:
        return None
    try:
        number = Decimal(plain.replace(",", "."))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= MOST:
        raise FieldInvalid(FieldViolation(name, _("is not a number; write it such as 1250.50")))
    return number.quantize(STEP)


def read_money(name: str, written: str, currency: str) -> Any:
    """A sum of money; None where nothing is written. Errors: FieldInvalid."""
    number = read_number(name, written)
    return None if number is None else to_money(number, currency.strip().upper())


def read_day(name: str, written: str) -> Any:
    """A day as browsers write it; None where nothing is. Errors: FieldInvalid."""
    day = read_date(name, written)
    return to_date(day)


def read_date(name: str, written: str) -> date | None:
    """Like `read_day`, as a date. Errors: FieldInvalid."""
    if not written:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise FieldInvalid(FieldViolation(name, _("is not a day; choose one in the calendar"))) from None
