"""The table of the framework's traps names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "tests" / "contract" / "messaging" / "README.md"
FOLDERS = ("tests/contract", "libs/chassis/tests")


def test_every_trap_of_the_framework_has_its_test() -> None:
    named = re.findall(r"\| `(test_\w+)` \|$", TABLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    rows = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    there = {
        name
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("test_*.py")
        for name in re.findall(r"^ *def (test_\w+)\(", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert len(named) == len(rows) > 20
    assert set(named) <= there, set(named) - there
