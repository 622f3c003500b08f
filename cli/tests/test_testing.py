"""What a test run needs of the machine, and when it asks for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from branchline import testing


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ([], True),
        (["browser"], True),
        (["unit", "browser"], True),
        (["tests/browser/test_sign_in.py"], True),
        (["-x"], True),
        (["unit"], False),
        (["tests/e2e/test_demo.py"], False),
    ],
)
def test_a_browser_is_asked_for_only_by_runs_that_open_one(words: list[str], wanted: bool) -> None:
    assert testing.wants_browser(words) is wanted


def test_a_machine_without_a_browser_says_which_tests_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BRANCHLINE_CHROMIUM", raising=False)
    monkeypatch.setattr(testing, "CHROMIUM_NAMES", ("no-such-browser",))
    (part,) = [part for part in testing.list_parts() if part.name == "Chromium"]
    assert not part.there
    assert "install the package chromium" in part.why
    assert part.tests == "the tests in the browser"


def test_nobody_but_root_is_made_to_install_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.delenv("BRANCHLINE_CHROMIUM", raising=False)
    monkeypatch.setattr(testing, "CHROMIUM_NAMES", ("no-such-browser",))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    testing.provide_chromium(told.append)
    assert told == []


def test_an_installation_that_fails_is_told_in_apts_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told: list[str] = []
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: no such package' >&2\nexit 100\n")
    apt.chmod(0o755)
    monkeypatch.delenv("BRANCHLINE_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(testing, "CHROMIUM_NAMES", ("no-such-browser",))
    monkeypatch.setattr(testing, "is_debian_root", lambda: True)
    testing.provide_chromium(told.append)
    assert told[0] == "installing chromium and fonts-noto-core with apt-get, for the tests in the browser"
    assert told[-1].endswith("E: no such package")
