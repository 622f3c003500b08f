"""The list of reasons for which deals are lost, and which of them a written text means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import CONFIGURE
from chassis.database import UnitOfWork
from deals.errors import NameTaken
from deals.rules import check_name
from deals.tables import loss_reason
from units.records import CATALOGUE
from values.names import fold_name

MAX_NAME = 100


@dataclass(frozen=True)
class LossReasons:
    """The list in its order; `by_key` gives the name that a folded name or alias means."""

    names: tuple[str, ...]
    by_key: dict[str, str]

    def find(self, written: str) -> str:
        """The name meant, empty when unknown."""
        return self.by_key.get(fold_name(written), "") if written else ""


def read_loss_reasons(work: UnitOfWork) -> LossReasons:
    """The list of loss reasons."""
    rows = work.execute(
        sa.select(loss_reason.c.name, loss_reason.c.name_key, loss_reason.c.aliases).order_by(loss_reason.c.position)
    ).all()
    aliases = {fold_name(alias): row.name for row in rows for alias in row.aliases}
    return LossReasons(tuple(row.name for row in rows), aliases | {row.name_key: row.name for row in rows})


def add_loss_reason(work: UnitOfWork, name: str) -> str:
    """Put a reason at the end of the list and return its name. Errors: NotPermitted, FieldInvalid, NameTaken."""
    work.access.require_everywhere(CONFIGURE, CATALOGUE)
    named = check_name("name", name, MAX_NAME)
    if read_loss_reasons(work).find(named):
        raise NameTaken("loss reason", named)
    last = sa.select(sa.func.coalesce(sa.func.max(loss_reason.c.position), 0)).scalar_subquery()
    values = {"name": named, "name_key": fold_name(named), "aliases": [], "position": last + 1}
    if work.execute(insert(loss_reason).values(values).on_conflict_do_nothing()).rowcount == 0:
        raise NameTaken("loss reason", named)
    return named


def store_loss_reasons(connection: sa.Connection, reasons: Iterable[tuple[str, tuple[str, ...]]]) -> None:
    """Insert the list a new database begins with."""
    rows = [
        {"name": name, "name_key": fold_name(name), "aliases": list(aliases), "position": position}
        for position, (name, aliases) in enumerate(reasons, 1)
    ]
    connection.execute(sa.insert(loss_reason), rows)
