"""Money keeps every digit on its way through a message, and refuses what a column could not keep."""

from decimal import Decimal

import pytest
from google.type import money_pb2
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FieldInvalid
from chassis.money import from_money, to_money

BELOW = Decimal("99999999999999.999999")


@given(st.decimals(min_value=-BELOW, max_value=BELOW, places=6))
def test_every_amount_comes_back_exactly(amount: Decimal) -> None:
    message = to_money(amount, "EUR")
    assert message is not None
    assert from_money(message) == (amount, "EUR")
    assert message.units * message.nanos >= 0


def test_no_amount_is_no_message() -> None:
    assert to_money(None, None) is None


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (money_pb2.Money(currency_code="eur", units=1), "price.currency_code"),
        (money_pb2.Money(units=1), "price.currency_code"),
        (money_pb2.Money(currency_code="EUR", units=1, nanos=-1_000), "price.nanos"),
        (money_pb2.Money(currency_code="EUR", nanos=1_000_000_000), "price.nanos"),
        (money_pb2.Money(currency_code="EUR", nanos=1), "price.nanos"),
        (money_pb2.Money(currency_code="EUR", units=10**14), "price"),
        (money_pb2.Money(currency_code="EUR", units=-(2**63)), "price"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(message: money_pb2.Money, field: str) -> None:
    with pytest.raises(FieldInvalid) as caught:
        from_money(message, "price")
    assert [violation.field for violation in caught.value.violations] == [field]
