"""The command line itself: where options may stand, what goes to which stream, and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from branchline.app import run, split_globals
from branchline.exits import Exit


@pytest.fixture(autouse=True)
def no_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every command is about an empty folder in which nothing runs."""
    monkeypatch.setenv("BRANCHLINE_DATA", str(tmp_path))
    for name in ("BRANCHLINE_URL", "BRANCHLINE_LOGIN", "BRANCHLINE_PASSWORD", "BRANCHLINE_BUS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "--data", "d", "runs", "x"],
        ["runs", "--json", "x", "--data", "d"],
        ["runs", "x", "--data", "d", "--json"],
    ],
)
def test_json_and_data_may_stand_anywhere(words: list[str]) -> None:
    front, rest = split_globals(words)
    assert sorted(front) == sorted(["--json", "--data", "d"])
    assert front[front.index("--data") + 1] == "d"
    assert rest == ["runs", "x"]


def test_what_follows_two_dashes_is_left_alone() -> None:
    assert split_globals(["test", "--", "--json"]) == ([], ["test", "--", "--json"])


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == Exit.OK
    shown = capsys.readouterr().out
    commands = [
        "up",
        "down",
        "status",
        "demo",
        "import",
        "runs",
        "report",
        "events",
        "bench",
        "test",
        "check",
        "proto",
        "migrate",
    ]
    assert [name for name in commands if f"\n  {name} " not in shown] == []


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == Exit.OK
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "No such command 'nothing'."),
        (["import", "f.csv", "--kind", "deals"], "Missing option '--unit'"),
        (["up", "--bus", "http://x"], "--bus takes an amqp:// or amqps:// address, not 'http://x'"),
        (["runs", "--confirm"], "name the run: ./branchline runs ID"),
        (["import", "f", "--unit", "u", "--kind", "k", "--map", "x"], "--map takes COLUMN=FIELD, not 'x'"),
        (["import", "f", "--unit", "u", "--kind", "k", "--choose", "x"], "--choose takes FIELD:TEXT=MEANING, not 'x'"),
        (["import", "f", "--unit", "u", "--kind", "k", "--read", "x=1"], "--read takes NAME=VALUE with one of"),
        (["export", "persons", "f.csv", "--where", "x"], "--where takes NAME=VALUE, not 'x'"),
        (["bench", "nothing"], "no benchmark 'nothing'"),
        (["test", "nothing"], "no tier or file 'nothing'"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_wrong(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == Exit.USAGE
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("words", [["status"], ["report", "won"], ["exports"], ["runs"], ["events", "parked", "list"]])
def test_without_a_platform_commands_exit_with_3_and_say_how_to_start_it(
    words: list[str], no_platform: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == Exit.UNREACHABLE
    assert f"the platform is not running over {no_platform}; start it with ./branchline up" in capsys.readouterr().err


def test_a_failure_with_json_is_one_document_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json"]) == Exit.UNREACHABLE
    shown = capsys.readouterr()
    assert json.loads(shown.out)["error"]["reason"] == "NOT_RUNNING"
    assert shown.err == ""


def test_down_without_a_platform_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down"]) == Exit.OK
    assert capsys.readouterr().out == "the platform is not running\n"


def test_help_is_quick_because_heavy_libraries_stay_out() -> None:
    heavy = ["sqlalchemy", "psycopg", "httpx2", "rich", "psutil", "grpc", "openpyxl", "kombu"]
    probe = f"import sys; import branchline.app; print([name for name in {heavy!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_help_of_a_subcommand_works_through_the_real_entrance() -> None:
    words = [sys.executable, "-m", "branchline", "import", "--help"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert shown.startswith("Usage: branchline import [OPTIONS] {FILE}...")


@pytest.mark.parametrize(("version", "code"), [([], Exit.UNREACHABLE), (["2"], Exit.UNREACHABLE), (["0"], Exit.USAGE)])
def test_a_mapping_has_versions_from_one_and_its_newest_without_a_number(version: list[str], code: Exit) -> None:
    asked = ["import", "x.csv", "--unit", "u", "--kind", "persons", "--mapping", "m"]
    assert run([*asked, *(f"--mapping-version={number}" for number in version)]) == code
