"""`export` asks for a file, waits for it and writes it whole; what waits for somebody else is no success."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from branchline.app import run
from branchline.exits import Exit

from .test_rest import Answer, Platform, platform

__all__ = ["platform"]


def answering(*states: str) -> Callable[[str, str], Answer]:
    """A platform on which an export goes through these states, one a question."""
    left = list(states)

    def answer(_: str, path: str) -> Answer:
        if path.endswith("/file"):
            return 200, {"rows": [1]}
        state = left.pop(0) if len(left) > 1 else left[0]
        return 200, {"id": "e", "state": state, "message": f"is {state}", "list": "persons", "row_count": 1,
            "user_name": "Anna"}  # fmt: skip

    return answer


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("branchline.commands.exporting.PAUSE_SECONDS", 0.0)


def test_a_file_is_waited_for_and_written_whole(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRANCHLINE_URL", platform(answering("queued", "reading", "writing", "ready")))
    target = tmp_path / "people.json"
    assert run(["export", "persons", str(target), "--column", "full_name", "--where", "query=vega"]) == Exit.OK
    assert target.read_text() == '{"rows": [1]}'
    assert [one.name for one in tmp_path.iterdir()] == ["people.json"]
    assert "is ready" in capsys.readouterr().out


def test_an_export_that_waits_for_a_second_person_says_so_and_writes_nothing(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BRANCHLINE_URL", platform(answering("queued", "asked")))
    assert run(["export", "persons", str(tmp_path / "people.csv")]) == Exit.FAILED
    assert (list(tmp_path.iterdir()), "is asked" in capsys.readouterr().out) == ([], True)


def test_exports_are_listed_and_decided(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, str]] = []

    def answer(method: str, path: str) -> Answer:
        asked.append((method, path))
        one = answering("asked")("", "")[1]
        return 200, {"exports": [one], "next_page_token": ""} if path == "/exports" else one

    monkeypatch.setenv("BRANCHLINE_URL", platform(answer))
    assert run(["exports"]) == Exit.OK
    assert "Anna" in capsys.readouterr().out
    assert run(["exports", "e", "--approve"]) == Exit.OK
    assert asked == [("GET", "/exports"), ("POST", "/exports/e/decide")]
