"""Which plan figures a plan total is made of, so that no part of the plan is counted twice.

A plan is for a unit and all below it, a person or everybody, a product or all, and a period. Two plans overlap when
some sale would count for both. Of overlapping plans one is taken: the one that says most plainly what is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from reporting.rules.periods import Span

ANY = "*"
Slot = tuple[int, str, str]


@dataclass(frozen=True)
class Plan:
    """One plan figure. Empty ids mean everybody and all; `apart` is its currency or unit of measure."""

    id: str
    unit_id: str
    unit_path: str
    user_id: str
    product_id: str
    first: date
    last: date
    value: Decimal
    apart: str

    @property
    def span(self) -> Span:
        """Its days."""
        return Span(self.first, self.last)


def overlap(one: Plan, other: Plan) -> bool:
    """Tell whether a sale could count for both plans."""
    return (
        one.span.meets(other.span)
        and (not one.user_id or not other.user_id or one.user_id == other.user_id)
        and (not one.product_id or not other.product_id or one.product_id == other.product_id)
        and _nested(one.unit_path, other.unit_path)
    )


def choose_plans(
    plans: Iterable[Plan], grouped_by: Sequence[str], has_group: Callable[[Plan], bool]
) -> tuple[list[Plan], list[Plan]]:
    """The plans a report is made of, and those left out because a chosen one already covers some of the same.

    Taken first are plans of exactly the groups asked for: of a person or product where grouped by these, for
    everybody and all products where not; of units at or below the level asked for (`has_group`), the higher unit before
    those below it; the longer period before the shorter. So the plan of a group's own unit is used where there is one,
    the sum of the units below where there is none, never both.
    """
    chosen: list[Plan] = []
    left_out: list[Plan] = []
    taken: dict[Slot, list[Plan]] = defaultdict(list)
    for plan in sorted(plans, key=lambda plan: _preference(plan, grouped_by, has_group)):
        if any(overlap(plan, other) for slot in _looked_at(plan) for other in taken.get(slot, ())):
            left_out.append(plan)
            continue
        chosen.append(plan)
        for slot in _filed_under(plan):
            taken[slot].append(plan)
    return chosen, left_out


def _preference(plan: Plan, grouped_by: Sequence[str], has_group: Callable[[Plan], bool]) -> tuple[object, ...]:
    return (
        bool(plan.user_id) is not ("person" in grouped_by),
        bool(plan.product_id) is not ("product" in grouped_by),
        not has_group(plan),
        plan.unit_path.count("."),
        -(plan.last - plan.first).days,
        plan.first,
        plan.id,
    )


def _nested(path: str, other: str) -> bool:
    return (path + ".").startswith(other + ".") or (other + ".").startswith(path + ".")


@lru_cache(maxsize=4_096)
def _months(first: date, last: date) -> tuple[int, ...]:
    """The months two days and all between lie in, counted from year 0; plans share few periods."""
    return tuple(range(first.year * 12 + first.month, last.year * 12 + last.month + 1))


def _filed_under(plan: Plan) -> Iterator[Slot]:
    """Where a taken plan is looked for: by month, person and product, and under all persons and all products."""
    for month in _months(plan.first, plan.last):
        for user_id in (plan.user_id, ANY):
            for product_id in (plan.product_id, ANY):
                yield month, user_id, product_id


def _looked_at(plan: Plan) -> Iterator[Slot]:
    """Slots that hold every taken plan this one could overlap."""
    for month in _months(plan.first, plan.last):
        for user_id in (plan.user_id, "") if plan.user_id else (ANY,):
            for product_id in (plan.product_id, "") if plan.product_id else (ANY,):
                yield month, user_id, product_id
