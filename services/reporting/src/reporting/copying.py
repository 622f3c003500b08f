"""The parts of a read model's rows that events bring as text or as lists: days, decimal numbers, child rows.

How the rows themselves are replaced by newer ones is the chassis' projection.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.database import UnitOfWork


def replace_children(
    work: UnitOfWork, table: sa.Table, parent: str, replaced: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Give written aggregates their child rows: those of the replaced ones go first. Rows are in column order."""
    if replaced:
        work.execute(sa.delete(table).where(table.c[parent] == any_of(replaced)))
    work.copy_rows(table, table.c.keys(), rows)


def day_of(text: str) -> date | None:
    """An ISO 8601 day of an event, None where it is empty."""
    return date.fromisoformat(text) if text else None


def number_of(text: str) -> Decimal | None:
    """A decimal text of an event, None where it is empty."""
    return Decimal(text) if text else None


def any_of(ids: Iterable[str]) -> sa.ColumnElement[Any]:
    """The right side of `column = ANY (ids)`: one parameter however many there are."""
    return sa.func.any(sa.cast(sa.literal("{" + ",".join(ids) + "}", sa.Text()), ARRAY(UUID(as_uuid=False))))
