"""What Northlight's branches sell, plan and sold in the first quarter of 2026, drawn from a given source of chance."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import people

FIRST_DAY, DAYS = date(2026, 1, 1), 90
LAMP_SET = "Lamp set"
SETS = {"moscow": (4_000, 3_500, 2_700, 1_800), "tula": (4_200, 2_800, 2_000), "berlin": (25_676,)}
SET_PLANS = {"moscow": 11_000, "tula": 9_000, "berlin": 20_000}
SET_PRICES = {"RUB": Decimal("1450"), "EUR": Decimal("15.9")}
MONEY_PLANS = {
    "moscow": (9_000_000, 9_500_000, 28_000_000),
    "tula": (5_000_000, 5_200_000, 18_000_000),
    "berlin": (60_000, 65_000, 480_000),
}
CURRENCIES = {"moscow": "RUB", "tula": "RUB", "berlin": "EUR"}
DEAL_COUNTS = {"moscow": 46, "tula": 33, "berlin": 39}
STAGES = ("Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost")
STAGE_SHARES = (12, 14, 12, 8, 38, 16)
REASONS = ("price", "competitor", "no answer", "timing")
OWNERS = {  # as the branches write them, family name first in Moscow
    "moscow": ("Смирнова Ольга", "Орлов Дмитрий"),
    "tula": ("Наталья Сазонова", "Пётр Кузьмин"),
    "berlin": ("Felix Braun", "Jana Richter"),
}


@dataclass(frozen=True)
class Product:
    """A row of the price list; prices by currency."""

    code: str
    name: str
    category: str
    unit: str
    fraction: bool
    prices: dict[str, Decimal]


PRODUCTS = (
    Product("NL-100", LAMP_SET, "Lamps", "set", False, SET_PRICES),
    Product("NL-200", "Street light", "Lamps", "piece", False, {"RUB": Decimal("18900"), "EUR": Decimal("205")}),
    Product("NL-210", "Hall light", "Lamps", "piece", False, {"RUB": Decimal("12400"), "EUR": Decimal("139.5")}),
    Product("NL-300", "Track cable", "Parts", "m", True, {"RUB": Decimal("240"), "EUR": Decimal("2.6")}),
    Product("NL-400", "Lighting design", "Services", "h", True, {"RUB": Decimal("3900"), "EUR": Decimal("95")}),
)


@dataclass(frozen=True)
class Deal:
    """One deal as the branch knows it; the branch's file spells it its own way."""

    number: str
    person: people.Person
    owner: str
    stage: str
    opened: date
    closed: date | None
    product: Product
    quantity: Decimal
    price: Decimal
    reason: str
    currency: str

    @property
    def amount(self) -> Decimal:
        """Quantity times price, exactly."""
        return self.quantity * self.price


def draw_deals(branch: str, persons: Sequence[people.Person], chance: random.Random) -> list[Deal]:
    """The branch's deals of the first quarter: ordinary ones, then the sets sold in March."""
    currency = CURRENCIES[branch]
    drawn = [
        draw_deal(f"{branch[0].upper()}-{at:03}", branch, persons, chance) for at in range(1, DEAL_COUNTS[branch] + 1)
    ]
    for at, quantity in enumerate(SETS[branch], DEAL_COUNTS[branch] + 1):
        opened = date(2026, 2, 2) + timedelta(days=chance.randrange(20))
        closed = date(2026, 3, 3) + timedelta(days=chance.randrange(25))
        drawn.append(
            Deal(
                f"{branch[0].upper()}-{at:03}", chance.choice(persons), chance.choice(OWNERS[branch]), "Won", opened,
                closed, PRODUCTS[0], Decimal(quantity), SET_PRICES[currency], "", currency,
            )
        )  # fmt: skip
    return drawn


def draw_deal(number: str, branch: str, persons: Sequence[people.Person], chance: random.Random) -> Deal:
    """One ordinary deal: any stage, any product but the sets."""
    stage = chance.choices(STAGES, STAGE_SHARES)[0]
    product = chance.choice(PRODUCTS[1:])
    quantity = Decimal(chance.randrange(20, 2_000)) / 4 if product.fraction else Decimal(chance.randrange(1, 60))
    opened = FIRST_DAY + timedelta(days=chance.randrange(DAYS - 25))
    closed = opened + timedelta(days=chance.randrange(3, 25)) if stage in ("Won", "Lost") else None
    reason = chance.choice(REASONS) if stage == "Lost" else ""
    currency = CURRENCIES[branch]
    owner = chance.choice(OWNERS[branch])
    price = product.prices[currency]
    return Deal(
        number, chance.choice(persons), owner, stage, opened, closed, product, quantity, price, reason, currency
    )
