"""Events at which a handler of a running platform really fails until it gives up, for tests of what people do then.

Reporting's table of persons refuses a name, as a fault of a release would; every try is a real one, only the hours
between the tries and all but the first and the last of them are left out.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from branchline.platform.folder import DataFolder
from chassis.bus.parking import RETRY_SECONDS
from chassis.testing.eventually import eventually
from tests.e2e.office import Office

PATIENCE = 60.0  # of a busy machine; a quiet one needs two
CHECK_VIOLATED = "23514"
_HURRY = """
UPDATE parked_event SET tries = %s, next_time = now() WHERE state = 'retry' AND error_code = %s AND tries = 1"""
_WAITING = "SELECT id FROM parked_event WHERE state = 'parked' AND aggregate_id = %s"
_STATES = "SELECT version, state FROM parked_event WHERE aggregate_id = %s ORDER BY version"
_NAME = "SELECT display_name FROM person WHERE id = %s"


@dataclass(frozen=True)
class Refusal:
    """Reporting refuses persons whose name begins with `name`, until it is mended."""

    office: Office
    folder: DataFolder
    name: str = field(default_factory=lambda: f"Refused {uuid.uuid4().hex[:6]}")

    def begin(self) -> None:
        """Refuse from now on."""
        check = sql.SQL("ALTER TABLE person ADD CONSTRAINT {} CHECK (NOT starts_with(display_name, {})) NOT VALID")
        self._run(check.format(sql.Identifier(self.name), sql.Literal(self.name)))

    def mend(self) -> None:
        """Take the name from now on."""
        self._run(sql.SQL("ALTER TABLE person DROP CONSTRAINT IF EXISTS {}").format(sql.Identifier(self.name)))

    def make_person(self, name: str = "") -> str:
        """Record somebody, by default under a refused name of their own."""
        body = {"display_name": name or f"{self.name} {uuid.uuid4().hex[:6]}", "unit_id": self.office.company}
        return str(self.office.rest.post("/persons", body, key=str(uuid.uuid4()))["person"]["id"])

    def park_person(self) -> tuple[str, int]:
        """Record somebody of that name and wait until reporting has given up: the person and the event's number."""
        person = self.make_person()
        return person, self.await_parked(person)

    def await_parked(self, person: str) -> int:
        """Wait until reporting has given up an event of a person; answers its number."""
        return int(eventually(lambda: self._hurry_up(person), within=PATIENCE, every=0.2))

    def rename(self, person: str, name: str) -> None:
        """Change a person's name; the event waits behind the one before."""
        etag = self.office.rest.get(f"/persons/{person}")["etag"]
        self.office.rest.call("PATCH", f"/persons/{person}", json={"display_name": name}, headers={"If-Match": etag})

    def reported_name(self, person: str) -> str:
        """What reporting calls a person; empty while it knows nobody."""
        found = self._ask(_NAME, person)
        return str(found[0][0]) if found else ""

    def states(self, person: str) -> list[tuple[int, str]]:
        """Version and state of each of a person's events that were put aside, in order."""
        return [(int(version), str(state)) for version, state in self._ask(_STATES, person)]

    def _hurry_up(self, person: str) -> int:
        self._ask(_HURRY, len(RETRY_SECONDS), CHECK_VIOLATED)
        found = self._ask(_WAITING, person)
        return int(found[0][0]) if found else 0

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.folder.server_url.format("reporting")) as connection:
            connection.execute(statement)

    def _ask(self, statement: str, *values: object) -> list[Any]:
        with psycopg.connect(self.folder.server_url.format("reporting")) as connection:
            found = connection.execute(statement, values)
            return found.fetchall() if found.description else []


@contextmanager
def refusing(office: Office, folder: DataFolder) -> Iterator[Refusal]:
    """A refusal for the time of a block."""
    refusal = Refusal(office, folder)
    refusal.begin()
    try:
        yield refusal
    finally:
        refusal.mend()
