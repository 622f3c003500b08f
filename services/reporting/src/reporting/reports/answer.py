"""What a report answers, before any transport has touched it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from reporting.rules.figures import as_text


@dataclass(frozen=True)
class Column:
    """A column: machine name, title, and text, count, money, quantity, percent, days, per_hundred or date."""

    name: str
    title: str
    type: str = "text"


@dataclass(frozen=True)
class Cell:
    """A text or an exact figure as text. `drill` opens its records; empty when there are none."""

    value: str
    currency: str = ""
    drill: str = ""


@dataclass(frozen=True)
class Row:
    """One row: cells in column order, ids of its groups as asked for."""

    cells: tuple[Cell, ...]
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """What one branch has delivered for the period."""

    unit_id: str
    unit_name: str
    delivered: bool
    state: str
    run_id: str = ""


@dataclass
class Answer:
    """A report's columns, rows and totals, with the remarks a reader needs to trust them."""

    columns: list[Column]
    rows: list[Row] = field(default_factory=list)
    totals: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    delivery_summary: str = ""


def figure(value: Decimal | int | None, currency: str = "", drill: str = "") -> Cell:
    """A cell for a figure; without records behind it when there is none or it is 0."""
    return Cell(as_text(value), currency if value is not None else "", drill if value else "")


def named_few(names: Sequence[str], most: int = 12) -> str:
    """Names for a remark, the first few and how many more."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
