"""Runs the repository's tests by tier, and knows which parts of them a machine can run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from branchline.exits import Exit, Failure
from branchline.platform.folder import ROOT

# Where each tier's tests are, as the repository's conftest.py marks them: only these are collected.
TIERS = {
    "unit": ("libs", "tools"),
    "service": ("services", "cli"),
    "contract": ("tests/contract",),
    "integration": ("tests/integration",),
    "e2e": ("tests/e2e",),
    "faults": ("tests/faults",),
    "load": ("tests/load",),
}
NOT_BY_DEFAULT = "load"  # figures are taken by `branchline bench`
ENGINE_SECONDS = 20.0


@dataclass(frozen=True)
class Part:
    """Something a machine may lack: `tests` says what is not run then, `why` how it was found out."""

    name: str
    there: bool
    why: str
    tests: str


def list_parts() -> list[Part]:
    """What the tests need beside the checkout, and whether it is here."""
    return [_engine(), _shared_data()]


def run_tests(words: Sequence[str], capture: bool = False) -> int:
    """Run tiers (all but figures without one); other words are pytest's. Errors: Failure where tests cannot run."""
    if importlib.util.find_spec("pytest") is None:
        raise Failure(
            "the test tools are not installed; remove .venv and run ./branchline again", reason="NO_TEST_TOOLS"
        )
    tiers = [word for word in words if word in TIERS]
    rest = [word for word in words if word not in TIERS]
    strange = [word for word in rest if not word.startswith("-") and not (ROOT / word.split("::")[0]).exists()]
    if strange and rest[0] == strange[0]:
        raise Failure(f"no tier or file {strange[0]!r}; tiers: {', '.join(TIERS)}", Exit.USAGE, "TIER_UNKNOWN")
    wanted = " or ".join(tiers) if tiers else f"not {NOT_BY_DEFAULT}"
    named = any((ROOT / word.split("::")[0]).exists() for word in rest)
    folders = [] if named else [name for tier in tiers for name in TIERS[tier] if (ROOT / name).is_dir()]
    command = [sys.executable, "-m", "pytest", "-m", wanted, *rest, *folders]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL if capture else None).returncode


def _engine() -> Part:
    tests = "everything on RabbitMQ"
    if shutil.which("docker") is None:
        return Part("RabbitMQ in Docker", False, "there is no docker command", tests)
    try:
        answered = subprocess.run(["docker", "info"], capture_output=True, timeout=ENGINE_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        answered = False
    why = "the engine answers" if answered else "docker is here, its engine does not answer"
    return Part("RabbitMQ in Docker", answered, why, tests)


def _shared_data() -> Part:
    folder = os.environ.get("BRANCHLINE_SHARED") or str(ROOT.parent / "shared")
    there = os.path.isdir(os.path.join(folder, "data"))
    why = f"in {folder}" if there else f"{folder} is not there; BRANCHLINE_SHARED names another place"
    return Part("real data sets", there, why, "what imports real files of others")
