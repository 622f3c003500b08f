"""How the read models are thrown away before all events are told anew."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.copies import Copies
from chassis.database import UnitOfWork
from reporting.freshness import TABLES


def forget_everything(work: UnitOfWork) -> None:
    """Empty every read model. Exchange rates stay: no event would bring them back.

    Sums are kept by what each state adds to them, so they can only be made from nothing, never in place.
    """
    names = ", ".join(f'"{table.name}"' for table in TABLES)
    work.execute(sa.text(f"TRUNCATE {names}"))


READ_MODEL_COPIES = Copies(TABLES, forget_everything)
