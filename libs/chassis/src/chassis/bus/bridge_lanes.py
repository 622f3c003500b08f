"""How far a bridge has carried each service's events: a cursor a lane, moved only by the one bridge that leads.

The table is made by whoever comes first, in a database of the bridge's own. To lose it costs nothing but time: a lane
without a cursor tells everything once more, and inboxes know what they have handled.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from chassis.bus.relay import Fenced
from chassis.database import Database

metadata = sa.MetaData()
bridge_lane = sa.Table(
    "bridge_lane",
    metadata,
    sa.Column("direction", sa.Text, primary_key=True),
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Column("position", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("term", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("holder", sa.Text, nullable=False, server_default=""),
    sa.Column("carry_time", sa.TIMESTAMP(timezone=True)),
)
_MAKING = 0x6272696467656C  # one number for "making the table"
_ADD = sa.text("""
INSERT INTO bridge_lane (direction, service) SELECT :direction, unnest(CAST(:services AS text[]))
ON CONFLICT DO NOTHING""")
_LEADER = sa.text("SELECT pg_try_advisory_lock(hashtextextended('bridge ' || :direction, 0))")
_LEAD = sa.text("""
UPDATE bridge_lane SET term = term + 1, holder = :holder WHERE direction = :direction
RETURNING service, epoch, position, term""")
_TERMS = sa.text("SELECT service, term FROM bridge_lane WHERE direction = :direction")
_MOVE = sa.text("""
UPDATE bridge_lane SET epoch = :epoch, position = :position, carry_time = clock_timestamp()
WHERE direction = :direction AND service = :service AND term = :term RETURNING term""")


class Place(NamedTuple):
    """How far a lane was carried; epoch 0 is the beginning."""

    epoch: int
    position: int


class Cursors:
    """The cursors of one direction. `lead` first; `move` fails once another one leads. Errors also: DBAPIError."""

    def __init__(self, database: Database, direction: str, services: Sequence[str]) -> None:
        self._database, self.direction, self._services = database, direction, services
        self._connection: sa.Connection | None = None
        self._terms: dict[str, int] = {}

    def lead(self) -> dict[str, Place] | None:
        """Become the one that carries in this direction; answers the places, None while another one does."""
        make_lanes(self._database)
        connection = self._database.engine.connect()
        try:
            rows = self._take(connection)
        except sa.exc.DBAPIError:
            connection.invalidate()
            connection.close()
            raise
        if rows is None:
            connection.close()
            return None
        self._connection = connection
        self._terms = {row.service: row.term for row in rows}
        return {row.service: Place(row.epoch, row.position) for row in rows}

    def move(self, service: str, place: Place) -> None:
        """Note how far a lane was carried. Errors: Fenced."""
        if self._connection is None:
            raise Fenced(self.direction)
        told = {"direction": self.direction, "service": service, "term": self._terms[service], **place._asdict()}
        with self._connection.begin():
            if self._connection.execute(_MOVE, told).first() is None:
                raise Fenced(self.direction)

    def check(self) -> None:
        """Make sure that this one still leads, and that nobody has put a lane back. Errors: Fenced."""
        if self._connection is None:
            raise Fenced(self.direction)
        with self._connection.begin():
            terms = {row.service: row.term for row in self._connection.execute(_TERMS, {"direction": self.direction})}
        if terms != self._terms:
            raise Fenced(self.direction)

    def resign(self) -> None:
        """Let another one lead, by ending the session that holds the lock."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def _take(self, connection: sa.Connection) -> Sequence[sa.Row[Any]] | None:
        with connection.begin():
            if not connection.execute(_LEADER, {"direction": self.direction}).scalar():
                return None
            connection.execute(_ADD, {"direction": self.direction, "services": list(self._services)})
            holder = f"{socket.gethostname()}:{os.getpid()}"
            return connection.execute(_LEAD, {"direction": self.direction, "holder": holder}).all()


def make_lanes(database: Database) -> None:
    """Make the table where it is missing."""
    with database.engine.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:making)"), {"making": _MAKING})
        metadata.create_all(connection)


def list_lanes(database: Database) -> list[sa.Row[Any]]:
    """Every lane as it stands, with the number of its term and who carries it."""
    make_lanes(database)
    with database.engine.begin() as connection:
        order = (bridge_lane.c.direction, bridge_lane.c.service)
        return list(connection.execute(sa.select(bridge_lane).order_by(*order)))


def forget_places(database: Database, direction: str, services: Sequence[str]) -> list[str]:
    """Have lanes tell everything once more, whoever carries them now; answers their services."""
    make_lanes(database)
    lanes = bridge_lane.c.direction == direction
    if services:
        lanes &= bridge_lane.c.service.in_(services)
    with database.engine.begin() as connection:
        changed = sa.update(bridge_lane).where(lanes).values(epoch=0, position=0, term=bridge_lane.c.term + 1)
        return sorted(connection.execute(changed.returning(bridge_lane.c.service)).scalars())
