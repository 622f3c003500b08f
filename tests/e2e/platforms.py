"""What the tests of a whole platform share: commands run as users run them, in a data folder of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON document it printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class CommandLine:
    """The command line over one data folder."""

    data: Path

    def run(self, *words: str, timeout: float = 300, environment: Mapping[str, str] | None = None) -> Ended:
        """Run one command to its end; `environment` adds to that of the user."""
        ended = subprocess.run(
            [sys.executable, "-m", "branchline", *words], env={**self.environment, **(environment or {})}, cwd=ROOT,
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def popen(self, *words: str) -> subprocess.Popen[bytes]:
        """Begin one command that goes on."""
        command = [sys.executable, "-m", "branchline", *words]
        return subprocess.Popen(
            command, env=self.environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def json(self, *words: str) -> Any:
        """Run one command that must do well, and answer what it printed."""
        ended = self.run(*words, "--json")
        assert ended.status == 0, ended.out + ended.err
        return ended.data

    def start(self) -> Any:
        """Start the platform in the background."""
        return self.json("up", "--detach")

    def processes(self) -> dict[str, dict[str, Any]]:
        """The platform's processes by name."""
        ended = self.run("status", "--json")
        return {one["name"]: one for one in ended.data.get("processes", [])}

    def logs(self) -> str:
        """The end of every log, for a message when something fails."""
        return "\n".join(f"{log.name}: {log.read_text()[-600:]}" for log in sorted((self.data / "logs").glob("*.log")))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a user who works in this folder."""
        mine = {key: value for key, value in os.environ.items() if not key.startswith("BRANCHLINE_")}
        return {**mine, "BRANCHLINE_DATA": str(self.data)}
