"""Whose record it is: a cell may tell of its own records only, whatever the events it sends say.

Here is noted of which cell each record is that came from one. A record that was copied from this cell's own services,
or that another cell told of before, is not the cell's; its event is let go. Services whose consumers take events of
other cells have the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from chassis.bus.events import Envelope
from chassis.cells import CELL_HEADER
from chassis.copying import array_text, plain_array
from chassis.database import UnitOfWork
from chassis.prepared import Prepared

NOT_ITS_RECORD = ("CellFalse", "NOT_ITS_RECORD")
metadata = sa.MetaData()
cell_record = sa.Table(
    "cell_record",
    metadata,
    sa.Column("id", UUID(as_uuid=False), primary_key=True),
    sa.Column("cell", sa.Text, nullable=False),
)
_TOLD = "unnest(CAST(:ids AS uuid[]), CAST(:cells AS text[])) AS told(id, cell)"
_STRANGE = Prepared(
    sa.text(f"""
SELECT CAST(told.id AS text) AS id, told.cell FROM {_TOLD}
WHERE NOT EXISTS (SELECT FROM cell_record r WHERE r.id = told.id AND r.cell = told.cell)""")
)


def create_cell_tables(connection: sa.Connection) -> None:
    """Make the table where it is missing."""
    metadata.create_all(connection)


def find_strange(work: UnitOfWork, copies: Sequence[sa.Table], events: Sequence[Envelope]) -> set[str]:
    """The ids of those events that tell of a record which is not their cell's; others are noted as theirs.

    `copies` are the tables in which records of this cell's own services stand under their ids.
    """
    of_cells = [one for one in events if CELL_HEADER in one.headers and not one.flaw]
    if not of_cells:
        return set()
    told = list(dict.fromkeys((one.aggregate_id, one.headers[CELL_HEADER]) for one in of_cells))
    values = {"ids": plain_array(id_ for id_, _ in told), "cells": array_text([cell for _, cell in told])}
    work.run(_note(tuple(copies)), values)
    strange = {(row.id, row.cell) for row in work.fetch(_STRANGE, values)}
    return {one.event_id for one in of_cells if (one.aggregate_id, one.headers[CELL_HEADER]) in strange}


@lru_cache(maxsize=8)
def _note(copies: tuple[sa.Table, ...]) -> Prepared:
    known = [table for table in copies if "id" in table.c and table.c["id"].primary_key]
    unknown = [f'NOT EXISTS (SELECT FROM "{table.name}" t WHERE t.id = told.id)' for table in known]
    return Prepared(
        sa.text(f"""
INSERT INTO cell_record (id, cell) SELECT told.id, told.cell FROM {_TOLD}
WHERE {" AND ".join(("NOT EXISTS (SELECT FROM cell_record r WHERE r.id = told.id)", *unknown))}
ON CONFLICT DO NOTHING""")
    )
