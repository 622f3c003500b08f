"""How far the read models are, how many records they hold, and their digest, the same for the same events."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.copies import count_rows, digest_of
from chassis.database import UnitOfWork
from chassis.schema import consumer_mark
from reporting.settings import CONSUMER
from reporting.tables import READ_MODELS, ROLLUPS
from units.tables import unit

TABLES = (unit, *READ_MODELS, *ROLLUPS)


def read_positions(work: UnitOfWork) -> dict[str, int]:
    """The newest position handled, by source."""
    mark = consumer_mark.c
    found = work.execute(
        sa.select(mark.source, sa.func.max(mark.position).label("position"))
        .where(mark.consumer == CONSUMER)
        .group_by(mark.source)
    )
    return {row.source: row.position for row in found}


def count_records(work: UnitOfWork) -> dict[str, int]:
    """How many rows each read model has, in one statement."""
    return count_rows(work, (unit, *READ_MODELS))


def digest(work: UnitOfWork) -> str:
    """SHA-256 over all read models and rollups, hexadecimal; exchange rates are no part of it: no event brings them."""
    return digest_of(work, TABLES)
