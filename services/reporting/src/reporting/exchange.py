"""Exchange rates into the currency a report is read in: dated, with their source, never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from chassis.access import CONFIGURE
from chassis.database import UnitOfWork
from chassis.dates import from_date, to_date
from crm.reporting.v1 import reporting_pb2 as pb
from reporting.errors import invalid
from reporting.rules.figures import EXACT, as_text
from reporting.tables import exchange_rate
from units.records import CATALOGUE

MAX_SOURCE = 200
MAX_DIGITS = 12  # before and after the point, as numeric(24,12) keeps them
_CURRENCY = re.compile("[A-Z]{3}")
_RATE = re.compile(rf"[0-9]{{1,{MAX_DIGITS}}}(?:\.[0-9]{{1,{MAX_DIGITS}}})?")


@dataclass
class Rates:
    """The rates in force on a day; remembers which were used and which were missing, for the report's remarks."""

    into: str
    rates: dict[str, sa.Row[Any]]
    used: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)

    def convert(self, amount: Decimal, currency: str) -> Decimal | None:
        """The amount in the report's currency, exactly; None where no rate says so."""
        if currency == self.into:
            return amount
        if currency not in self.rates:
            self.missing.add(currency)
            return None
        self.used.add(currency)
        return EXACT.multiply(amount, self.rates[currency].rate)

    def converted(self, amount: Decimal, currency: str) -> tuple[Decimal | None, str]:
        """The converted amount and its currency."""
        return self.convert(amount, currency), self.into

    def best(self, amount: Decimal, currency: str) -> tuple[Decimal, str]:
        """The converted amount where a rate says so, else the amount as it is; with its currency."""
        found = self.convert(amount, currency)
        return (amount, currency) if found is None else (found, self.into or currency)

    def notes(self) -> list[str]:
        """What a reader must know of the conversion."""
        used = [self.rates[one] for one in sorted(self.used)]
        notes = [
            f"1 {one.from_currency} = {as_text(one.rate)} {self.into}, rate of {one.start_date}"
            + (f" ({one.source})" if one.source else "")
            for one in used
        ]
        if self.missing and self.into:
            notes.append(
                f"No exchange rate into {self.into} is known for {', '.join(sorted(self.missing))}: "
                "these amounts stand apart and are not in the converted totals."
            )
        return notes


def read_rates(work: UnitOfWork, into: str, day: date | None) -> Rates:
    """The rates into a currency in force on a day, the newest ones where the day is open."""
    rate = exchange_rate.c
    statement = sa.select(exchange_rate).ext(distinct_on(rate.from_currency)).where(rate.to_currency == into)
    if day is not None:
        statement = statement.where(rate.start_date <= day)
    found = work.execute(statement.order_by(rate.from_currency, rate.start_date.desc()))
    return Rates(into, {row.from_currency: row for row in found})


def set_exchange_rate(work: UnitOfWork, given: pb.ExchangeRate) -> sa.Row[Any]:
    """Store a rate from a day on; the same day and currencies replace it. Errors: FieldInvalid, NotPermitted."""
    work.access.require_everywhere(CONFIGURE, CATALOGUE)
    start = from_date(given.start_date, "rate.start_date")
    if start is None:
        raise invalid("rate.start_date", "is missing; give the first day the rate holds")
    values = {
        "from_currency": _currency(given.from_currency, "rate.from_currency"),
        "to_currency": _currency(given.to_currency, "rate.to_currency"),
        "start_date": start,
        "rate": _rate(given.rate),
        "source": _source(given.source),
    }
    if values["from_currency"] == values["to_currency"]:
        raise invalid("rate.to_currency", "is the currency itself; a rate needs two")
    statement = insert(exchange_rate).values(values)
    changed = {name: statement.excluded[name] for name in ("rate", "source")}
    key = ["from_currency", "to_currency", "start_date"]
    return work.execute(
        statement.on_conflict_do_update(index_elements=key, set_=changed).returning(exchange_rate)
    ).one()


def list_exchange_rates(work: UnitOfWork, size: int, after: Sequence[Any] | None) -> Sequence[sa.Row[Any]]:
    """Rates youngest first: one more than `size` where there are more; `after` is day and currencies of the last"""
    rate = exchange_rate.c
    statement = sa.select(exchange_rate).order_by(rate.start_date.desc(), rate.from_currency, rate.to_currency)
    if after is not None:
        day, *pair = after
        later = sa.tuple_(rate.from_currency, rate.to_currency) > sa.tuple_(*(sa.literal(one) for one in pair))
        statement = statement.where(sa.or_(rate.start_date < day, sa.and_(rate.start_date == day, later)))
    return work.execute(statement.limit(size + 1)).all()


def rate_message(row: sa.Row[Any]) -> pb.ExchangeRate:
    """The message of a stored rate."""
    return pb.ExchangeRate(
        from_currency=row.from_currency,
        to_currency=row.to_currency,
        rate=as_text(row.rate),
        start_date=to_date(row.start_date),
        source=row.source,
    )


def _currency(code: str, field_name: str) -> str:
    if not _CURRENCY.fullmatch(code):
        raise invalid(field_name, f"is {code[:20]!r}; use ISO 4217, such as EUR")
    return code


def _rate(text: str) -> Decimal:
    if not _RATE.fullmatch(text) or not Decimal(text):
        raise invalid("rate.rate", f"is {text[:40]!r}; use a decimal above 0 with at most {MAX_DIGITS} places")
    return Decimal(text)


def _source(text: str) -> str:
    if len(text) > MAX_SOURCE:
        raise invalid("rate.source", f"is longer than {MAX_SOURCE} characters; shorten it")
    if "\0" in text:
        raise invalid("rate.source", "holds a NUL character, which cannot be stored; remove it")
    return text
