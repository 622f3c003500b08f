"""People at work while things break: persons made and changed over REST at a steady pace, as clients make their calls.

A call that was not answered is made again with the same key, or the same version, until it is answered or three minutes
have passed. A person is changed by one writer only, so what it finds after an unanswered change tells whether that was
made.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from branchline.exits import Exit, Failure
from branchline.rest import Rest
from tests.faults.checkers import Fact
from tests.faults.history import DONE, GIVEN_UP, STARTED, TROUBLE, History

WRITES_A_SECOND = 40.0
WRITERS = 6
CHANGED = 0.6  # of the writes; the rest make somebody
HOT = 20  # persons of a writer that are changed again and again
PATIENCE_SECONDS = 180.0  # of a busy machine; on a quiet one nobody waits longer than ten
PAUSE_SECONDS = 0.1
_operations = itertools.count(1)


class _Writer:
    """One user's hands."""

    def __init__(self, rest: Rest, unit: str, history: History, seed: int) -> None:
        self.rest, self.unit, self.history = rest, unit, history
        self.dice = random.Random(seed)
        self.versions: dict[str, int] = {}

    def write(self) -> None:
        """Make or change a person."""
        number = next(_operations)
        known = list(self.versions)[-HOT:]
        change = bool(known) and self.dice.random() < CHANGED
        person = self.dice.choice(known) if change else ""
        self.history.note(number, STARTED)
        end = time.monotonic() + PATIENCE_SECONDS
        key = str(uuid.uuid4())
        while True:
            try:
                fact = self._change(person, number) if change else self._make(key, number)
            except Failure as trouble:
                if trouble.status != Exit.UNREACHABLE or time.monotonic() > end:
                    self.history.note(number, GIVEN_UP, what=trouble.reason)
                    return
                self.history.note(number, TROUBLE, what=trouble.reason)
                time.sleep(PAUSE_SECONDS)
            else:
                self.versions[fact[0]] = fact[1]
                self.history.note(number, DONE, fact)
                return

    def _make(self, key: str, number: int) -> Fact:
        body = {"display_name": f"Person {number}", "unit_id": self.unit}
        answer = self.rest.call("POST", "/persons", json=body, headers={"Idempotency-Key": key}).json()["person"]
        return str(answer["id"]), int(answer["etag"])

    def _change(self, person: str, number: int) -> Fact:
        version, name = self.versions[person], f"Person {number}"
        try:
            answer = self.rest.call(
                "PATCH", f"/persons/{person}", json={"display_name": name}, headers={"If-Match": f'"{version}"'}
            ).json()
        except Failure as trouble:
            if trouble.details.get("http_status") != 412:
                raise
            answer = self.rest.call("GET", f"/persons/{person}").json()
            if answer["display_name"] != name:
                raise
        return person, int(answer["etag"])


@contextmanager
def people_at_work(
    rest: Rest, unit: str, history: History, rate: float = WRITES_A_SECOND, writers: int = WRITERS
) -> Iterator[None]:
    """Write at `rate` writes a second for the time of the block; every write is answered or given up at its end."""
    stop = threading.Event()
    began = time.monotonic()

    def keep_pace(place: int) -> None:
        writer = _Writer(rest, unit, history, place)
        for turn in itertools.count(place, writers):
            if stop.wait(max(0.0, began + turn / rate - time.monotonic())):
                return
            writer.write()

    with ThreadPoolExecutor(writers) as pool:
        running = [pool.submit(keep_pace, place) for place in range(writers)]
        try:
            yield
        finally:
            stop.set()
            for one in running:
                one.result()


@contextmanager
def meanwhile(act: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something beside the block until its event is set; what it raises is raised here."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(act, stop)
        try:
            yield
        finally:
            stop.set()
            running.result()
