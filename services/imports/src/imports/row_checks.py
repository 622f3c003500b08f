"""Checks over all staged rows at once, when the meaning of their texts is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from imports.findings import ERROR, Finding
from imports.references import CREATE, NONE
from imports.tables import run_reference, run_row

Meanings = Mapping[tuple[str, str], tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class PercentQuantity:
    """What a percent-typed cell of a quantity holds, and of which product; `cell` is its address."""

    product: str
    number: Decimal
    sheet: str
    row: int
    cell: str


def refused_values(choices: Iterable[Mapping[str, str]]) -> frozenset[tuple[str, str]]:
    """The (field, text) pairs whose rows a person chose to refuse."""
    return frozenset((one["field"], one["text"]) for one in choices if not one["meaning"])


def refuse_unmeant(database: Database, run_id: str) -> None:
    """Rows that refer to something unknown are not loaded; the finding says what to choose."""
    unknown = sa.and_(run_reference.c.run_id == run_id, run_reference.c.meaning == "", run_reference.c.text != "")
    with database.transaction() as work:
        for field in work.execute(sa.select(run_reference.c.field).where(unknown).distinct()).scalars().all():
            said = run_row.c.record[field].astext
            texts = sa.select(run_reference.c.text).where(unknown, run_reference.c.field == field)
            work.execute(
                sa.update(run_row)
                .where(run_row.c.run_id == run_id, run_row.c.reason == "", said.in_(texts))
                .values(reason=f"unknown_{field}", message=sa.literal(f"unknown {field} ") + said)
            )


def check_quantities(
    database: Database,
    run_id: str,
    meanings: Meanings,
    refused: frozenset[tuple[str, str]],
    percents: Sequence[PercentQuantity],
) -> list[Finding]:
    """A fraction of a product counted in whole units keeps the file out, or only its rows where that was chosen.

    `percents` keep the file out anyway; the fraction they hold is told as well.
    """
    whole = {
        text: details
        for (field, text), (id_, details) in meanings.items()
        if field == "product" and id_ not in ("", CREATE, NONE) and not details.get("fraction_allowed")
    }
    if not whole:
        return []
    question = sa.text(
        "SELECT place, sheet, row, record ->> 'product' AS product, record ->> 'quantity' AS quantity FROM run_row"
        " WHERE run_id = :run AND reason = '' AND record ->> 'product' = ANY(:whole)"
        " AND (record ->> 'quantity')::numeric % 1 <> 0 ORDER BY place"
    )
    marked = {"reason": "fraction_not_allowed", "message": "a fraction is not allowed for this product"}
    with database.transaction() as work:
        rows = work.execute(question, {"run": run_id, "whole": list(whole)}).all()
        same = sa.and_(run_row.c.run_id == run_id, run_row.c.place.in_([row.place for row in rows]))
        work.execute(sa.update(run_row).where(same).values(**marked))
    found = [_fraction(row, whole[row.product], ("quantity", row.quantity) in refused) for row in rows]
    broken = (one for one in percents if one.product in whole and one.number % 1)
    return found + [_percent_fraction(one, whole[one.product]) for one in broken]


def refuse_mixed_currencies(database: Database, run_id: str, own: str) -> list[Finding]:
    """Lines of one deal in several currencies have no sum: none of its rows is loaded. `own` is the branch's."""
    question = sa.text(
        "SELECT record_key, min(sheet) AS sheet, min(row) AS row,"
        " array_agg(DISTINCT coalesce(record ->> 'currency', :own)) AS currencies FROM run_row"
        " WHERE run_id = :run AND reason = '' GROUP BY record_key"
        " HAVING count(DISTINCT coalesce(record ->> 'currency', :own)) > 1 ORDER BY 3"
    )
    with database.transaction() as work:
        deals = work.execute(question, {"run": run_id, "own": own}).all()
        same = sa.and_(run_row.c.run_id == run_id, run_row.c.record_key.in_([one.record_key for one in deals]))
        if deals:
            marked = {"reason": "several_currencies", "message": "the rows of this deal are in several currencies"}
            work.execute(sa.update(run_row).where(same).values(**marked))
    return [
        Finding(
            "several_currencies",
            ERROR,
            f"the rows of one deal are in {' and '.join(one.currencies)}, so it has no sum; none of them is loaded",
            "give each deal one currency",
            one.sheet,
            row=one.row,
            column="currency",
            value=", ".join(one.currencies),
            row_only=True,
        )
        for one in deals
    ]


def _fraction(row: sa.Row[Any], product: Mapping[str, Any], chosen: bool) -> Finding:
    return Finding(
        "fraction_not_allowed",
        ERROR,
        _not_allowed(row.quantity, row.product, product),
        "correct the quantity, or choose to refuse the row",
        row.sheet,
        row=row.row,
        column="quantity",
        value=row.quantity,
        row_only=chosen,
    )


def _percent_fraction(one: PercentQuantity, product: Mapping[str, Any]) -> Finding:
    value = format(one.number.normalize(), "f")
    message = _not_allowed(value, one.product, product)
    way_out = "set the cells to the number format in the file and upload it again"
    return Finding(
        "fraction_not_allowed", ERROR, message, way_out, one.sheet, one.cell, one.row, "quantity", value, row_only=False
    )


def _not_allowed(quantity: str, text: str, product: Mapping[str, Any]) -> str:
    unit = f"unit {product['unit']!r} of " if product.get("unit") else ""
    return f"fraction {quantity} not allowed for {unit}{product.get('name') or text!r}, which is counted in whole units"


def require_fates(work: UnitOfWork, run_id: str) -> None:
    """Errors: AssertionError when a row has no expected fate: a loader dropped it, and the counts would not add up."""
    missing = sa.text(
        "SELECT count(*) FROM run_row r WHERE r.run_id = :run AND NOT EXISTS (SELECT 1 FROM run_fate f"
        " WHERE f.run_id = r.run_id AND f.phase = 'expected' AND f.place = r.place)"
    )
    found = work.execute(missing, {"run": run_id}).scalar_one()
    if found:
        raise AssertionError(f"{found} rows of run {run_id} have no fate")
