"""Starting and ending worker processes of the suite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Workers:
    """Worker processes over one database and one bus; `log` is what they said."""

    database_url: str
    bus_url: str
    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, step: str = "", queues: int = 1) -> subprocess.Popen[bytes]:
        """Start one that dies after `step` where one is named; its consumer has so many queues."""
        command = [sys.executable, "-m", "tests.contract.messaging.worker_process"]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*command, self.database_url, self.bus_url, str(self.folder), *([step] if step else [])],
                cwd=ROOT,
                env={**os.environ, "PROBE_QUEUES": str(queues)},
                stdout=log,
                stderr=log,
            )
        self.running.append(process)
        return process

    def health(self) -> str:
        """What the last one says of itself; empty before it said anything."""
        file = self.folder / "health"
        return str(json.loads(file.read_text())["state"]) if file.exists() else ""

    def log(self) -> str:
        """All that was said so far."""
        return (self.folder / "log").read_text()

    def end(self) -> None:
        """End what still runs."""
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()
