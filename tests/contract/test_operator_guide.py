"""The operator's guide shows no command that no test runs; those for a cluster are tried against the chart here."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from branchline.app import app, split_globals
from tools.guide_blocks import GUIDE, OURS, PLACES, Block, check_guide, list_blocks, list_inline, list_pages
from tools.protos import ROOT

READER = Path(__file__).with_name("chart_commands.py")
WORD = re.compile(r"[a-z][a-z-]*")


@pytest.fixture(scope="module")
def workplace(chart_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as an operator has it: our command, the chart, and a helm and a kubectl that need no cluster."""
    place = tmp_path_factory.mktemp("operator")
    (place / "infra").symlink_to(ROOT / "infra")
    commands = {
        "branchline": f'exec {sys.executable} -m branchline "$@"',
        **{name: f'exec {chart_tools} {READER} {name} "$@"' for name in ("helm", "kubectl")},
    }
    for name, body in commands.items():
        file = place / name
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return place


def do(lines: tuple[str, ...], workplace: Path) -> subprocess.CompletedProcess[str]:
    """Run lines of shell in the folder."""
    path = f"{workplace}{os.pathsep}{os.environ['PATH']}"
    script = "\n".join(lines)
    told = {**os.environ, "PATH": path}
    return subprocess.run(
        ("bash", "-euo", "pipefail", "-c", script), cwd=workplace, env=told, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("block", list_blocks("kubernetes"), ids=lambda block: block.name)
def test_what_the_page_says_can_be_done(block: Block, workplace: Path) -> None:
    ended = do(block.lines, workplace)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert block.prints in ended.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        "helm upgrade branchline infra/helm/branchline --namespace crm --set contacts.api.replica=3",
        "helm upgrade branchline infra/helm/branchline --namespace crm --set global.terminationSeconds=5",
        "helm roll branchline infra/helm/branchline --namespace crm",
        "kubectl scale deployment branchline-contacts-api --replicas=3",
    ],
)
def test_a_command_that_would_do_nothing_or_harm_is_found(wrong: str, workplace: Path) -> None:
    assert do((wrong,), workplace).returncode != 0


def test_every_block_is_run_by_a_test_that_is_there() -> None:
    assert list(check_guide()) == []
    assert {block.place for block in list_blocks()} == set(PLACES)
    assert [file for file in PLACES.values() if not (ROOT / file).exists()] == []


@pytest.mark.parametrize(
    ("page", "trouble"),
    [
        ("```sh cluster\nkubectl get pods\n```\n", "is run by no test"),
        ("```\n./branchline up\n```\n", "is run by no test"),
        ("Say `docker compose kill` then.\n", "stands in no block"),
    ],
)
def test_a_command_that_no_test_runs_is_found(page: str, trouble: str, tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("- [A page](page.md)\n")
    (tmp_path / "page.md").write_text(f"# A page\n\n{page}")

    (found,) = check_guide(tmp_path)

    assert trouble in found


def test_a_page_that_the_index_does_not_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("# Guide\n")
    (tmp_path / "lost.md").write_text("# Lost\n")

    assert list(check_guide(tmp_path)) == ["lost.md: not named by index.md"]


@pytest.mark.parametrize(("page", "command"), [one for one in list_inline() if one[1].startswith(OURS)])
def test_every_command_of_ours_in_running_text_is_one(page: str, command: str) -> None:
    words = split_globals(command.removeprefix(OURS).split())[1]
    found = get_command(app)
    while isinstance(found, typer.core.TyperGroup) and words and WORD.fullmatch(words[0]):
        assert words[0] in found.commands, f"{page}: no command {command}"
        found = found.commands[words.pop(0)]
    options = {option for parameter in found.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options, f"{page}: {command}"


def test_the_pages_are_those_of_the_guide() -> None:
    assert {page.name for page in list_pages()} == {page.name for page in GUIDE.glob("*.md")}
