"""Rows of money: one a group and currency, totals by currency where there are several, and a last one over all.

Amounts of different currencies are never added; what is converted stands in a column of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from chassis.database import UnitOfWork
from reporting.exchange import Rates
from reporting.reports.answer import Cell, Row, figure
from reporting.reports.drilling import Drill, make_key
from reporting.reports.grouping import Groups, Sums, group_cells, names_for, total_cells
from reporting.reports.scope import Scope

# Groups None: a total; currency None: over all currencies; currency "": deals whose amount nobody knows.
Key = tuple[Groups | None, str | None]


@dataclass(frozen=True)
class MoneyRow:
    """The sums of one row. `currency` is None in a total of several currencies; `converted` None without a rate."""

    key: Key
    currency: str | None
    sums: Sums
    converted: Decimal | None

    def count(self, name: str) -> Cell:
        """The cell of a figure that is not money."""
        return figure(self.sums[name], drill=self.drill(name))

    def money(self, value: Decimal | None) -> Cell:
        """A cell in the row's own currency; empty where it has none or several."""
        return figure(value if self.currency else None, self.currency or "", self.drill("amount"))

    def drill(self, measure: str) -> str:
        """The key of a figure of this row."""
        return make_key(Drill(measure, *self.key))


def money_rows(
    work: UnitOfWork,
    scope: Scope,
    sums: Mapping[Key, Sums],
    rates: Rates,
    cells: Callable[[MoneyRow], list[Cell]],
    order: Callable[[Groups], Sequence[object]] | None = None,
) -> tuple[list[Row], list[Row]]:
    """The rows in the order of their names (or `order`), and the totals, with `cells` after those of the groups."""
    names = names_for(work, scope, (groups for groups, _ in sums if groups is not None))
    by_name = order or (lambda groups: names.order(scope.group_by, groups))
    keys = sorted(sums, key=lambda key: (by_name(key[0] or ()), key[1] or ""))
    rows = []
    for key in keys:
        groups = key[0] or ()
        each = MoneyRow(key, key[1], sums[key], _converted(rates, sums[key], key[1]))
        rows.append(Row((*group_cells(names, scope, groups), *cells(each)), groups))
    return rows, _totals(scope, sums, rates, cells)


def _totals(scope: Scope, sums: Mapping[Key, Sums], rates: Rates, cells: Callable[[MoneyRow], list[Cell]]) -> list[Row]:
    if not sums:
        return []
    by_currency: dict[str, Sums] = {}
    for (_, currency), each in sums.items():
        _add(by_currency.setdefault(currency or "", dict.fromkeys(each, Decimal(0))), each)
    found = [
        MoneyRow((None, currency), currency, each, _converted(rates, each, currency))
        for currency, each in sorted(by_currency.items())
    ]
    told = {currency for currency in by_currency if currency}
    every: Sums = dict.fromkeys(found[0].sums, Decimal(0))
    for row in found:
        _add(every, row.sums)
    known = [row.converted for row in found if row.converted is not None]
    last = MoneyRow(
        (None, None), told.pop() if len(told) == 1 else None, every, sum(known, Decimal(0)) if known else None
    )
    shown = [*found, last] if len(found) > 1 else [last]
    return [Row((*total_cells(scope, _label(row)), *cells(row))) for row in shown]


def _label(row: MoneyRow) -> str:
    currency = row.key[1]
    return "Total" if currency is None else f"Total {currency}" if currency else "Total without amount"


def _add(into: Sums, each: Sums) -> None:
    for name, value in each.items():
        into[name] += value


def _converted(rates: Rates, sums: Sums, currency: str | None) -> Decimal | None:
    return rates.convert(sums["amount"], currency) if currency else None
