"""What a worker does for its service's trail: takes changes over, seals, notes the head, looks for mass reading."""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from chassis import clock
from chassis.audit.alarms import AT_ONCE, BY_THE_DAY, Look, notice_mass_reading
from chassis.audit.changes import take_changes
from chassis.audit.sealing import Head, Sealer, read_head
from chassis.database import Database
from chassis.prepared import Prepared
from chassis.settings import load_settings

log = logging.getLogger(__name__)
AUDIT_SECONDS = 1.0
NOTE_SECONDS = 3_600.0
LOOK_SECONDS = {AT_ONCE: 15.0, BY_THE_DAY: 600.0}
# Whether the log went on since changes were taken from it, and whether entries were added since all had their seals.
_WAITS = Prepared(
    sa.text("""
SELECT relay_state.last_position > audit_state.position AS changes,
       (SELECT last_value FROM audit_entry_id_seq WHERE is_called) > audit_state.sealed_to AS entries
FROM audit_state, relay_state""")
)
_WAITS_WITHOUT_EVENTS = Prepared(
    sa.text("""
SELECT false AS changes,
       (SELECT last_value FROM audit_entry_id_seq WHERE is_called) > audit_state.sealed_to AS entries
FROM audit_state""")
)


@dataclass(frozen=True)
class AuditSettings:
    """`audit_heads`: a file, best on another machine, to which the head of each chain is added every hour."""

    audit_heads: str = ""


@dataclass
class AuditKeeper:
    """Keeps the trail of one service's database; one without events has deeds only, no changes and no readings."""

    database: Database
    has_events: bool = True
    _sealer: Sealer = field(init=False)
    _noted_at: float = field(default=0.0, init=False)
    _looked_at: dict[Look, float] = field(default_factory=dict, init=False)
    _noted: Head = field(default=Head(0, ""), init=False)

    def __post_init__(self) -> None:
        self._sealer = Sealer(self.database)

    def keep(self) -> None:
        """One turn; where nothing was said or read since the last one, it is one question."""
        with self.database.reading() as work:
            [waits] = work.fetch(_WAITS if self.has_events else _WAITS_WITHOUT_EVENTS)
        if waits.changes:
            take_changes(self.database)
        if waits.changes or waits.entries:
            self._sealer.seal()
        if self.has_events:
            self._look_for_mass_reading()
        if self._noted_at == 0.0 or time.monotonic() - self._noted_at >= NOTE_SECONDS:
            self._note_head()

    def _look_for_mass_reading(self) -> None:
        for look, seconds in LOOK_SECONDS.items():
            if look not in self._looked_at or time.monotonic() - self._looked_at[look] >= seconds:
                self._looked_at[look] = time.monotonic()
                notice_mass_reading(self.database, look)

    def _note_head(self) -> None:
        """Say where the chain ends: in the log, which is collected elsewhere, and in the file where one is named."""
        with self.database.reading() as work:
            head = read_head(work)
        if not head.number:
            return  # looked for again soon: the first entries are noted at once
        self._noted_at = time.monotonic()
        if head == self._noted:
            return
        told = {"service": self.database.service, "number": head.number, "hash": head.hash}
        log.info("audit head", extra=told)
        file = load_settings(AuditSettings, f"{self.database.service.upper()}_").audit_heads
        if file:
            _add_line(Path(file), json.dumps({**told, "time": clock.now().isoformat()}))
        self._noted = head


def _add_line(file: Path, line: str) -> None:
    """Add a line in one write, so that several services may share a file; nobody else may read it."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)
