"""Runs every check that needs no database and no bus; each is one line with its seconds, and its output if it fails.

python -m tools.run_checks [NAME...]
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.protos import ROOT

SCRIPTS = Path(sys.executable).parent
TYPED = ("libs", "services", "cli", "tools", "tests", "conftest.py")
LONGEST = 600  # seconds; mypy without a cache takes about a tenth of it


@dataclass(frozen=True)
class Check:
    """A check's name and the command whose exit status 0 means that all is well."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """How a check ended: `output` is what it printed."""

    check: Check
    passed: bool
    seconds: float
    output: str


def script(name: str, *arguments: str) -> tuple[str, ...]:
    """Name a program that the lock installs."""
    return (str(SCRIPTS / name), *arguments)


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    """Name a module of this folder."""
    return (sys.executable, "-m", f"tools.{name}", *arguments)


CHECKS = (
    Check("lint", script("ruff", "check", "--quiet")),
    Check("format", script("ruff", "format", "--check", "--quiet")),
    Check("types", script("mypy", "--no-error-summary", *TYPED)),
    Check("imports", script("lint-imports", "--no-logo")),
    Check("proto rules", tool("check_proto")),
    Check("proto breaking", tool("check_breaking")),
    Check("generated code", tool("generate_proto", "--check")),
    Check("lock", tool("lock", "--check")),
    Check("docs", tool("check_docs")),
    Check("shell", ("sh", "-n", "branchline")),
)


def run_check(check: Check) -> Outcome:
    """Run one check from the root of the checkout."""
    start = time.monotonic()
    try:
        result = subprocess.run(
            check.command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
            env=plain_environment(),
        )
        passed, output = result.returncode == 0, result.stdout + result.stderr
    except subprocess.TimeoutExpired:
        passed, output = False, f"no end after {LONGEST} s"
    return Outcome(check, passed, time.monotonic() - start, output)


def plain_environment() -> dict[str, str]:
    """The environment with colours off, so that a log reads like the screen."""
    return {**os.environ, "NO_COLOR": "1"}


def choose_checks(names: Sequence[str]) -> list[Check]:
    """Choose checks by name, all without one. Errors: SystemExit for a name that is none."""
    unknown = set(names) - {check.name for check in CHECKS}
    if unknown:
        raise SystemExit(f"no such check: {', '.join(sorted(unknown))}; there are {', '.join(c.name for c in CHECKS)}")
    return [check for check in CHECKS if not names or check.name in names]


def main(argv: list[str]) -> int:
    """Run the checks, two at a time, and say how each ended. Returns 1 when one failed."""
    failed = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for outcome in pool.map(run_check, choose_checks(argv)):
            print(
                f"{'ok    ' if outcome.passed else 'FAILED'} {outcome.check.name:<16}{outcome.seconds:6.1f} s",
                flush=True,
            )
            if not outcome.passed:
                failed += 1
                print(outcome.output.rstrip(), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
