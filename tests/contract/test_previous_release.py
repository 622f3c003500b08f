"""The release before is found by its tag or as it is named, and a clone that lacks it says how to get it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.compose.previous_release import find_previous
from tools.check_breaking import NoSuchCommit


def git(folder: Path, *words: str) -> str:
    """Run git as somebody."""
    named = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    command = ("git", "-C", str(folder), *named, *words)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of three commits, the first of which is named as the release before."""
    monkeypatch.delenv("BRANCHLINE_PREVIOUS", raising=False)
    git(tmp_path, "init", "--quiet")
    for number in range(3):
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", str(number))
    (tmp_path / "named").write_text(git(tmp_path, "rev-parse", "HEAD~2") + "\n")
    return tmp_path


def test_it_is_the_named_commit_while_there_is_no_tag(clone: Path) -> None:
    assert find_previous(clone, clone / "named") == git(clone, "rev-parse", "HEAD~2")


def test_it_is_the_newest_tag_that_is_not_this_checkout(clone: Path) -> None:
    git(clone, "tag", "v0.1.0", "HEAD~1")
    git(clone, "tag", "v0.2.0", "HEAD")

    assert find_previous(clone, clone / "named") == git(clone, "rev-parse", "v0.1.0")


def test_a_clone_without_it_says_how_to_get_it(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANCHLINE_PREVIOUS", "v0.0.9")

    with pytest.raises(NoSuchCommit, match="--unshallow"):
        find_previous(clone, clone / "named")
