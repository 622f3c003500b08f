"""Notes what callers read without making them wait: in memory at once, in the trail within a second.

A process that is killed loses what was read in its last second; one that ends keeps it.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis import clock
from chassis.access import Access
from chassis.audit.entries import FILE, MOST_REASON, REFUSED, SEARCH, Entry, entry_of, write_entries
from chassis.audit.values import OF_TEXTS, ensure_keys, mark_text
from chassis.database import Database, UnitOfWork
from chassis.ids import is_id

log = logging.getLogger(__name__)
FLUSH_SECONDS = 0.5
MOST_KEPT = 50_000  # entries, while the database is away; then the oldest go, and the log says how many
AT_ONCE = 2_000


@dataclass(frozen=True)
class Reading:
    """What a call lets its caller see: the action, the kind of records, and where they stand in the answer.

    `ids` is a path in the answer such as `person.id` or `hits.id`, `text` the field of the request that was searched
    for, and `said` one that the entry tells in its reason, such as the name of a report. A request in which the field
    `as_file` is set takes a file away.
    """

    action: str
    records: str
    ids: str = ""
    text: str = ""
    said: str = ""
    as_file: str = ""


class ReadingLog:
    """Collects entries of a database's readers and writes them in the background."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._kept: deque[tuple[Entry, str]] = deque()
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._lost = 0

    def note_read(self, reading: Reading, method: str, access: Access, request: Any, answer: Any) -> None:
        """Note what an answered call showed; what the platform reads for itself is not noted."""
        if not access.user_id:
            return
        text = getattr(request, reading.text) if reading.text else ""
        reason = getattr(request, reading.said)[:MOST_REASON] if reading.said else ""
        ids = ids_at(answer, reading.ids) if reading.ids else []
        more = {"record_ids": ids, "record_count": len(ids), "reason": reason.replace("\0", "")}
        action = SEARCH if text else reading.action
        if reading.as_file and getattr(request, reading.as_file):
            action = FILE
        self._add(entry_of(access, clock.now(), action, method, reading.records, **more), text)

    def note_refusal(self, method: str, access: Access, reason: str, metadata: dict[str, str]) -> None:
        """Note that a caller was not permitted something."""
        if access.user_id:
            asked = [one for one in (metadata.get("record", ""),) if is_id(one)]
            kind, path = metadata.get("records", ""), metadata.get("unit", "")
            more = {"record_ids": asked, "record_count": len(asked), "reason": reason, "unit_path": path}
            self._add(entry_of(access, clock.now(), REFUSED, method, kind, **more), "")

    def flush(self) -> None:
        """Write what is kept; without a database it stays kept."""
        with self._writing:
            while self._kept:
                taken = [self._kept.popleft() for _ in range(min(len(self._kept), AT_ONCE))]
                try:
                    with self.database.transaction() as work:
                        write_entries(work, _marked(work, taken))
                except sa.exc.SQLAlchemyError:
                    log.warning("audit: entries wait for the database", extra={"entries": len(taken)})
                    self._kept.extendleft(reversed(taken))
                    return

    def _add(self, entry: Entry, text: str) -> None:
        self._kept.append((entry, text))
        if len(self._kept) > MOST_KEPT:
            self._kept.popleft()
            self._lost += 1
            if self._lost % 1_000 == 1:
                log.error("audit: entries are lost while the database is away", extra={"entries": self._lost})
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
                self._thread.start()
                self.database.at_close.append(self._end)
                atexit.register(self.flush)

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            self.flush()

    def _end(self) -> None:
        """Write what is kept and let the thread end."""
        self._closing.set()
        atexit.unregister(self.flush)
        self.flush()


def ids_at(message: Any, path: str) -> list[str]:
    """The ids at a path of an answer, each once; a repeated field on the way is gone through."""
    found: list[Any] = [message]
    for name in path.split("."):
        found = [value for one in found for value in _values_of(one, name)]
    return [one for one in dict.fromkeys(found) if is_id(one)]


def _values_of(message: Any, name: str) -> Sequence[Any]:
    value = getattr(message, name)
    return [value] if isinstance(value, str) or hasattr(value, "DESCRIPTOR") else list(value)


def _marked(work: UnitOfWork, taken: Sequence[tuple[Entry, str]]) -> list[Entry]:
    """The entries, those of searches with the mark of what was searched for."""
    if not any(text for _, text in taken):
        return [entry for entry, _ in taken]
    key = ensure_keys(work, [OF_TEXTS])[OF_TEXTS]
    return [entry._replace(text_mark=mark_text(key, text)) if text else entry for entry, text in taken]
