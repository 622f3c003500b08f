"""Money on the wire (google.type.Money) and money in Python (Decimal with a currency), exact to six places."""

from __future__ import annotations

import re
from decimal import Decimal

from google.type import money_pb2

from chassis.errors import FieldInvalid, FieldViolation

PLACES = 6  # as numeric(20,6) keeps them
STEP = Decimal(1).scaleb(-PLACES)
MOST = Decimal(10) ** 14  # the first value numeric(20,6) cannot hold
_NANOS = 1_000_000_000
_NANOS_A_STEP = 1_000
_CURRENCY = re.compile("[A-Z]{3}")


def to_money(amount: Decimal | None, currency: str | None) -> money_pb2.Money | None:
    """The amount as a message; None stays None, which leaves a message field unset.

    Shapes: at most 6 places and below 10**14 either way, as a numeric(20,6) column gives it.
    """
    if amount is None:
        return None
    nanos = int(amount.scaleb(9))
    units = abs(nanos) // _NANOS * (1 if nanos >= 0 else -1)
    return money_pb2.Money(currency_code=currency or "", units=units, nanos=nanos - units * _NANOS)


def from_money(message: money_pb2.Money, field: str = "amount") -> tuple[Decimal, str]:
    """The amount and its currency. Errors: FieldInvalid naming `field`.

    Refused: a currency that is not three capital letters (ISO 4217), more than 6 places, 10**14 or more either way,
    units and nanos of different signs. Source: the comments of google/type/money.proto.
    """
    if not _CURRENCY.fullmatch(message.currency_code):
        raise _invalid(f"{field}.currency_code", f"is {message.currency_code[:20]!r}; use ISO 4217, such as EUR")
    if abs(message.nanos) >= _NANOS or message.units * message.nanos < 0:
        raise _invalid(f"{field}.nanos", f"is {message.nanos}; use billionths below a whole, of the sign of units")
    if message.nanos % _NANOS_A_STEP:
        raise _invalid(f"{field}.nanos", f"is {message.nanos}; money has at most {PLACES} places here")
    amount = Decimal(message.units) + Decimal(message.nanos).scaleb(-9)
    if abs(amount) >= MOST:
        raise _invalid(field, f"{amount:f} is too large; use less than 100,000,000,000,000")
    return amount.quantize(STEP), message.currency_code


def _invalid(field: str, description: str) -> FieldInvalid:
    return FieldInvalid(FieldViolation(field, description))
