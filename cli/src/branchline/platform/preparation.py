"""Whether a cluster has been prepared for this very code, so that a start need not do it again.

The mark lies inside the cluster's folder: another cluster put in its place has none. `branchline migrate` prepares
whatever it says.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from branchline.platform.folder import ROOT, DataFolder

MARK = "prepared"
SHARED = ("requirements.lock", "libs/chassis/src/chassis/schema.py", "libs/units/src/units/tables.py")


def fingerprint(bus: str, root: Path = ROOT) -> str:
    """What the preparation depends on: every migration, what they share, and the kind of bus."""
    digest = hashlib.sha256(bus.encode())
    shared = [
        root / "requirements.lock",
        root / "libs/chassis/src/chassis/schema.py",
        root / "libs/units/src/units/tables.py",
    ]
    for path in [*sorted(root.glob("services/*/migrations/**/*.py")), *shared]:
        digest.update(str(path.relative_to(root)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_prepared(folder: DataFolder, bus: str) -> bool:
    """Tell whether nothing of the preparation is missing."""
    mark = folder.postgres / MARK
    whole = folder.secrets.exists() and folder.credentials.exists() and mark.exists()
    return whole and mark.read_text(encoding="ascii") == fingerprint(bus)


def mark_prepared(folder: DataFolder, bus: str) -> None:
    """Remember that everything has been prepared."""
    (folder.postgres / MARK).write_text(fingerprint(bus), encoding="ascii")
