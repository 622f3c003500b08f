"""The data folder of one embedded platform: what lies where, and which folder a command means.

Files with secrets are readable by their owner only. Nothing here starts or stops anything.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[4]
DEFAULT = ROOT / ".branchline"
DEMO = DEFAULT / "demo"
VARIABLE = "BRANCHLINE_DATA"
DEFAULT_COMPANY = {
    "company": "Company", "code": "hq", "country_code": "US", "currency_code": "USD", "time_zone": "UTC",
}  # fmt: skip


@dataclass(frozen=True)
class DataFolder:
    """One folder with everything a platform keeps: cluster, secrets, logs, state."""

    path: Path

    @property
    def postgres(self) -> Path:
        """The PostgreSQL cluster's folder."""
        return self.path / "postgres"

    @property
    def server_url(self) -> str:
        """Where the running cluster answers, a URL with `{}` in the place of the database."""
        port, password = ((self.postgres / part).read_text(encoding="ascii").strip() for part in ("port", "password"))
        return f"postgresql://postgres:{password}@127.0.0.1:{port}/{{}}"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.path / "logs"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it lives; names its process."""
        return self.path / "supervisor.lock"

    @property
    def state(self) -> Path:
        """What the supervisor last said of its processes."""
        return self.path / "state.json"

    @property
    def secrets(self) -> Path:
        """Keys and secrets made once."""
        return self.path / "secrets.json"

    @property
    def credentials(self) -> Path:
        """Where the platform answers and how its administrator signs in."""
        return self.path / "credentials.json"

    @property
    def audit_heads(self) -> Path:
        """Where the ends of the audit chains are noted; a copy belongs on another machine."""
        return self.path / "audit-heads.jsonl"

    @property
    def company(self) -> Path:
        """What the company was asked to be at the first start."""
        return self.path / "company.json"

    @property
    def ports(self) -> Path:
        """The ports this folder's platform listens on, kept from start to start."""
        return self.path / "ports.json"

    def make(self) -> None:
        """Make the folder and the one for logs."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file; empty when there is no file or it is not whole."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Replace a file in one step; readable by its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def remember_company(folder: DataFolder, company: dict[str, str]) -> None:
    """Keep what the company is to be made as; only the first time counts."""
    if not folder.company.exists():
        write_json(folder.company, {**DEFAULT_COMPANY, **company})


def is_named(given: Path | None) -> bool:
    """Tell whether a folder is named on the command line or in the environment."""
    return bool(given or os.environ.get(VARIABLE))


def choose_folder(given: Path | None) -> DataFolder:
    """The folder a command means.

    `given`, else BRANCHLINE_DATA, else the one of the checkout whose platform runs (also the demo's), else the default.
    """
    named = given or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named:
        return DataFolder(named.expanduser().resolve())
    from branchline.platform.claim import find_holder

    for path in (DEFAULT, DEMO):
        if find_holder(DataFolder(path)):
            return DataFolder(path)
    return DataFolder(DEFAULT)
