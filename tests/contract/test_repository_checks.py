"""Shows that the checks of documents, lock and breaking contracts fail where they should."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools import check_breaking, check_docs, lock, run_checks
from tools.protos import ROOT

README = "# Shop\n\n    ./branchline demo\n    ./branchline test\n\nSee [the guide](docs/guide.md#first-steps).\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small project whose documents are right."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "guide.md").write_text("# Guide\n\n## First steps\n\n[back](../README.md)\n", encoding="utf-8")
    (tmp_path / "README.md").write_text(README, encoding="utf-8")
    return tmp_path


def test_documents_whose_links_lead_somewhere_pass(checkout: Path) -> None:
    assert check_docs.check_documents(checkout) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[gone](docs/gone.md)\n", "README.md: docs/gone.md leads nowhere"),
        ("[out](../../etc)\n", "README.md: ../../etc leads nowhere"),
        ("[part](docs/guide.md#last-steps)\n", "README.md: docs/guide.md#last-steps names no heading of guide.md"),
    ],
)
def test_a_link_that_leads_nowhere_is_named(text: str, problem: str, checkout: Path) -> None:
    (checkout / "README.md").write_text(README + text, encoding="utf-8")

    assert check_docs.check_documents(checkout) == [problem]


def test_a_readme_of_more_than_a_page_is_named(checkout: Path) -> None:
    (checkout / "README.md").write_text(README + "\n" * 120, encoding="utf-8")

    assert check_docs.check_documents(checkout) == ["README.md: 126 lines, 119 are allowed"]


def test_a_readme_without_its_commands_is_named(checkout: Path) -> None:
    (checkout / "README.md").write_text("# Shop\n", encoding="utf-8")

    assert check_docs.check_documents(checkout) == [
        "README.md: does not show ./branchline demo",
        "README.md: does not show ./branchline test",
    ]


def test_a_dependency_added_to_a_manifest_makes_the_lock_stale(tmp_path: Path) -> None:
    for manifest in lock.list_manifests(ROOT):
        target = tmp_path / manifest.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(manifest, target)
    head = lock.INPUT_MARK + lock.hash_inputs(lock.list_requirements(tmp_path))
    (tmp_path / "requirements.lock").write_text(head + "\n", encoding="utf-8")
    assert not lock.is_stale(tmp_path)

    manifest = tmp_path / "libs" / "values" / "pyproject.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("[\n", '[\n  "six>=1",\n', 1), encoding="utf-8")

    assert lock.is_stale(tmp_path)


def test_the_lock_names_no_host_and_no_path() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert "://" not in text
    assert " /" not in text


def test_a_failing_check_is_shown_with_what_it_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = run_checks.Check("good", (sys.executable, "-c", "print('quiet')"))
    bad = run_checks.Check("bad", (sys.executable, "-c", "raise SystemExit('line 3 is wrong')"))
    monkeypatch.setattr(run_checks, "CHECKS", (good, bad))

    status = run_checks.main([])

    printed = capsys.readouterr().out
    assert status == 1
    assert "ok     good" in printed
    assert "FAILED bad" in printed
    assert "line 3 is wrong" in printed
    assert "quiet" not in printed


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of two commits on main, the second of which changes a contract."""
    monkeypatch.delenv("BRANCHLINE_PROTO_BASE", raising=False)
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    for field in ("name", "title"):
        write_shop(tmp_path, field)
        git(tmp_path, "add", ".")
        git(tmp_path, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", field)
    return tmp_path


def write_shop(root: Path, field: str) -> None:
    folder = root / "proto" / "crm" / "shop" / "v1"
    folder.mkdir(parents=True, exist_ok=True)
    text = f'syntax = "proto3";\npackage crm.shop.v1;\nmessage Shop {{\n  string {field} = 1;\n}}\n'
    (folder / "shop.proto").write_text(text, encoding="utf-8")


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)


def test_on_main_the_contracts_are_compared_with_the_commit_before(clone: Path) -> None:
    base = check_breaking.find_base(clone)
    assert base is not None
    before, after = check_breaking.compile_at(base, clone), check_breaking.compile_at("HEAD", clone)
    assert before is not None
    assert after is not None

    breaks = check_breaking.list_breaks(before, after)

    assert any('"name" to "title"' in line for line in breaks), breaks


def test_changes_that_are_not_committed_are_compared_with_the_last_commit(clone: Path) -> None:
    write_shop(clone, "label")

    assert check_breaking.find_base(clone) == check_breaking.run_git(clone, "rev-parse", "HEAD")


def test_a_branch_is_compared_with_the_point_where_it_left_main(clone: Path) -> None:
    start = check_breaking.run_git(clone, "rev-parse", "HEAD")
    git(clone, "switch", "--quiet", "--create", "wider")
    write_shop(clone, "label")
    git(
        clone, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "--all", "--message", "label"
    )

    assert check_breaking.find_base(clone) == start


def test_a_clone_without_an_earlier_commit_has_nothing_to_compare_with(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    write_shop(tmp_path, "name")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "name")

    assert check_breaking.find_base(tmp_path) is None
