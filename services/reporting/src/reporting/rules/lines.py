"""How a deal's lines and its amount are made to add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

REMAINDER = 0


@dataclass(frozen=True)
class Line:
    """One line of a deal in the deal's currency. `counted` is 1 where it counts as a line."""

    number: int
    product_id: str | None
    product_name: str
    counted: int
    quantity: Decimal | None
    amount: Decimal | None


def add_remainder(lines: Sequence[Line], amount: Decimal | None) -> list[Line]:
    """The lines and, where they leave something of the deal's amount or there are none, line 0 with the rest.

    So the amounts of a deal's lines are its amount to the last digit, and every deal has at least one line.
    """
    left = (amount or Decimal(0)) - sum((line.amount for line in lines if line.amount is not None), Decimal(0))
    if lines and not left:
        return list(lines)
    return [Line(REMAINDER, None, "", 0 if lines else 1, None, left if amount is not None or lines else None), *lines]
