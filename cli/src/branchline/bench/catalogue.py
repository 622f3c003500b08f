"""Which benchmarks there are and what a figure is.

A module of this package is a benchmark when it has `BENCH: Bench`; its module name is the name on the command line with
`_` for `-`. Benchmarks reach the platform as users do, through REST or gRPC, never through a service's insides.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import branchline.bench

Say = Callable[[str], None]


@dataclass(frozen=True)
class Figure:
    """One measured figure in `unit`; `must` and `aim` bound it from below, or from above when `lower_is_better`.

    `limit` is what the machine itself can do at the same work, measured in the same run; absent where there is none.
    """

    name: str
    value: float
    unit: str
    must: float | None = None
    aim: float | None = None
    lower_is_better: bool = False
    limit: float | None = None

    def verdict(self) -> str:
        """aim, must, missed, or nothing where nothing is asked."""
        if self.aim is not None and self._reaches(self.aim):
            return "aim"
        if self.must is None:
            return ""
        return "must" if self._reaches(self.must) else "missed"

    def shown(self) -> str:
        """The figure with its unit, and its share of the limit."""
        text = _number(self.value, self.unit)
        return (
            text
            if self.limit is None
            else f"{text} ({self.value / self.limit:.0%} of {_number(self.limit, self.unit)})"
        )

    def must_text(self) -> str:
        """What it must reach."""
        return "" if self.must is None else _number(self.must, self.unit)

    def aim_text(self) -> str:
        """What is aimed at."""
        return "" if self.aim is None else _number(self.aim, self.unit)

    def as_data(self) -> dict[str, Any]:
        """All of it, for scripts."""
        return {**vars(self), "verdict": self.verdict()}

    def _reaches(self, bound: float) -> bool:
        return self.value <= bound if self.lower_is_better else self.value >= bound


@dataclass(frozen=True)
class Bench:
    """One benchmark: `question` in a sentence, `measure` runs it and tells its steps."""

    name: str
    question: str
    measure: Callable[[Say], Sequence[Figure]]


def list_benches() -> dict[str, Bench]:
    """Every benchmark by name."""
    modules = (
        import_module(f"branchline.bench.{found.name}") for found in pkgutil.iter_modules(branchline.bench.__path__)
    )
    benches = [module.BENCH for module in modules if hasattr(module, "BENCH")]
    return {one.name: one for one in sorted(benches, key=lambda one: one.name)}


def _number(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:,.2f} {unit}"
