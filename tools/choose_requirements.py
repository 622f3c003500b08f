"""Prints the part of requirements.lock that one package of the workspace needs, for an image that holds nothing more.

    python tools/choose_requirements.py FOLDER [--without FOLDER]     as in: services/contacts --without libs/chassis

FOLDER's manifest names what it asks for; the lock says by whom each of its entries is asked for. Runs on a bare Python,
before anything is installed. `--without` leaves out what is installed already for another package.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OURS = "branchline-"
ASKED_BY_US = "-r requirements.in"  # how the lock names the manifests
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
EXTRAS = re.compile(r"\[([^\]]*)\]")


class NotInLock(Exception):
    """The lock does not hold what a manifest asks for, or does not say by whom its entries are asked for."""


@dataclass(frozen=True)
class Entry:
    """One distribution of the lock: its lines as they stand, and the names of those who ask for it."""

    name: str
    lines: tuple[str, ...]
    asked_by: frozenset[str]


def choose(folder: str, root: Path = ROOT) -> dict[str, Entry]:
    """Choose the entries of the lock that a package needs, in the lock's order. Errors: NotInLock."""
    entries = {entry.name: entry for entry in read_lock(root / "requirements.lock")}
    if not any(entry.asked_by for entry in entries.values()):
        raise NotInLock("requirements.lock does not say by whom its entries are asked for: run python -m tools.lock")
    wanted = list_direct(folder, root)
    if missing := wanted - entries.keys():
        raise NotInLock(f"requirements.lock does not hold {', '.join(sorted(missing))}: run python -m tools.lock")
    while more := {entry.name for entry in entries.values() if entry.asked_by & wanted} - wanted:
        wanted |= more
    return {name: entry for name, entry in entries.items() if name in wanted}


def read_lock(lock: Path) -> Iterator[Entry]:
    """Read the entries of the lock: a line at the margin begins one, comments in it name those who ask for it."""
    lines: list[str] = []
    for line in [*lock.read_text(encoding="utf-8").splitlines(), "end"]:
        if lines and not line.startswith(" "):
            yield make_entry(lines)
            lines = []
        if not line.startswith("#"):
            lines.append(line)


def make_entry(lines: list[str]) -> Entry:
    """Make an entry of its lines."""
    comments = (line.strip().removeprefix("#").strip() for line in lines if line.strip().startswith("#"))
    asked_by = {comment.removeprefix("via").strip() for comment in comments} - {"", ASKED_BY_US}
    return Entry(name_of(lines[0]), tuple(lines), frozenset(map(name_of, asked_by)))


def list_direct(folder: str, root: Path) -> set[str]:
    """List what a package and the packages of ours that it stands on ask for themselves."""
    manifests = {name_of(read_project(path)["name"]): path for path in root.glob("*/*/pyproject.toml")}
    found: set[str] = set()
    seen: set[Path] = set()
    waiting: list[tuple[Path, tuple[str, ...]]] = [(root / folder / "pyproject.toml", ())]
    while waiting:
        path, extras = waiting.pop()
        seen.add(path)
        for requirement in list_requirements(path, extras):
            name = name_of(requirement)
            if not name.startswith(OURS):
                found.add(name)
            elif manifests[name] not in seen:
                waiting.append((manifests[name], tuple(extras_of(requirement))))
    return found


def list_requirements(manifest: Path, extras: tuple[str, ...]) -> list[str]:
    """List what a manifest asks for, with the named extras."""
    project = read_project(manifest)
    optional = project.get("optional-dependencies", {})
    return [*project.get("dependencies", []), *(one for extra in extras for one in optional[extra])]


def read_project(manifest: Path) -> dict[str, Any]:
    """Read a manifest's table of the project."""
    found: dict[str, Any] = tomllib.loads(manifest.read_text(encoding="utf-8"))["project"]
    return found


def name_of(requirement: str) -> str:
    """The normalized name a requirement begins with."""
    found = NAME.match(requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found.group()).lower()


def extras_of(requirement: str) -> list[str]:
    """The extras a requirement names."""
    found = EXTRAS.search(requirement)
    return [extra.strip() for extra in found.group(1).split(",")] if found else []


def main(argv: list[str]) -> int:
    """Print the lines as pip takes them with --require-hashes --no-deps. Returns 1 where the lock lacks something."""
    parser = argparse.ArgumentParser(prog="choose_requirements")
    parser.add_argument("folder")
    parser.add_argument("--without", metavar="FOLDER", action="append", default=[])
    arguments = parser.parse_args(argv)
    try:
        there = {name for folder in arguments.without for name in choose(folder)}
        chosen = choose(arguments.folder)
    except NotInLock as trouble:
        sys.stderr.write(f"choose_requirements: {trouble}\n")
        return 1
    for name, entry in chosen.items():
        if name not in there:
            print("\n".join(entry.lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
