"""Shows that every import rule of .importlinter holds here and fails where it is broken."""

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / ".importlinter"

# rule -> (module that breaks it, the line that does)
PLANTED = {
    "no service imports another": ("contacts.planted", "import deals"),
    "doors never import each other": ("contacts.api", "import contacts.worker"),
    "only the start-up of a process imports a door": ("contacts.planted", "import contacts.api"),
    "outside its own package only the command line's process modules import a service": (
        "branchline.planted",
        "import reporting",
    ),
    "nothing in a worker process imports grpc": ("contacts.worker", "import chassis.rpc.planted"),
    "nothing in an api, jobs or gateway process imports nameko, eventlet or kombu": (
        "contacts.api",
        "import chassis.bus.planted",
    ),
    "rules import nothing of I/O": ("contacts.rules", "from sqlalchemy import select"),
    "libraries import no service": ("chassis.planted", "import contacts"),
    "the chassis knows no business noun": ("chassis.planted", "import crm"),
    "in the gateway only what keeps something knows a database": ("gateway.planted", "import sqlalchemy"),
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of every package, so that a violation can be planted without touching the checkout."""
    for package in [*ROOT.glob("libs/*/src/*"), *ROOT.glob("services/*/src/*"), *ROOT.glob("cli/src/*")]:
        if package.is_dir():
            shutil.copytree(package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    plant(tmp_path, "chassis.rpc.planted", "import grpc")
    plant(tmp_path, "chassis.bus.planted", "import kombu")
    return tmp_path


def plant(tree: Path, module: str, line: str) -> None:
    """Append a line to a module of the copy, which may be a file, a package, or not there yet."""
    base = tree / module.replace(".", "/")
    target = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    with target.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).parent / "lint-imports")
    command = [program, "--config", str(RULES), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=60)


def test_no_module_breaks_an_import_rule(tree: Path) -> None:
    result = lint_imports(tree)

    assert "0 broken" in result.stdout, result.stdout + result.stderr
    assert result.returncode == 0


@pytest.mark.parametrize("rule", PLANTED)
def test_a_planted_violation_breaks_its_rule(rule: str, tree: Path) -> None:
    for door in ("contacts.api", "contacts.worker", "contacts.jobs"):
        plant(tree, door, "")
    plant(tree, *PLANTED[rule])

    result = lint_imports(tree)

    broken = [line for line in result.stdout.splitlines() if line.startswith(rule) and "BROKEN" in line]
    assert broken, result.stdout + result.stderr
    assert result.returncode == 1


def test_every_rule_has_a_planted_violation() -> None:
    rules = configparser.ConfigParser()
    rules.read(RULES, encoding="utf-8")

    names = {rules[section]["name"] for section in rules.sections() if ":contract:" in section}

    assert names == set(PLANTED)
