"""People who write through REST while a platform changes under them, and what each was told: a client-side history."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from branchline.exits import Failure
from branchline.rest import Rest
from tests.compose.platforms import Composed
from tests.faults.checkers import Fact

PATIENCE = 300.0  # seconds until a write that has got no answer counts as refused; a quiet machine needs ten
PAUSE = 0.2
THINK = 0.3  # seconds between two customers, so that the machine has time for what is tried
SOURCES = {"persons": "contacts", "deals": "deals", "activities": "scheduling"}  # what is written, and whose it is


@dataclass
class History:
    """What was acknowledged, by kind of record; what was refused for good; how often the server said that it failed."""

    acknowledged: dict[str, list[Fact]] = field(default_factory=lambda: {kind: [] for kind in SOURCES})
    refused: list[str] = field(default_factory=list)
    failures: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0

    def count(self) -> int:
        """How many writes were acknowledged."""
        return sum(map(len, self.acknowledged.values()))


class Writers:
    """Some people, each with a thread and records of their own, who write until they are told to stop."""

    def __init__(self, platform: Composed, people: int) -> None:
        self.history = History()
        self._stopping, self._platform = threading.Event(), platform
        self._threads = [threading.Thread(target=self._work, name=f"writer {one}") for one in range(people)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with self._platform.rest(PATIENCE) as rest:
            unit = rest.get("/units")["units"][0]["id"]
            stage = rest.get("/pipelines")["pipelines"][0]["stages"][0]["id"]
            while not self._stopping.is_set():
                self._write_one_of_each(rest, unit, stage)
                self._stopping.wait(THINK)

    def _write_one_of_each(self, rest: Rest, unit: str, stage: str) -> None:
        """A person who is renamed, with a deal and a call to make; each waits for the answer to the one before."""
        name = f"Person {uuid.uuid4().hex[:8]}"
        person = self._write("persons", rest, "POST", "/persons", {"display_name": name, "unit_id": unit})
        if not person:
            return
        about = {"person_id": person["id"], "unit_id": unit}
        self._write("deals", rest, "POST", "/deals", {**about, "title": name, "stage_id": stage})
        self._write("activities", rest, "POST", "/activities", {**about, "kind": "call", "subject": name})
        path, changed = f"/persons/{person['id']}", {"display_name": f"{name}, changed"}
        self._write("persons", rest, "PATCH", path, changed, {"If-Match": f'"{person["etag"]}"'})

    def _write(
        self, kind: str, rest: Rest, method: str, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Write until it is answered, always by the same key; the record, or nothing where it was refused."""
        told = {**(headers or {}), "Idempotency-Key": str(uuid.uuid4())}
        begun = time.monotonic()
        try:
            made = self._persist(lambda: rest.call(method, path, patient=True, json=body, headers=told).json())
        except Failure as refusal:
            self.history.refused.append(f"{method} {path}: {refusal}")
            return {}
        self.history.slowest = max(self.history.slowest, time.monotonic() - begun)
        record: dict[str, Any] = made.get("person", made)
        self.history.acknowledged[kind].append((str(record["id"]), int(record["etag"])))
        return record

    def _persist(self, call: Callable[[], Any]) -> Any:
        """Call again while the server says that it failed. Errors: Failure."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return call()
            except Failure as trouble:
                status = int(trouble.details.get("http_status", 0))
                if status < 500 or time.monotonic() > end:
                    raise
                self.history.failures[status] += 1
                time.sleep(PAUSE)
