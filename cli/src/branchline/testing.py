"""Runs the repository's tests by tier, and knows which parts of them a machine can run."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from branchline.exits import Exit, Failure
from branchline.platform.folder import ROOT

# Where each tier's tests are, as the repository's conftest.py marks them: only these are collected.
TIERS = {
    "unit": ("libs", "tools"),
    "service": ("services", "cli"),
    "contract": ("tests/contract",),
    "integration": ("tests/integration",),
    "e2e": ("tests/e2e",),
    "browser": ("tests/browser",),
    "faults": ("tests/faults",),
    "compose": ("tests/compose",),
    "load": ("tests/load",),
}
NOT_BY_DEFAULT = "load"  # figures are taken by `branchline bench`
ALL_FAULTS = "--all"  # an option of the tests themselves: tests/faults/figures.py
MOST_WORKERS = 4  # each may have a platform of seven services running
ENGINE_SECONDS = 20.0
# The tests' browser is the distribution's, so nothing comes past its package manager; Noto has all our scripts.
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_PACKAGES = ("chromium", "fonts-noto-core")
APT_SECONDS = 600.0
PICTURES = "BRANCHLINE_PICTURES"  # "1": tests that show a page write its picture into the user guide


@dataclass(frozen=True)
class Part:
    """Something a machine may lack: `tests` says what is not run then, `why` how it was found out."""

    name: str
    there: bool
    why: str
    tests: str


def list_parts() -> list[Part]:
    """What the tests need beside the checkout, and whether it is here."""
    return [_engine(), _shared_data(), _browser()]


def find_chromium() -> str | None:
    """The browser that tests drive; BRANCHLINE_CHROMIUM names another."""
    named = os.environ.get("BRANCHLINE_CHROMIUM")
    return named or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def provide_chromium(say: Callable[[str], None]) -> None:
    """Install the browser where nobody has to be asked, as root on Debian; elsewhere it stays a missing part."""
    if find_chromium() or not is_debian_root():
        return
    say(f"installing {' and '.join(CHROMIUM_PACKAGES)} with apt-get, for the tests in the browser")
    install = ["install", "--yes", "--no-install-recommends", *CHROMIUM_PACKAGES]
    for words in (["update"], install):
        command = ["apt-get", "-qq", *words]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        ended = subprocess.run(command, env=quiet, capture_output=True, text=True, timeout=APT_SECONDS)
        if ended.returncode != 0:
            say(f"{' '.join(command)}: {ended.stderr.strip()[-300:]}")


def is_debian_root() -> bool:
    """Tell whether this process may install Debian's packages."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists()


def wants_browser(words: Sequence[str]) -> bool:
    """Tell whether a run with these words includes tests in the browser."""
    chosen = [word for word in words if not word.startswith("-")]
    return not chosen or any(word == "browser" or word.startswith("tests/browser") for word in chosen)


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
    alone = named or ALL_FAULTS in rest  # their figures are of one platform that has the machine for itself
    command = [sys.executable, "-m", "pytest", "-m", wanted, *([] if alone else side_by_side()), *rest, *folders]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL if capture else None).returncode


def side_by_side() -> list[str]:
    """Options that give each processor a worker (`-n 0` undoes them); what shares fixtures stays with one worker."""
    return ["-n", str(min(os.cpu_count() or 1, MOST_WORKERS)), "--dist", "loadscope", "--no-loadscope-reorder"]


def _engine() -> Part:
    tests = "everything on RabbitMQ and in containers"
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


def _browser() -> Part:
    found = find_chromium()
    return Part(
        "Chromium", found is not None, found or "not found; install the package chromium", "the tests in the browser"
    )
