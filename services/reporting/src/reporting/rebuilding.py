"""Throws the read models away and fills them again from the events, from the first one on."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.schema import consumer_mark, inbox, parked_event
from reporting.settings import CONSUMER
from reporting.tables import READ_MODELS, ROLLUPS
from units.tables import unit


def forget_everything(work: UnitOfWork) -> None:
    """Empty every read model and forget which events were handled. Exchange rates stay: no event would bring them back.

    What comes after is a replay of all sources to this consumer; the digest is then what it was.
    """
    names = ", ".join(f'"{table.name}"' for table in (unit, *READ_MODELS, *ROLLUPS))
    work.execute(sa.text(f"TRUNCATE {names}"))
    for table in (inbox, parked_event, consumer_mark):
        work.execute(sa.delete(table).where(table.c.consumer == CONSUMER))
