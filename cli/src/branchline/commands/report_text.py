"""How a report reads on a screen: figures rounded for the eye by the rules of each column's type."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from branchline.screen import table

PLACES = {"money": 2, "percent": 1, "per_hundred": 1, "days": 1, "count": 0}
FIGURES = frozenset({*PLACES, "quantity"})


def report_text(answer: dict[str, Any]) -> str:
    """The table with its totals, then who has delivered and the remarks."""
    columns = answer["columns"]
    rows = [
        [cell_text(cell, column["type"]) for cell, column in zip(row["cells"], columns, strict=True)]
        for row in answer["rows"]
    ]
    totals = [
        [cell_text(cell, column["type"]) for cell, column in zip(row["cells"], columns, strict=True)]
        for row in answer.get("totals") or []
    ]
    if totals == rows:
        totals = []  # a report without groups is its own total
    for total in totals:
        total[0] = total[0] or "total"
    figures = [place for place, column in enumerate(columns) if column["type"] in FIGURES]
    parts = [table([column["title"] for column in columns], [*rows, *totals], figures)]
    if not rows:
        parts.append("no records in this period")
    parts += [text for text in (answer.get("delivery_summary"), *_missing(answer)) if text]
    parts += [f"note: {note}" for note in answer.get("notes") or []]
    return "\n".join(parts)


def catalogue_text(answer: dict[str, Any]) -> str:
    """The reports there are."""
    rows = [[one["name"], one["description"], ", ".join(one.get("group_by") or [])] for one in answer["reports"]]
    return table(["report", "answers", "groups"], rows)


def cell_text(cell: dict[str, Any], kind: str) -> str:
    """One cell: figures with thousands parted and the places of their type, half rounded up; text as it is."""
    value = str(cell.get("value") or "")
    if kind not in FIGURES or not value:
        return value
    try:
        figure = Decimal(value)
    except InvalidOperation:
        return value
    if kind in PLACES:
        figure = figure.quantize(Decimal(1).scaleb(-PLACES[kind]), ROUND_HALF_UP)
        shown = f"{figure:,f}"
    else:
        shown = f"{figure.normalize():,f}"
    unit = {"percent": " %", "money": f" {cell.get('currency_code') or ''}".rstrip()}.get(kind, "")
    return shown + unit


def _missing(answer: dict[str, Any]) -> list[str]:
    late = [one for one in answer.get("deliveries") or [] if not one["delivered"]]
    return [f"missing: {one['unit_name']} ({one['state']})" for one in late]
