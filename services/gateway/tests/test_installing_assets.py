"""Files of others come into vendor/ only as they were locked, once per lock, and whole."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from gateway.web import fetching, installing
from gateway.web.fetching import AssetsNotFetched, LockedFile, LockedPackage, fetch_files, read_lock
from gateway.web.installing import LOCK, AssetDiffers, install, is_installed, strip_source_map
from tools.lock_assets import renew_checksums

SCRIPT = b"let a = 1\n//# sourceMappingURL=a.js.map\n"
TOOL = b"let tool = 1\n"
ENTRY = """
[[package]]
name = "{name}"
version = "1.0.0"
licence = "MIT"
{more}
files = [
  {{ path = "dist/{file}", name = "{file}", sha256 = "{sha256}" }},
]
"""


def a_lock(folder: Path, script: bytes = SCRIPT) -> Path:
    """A lock of a script and of a tool for tests."""
    entries = [
        ENTRY.format(name="script", file="a.js", more="", sha256=hashlib.sha256(script).hexdigest()),
        ENTRY.format(name="tool", file="t.js", more="tests_only = true", sha256=hashlib.sha256(TOOL).hexdigest()),
    ]
    lock = folder / "assets.lock"
    lock.write_text("".join(entries))
    return lock


def fetch(_: Sequence[LockedPackage]) -> Mapping[str, bytes]:
    """What a registry would bring."""
    return {"a.js": SCRIPT, "t.js": TOOL}


def refuse(_: Sequence[LockedPackage]) -> Mapping[str, bytes]:
    """No registry is there."""
    raise AssetsNotFetched("npm: no route")


def test_files_are_installed_without_their_map_and_tools_of_tests_apart(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    lock = a_lock(tmp_path)
    assert not is_installed(lock, vendor)
    install(lock, vendor, fetch)
    assert is_installed(lock, vendor)
    assert (vendor / "a.js").read_bytes() == b"let a = 1\n"
    assert (vendor / "tests" / "t.js").read_bytes() == TOOL


def test_a_file_that_is_not_the_locked_one_is_refused_and_nothing_is_half_done(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    with pytest.raises(AssetDiffers, match=r"script@1\.0\.0: dist/a\.js has sha256"):
        install(a_lock(tmp_path, script=b"another"), vendor, fetch)
    assert not vendor.exists()


def test_a_raised_version_is_installed_again_and_what_it_no_longer_has_goes(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    lock = a_lock(tmp_path)
    install(lock, vendor, fetch)
    (vendor / "left.js").write_text("of an earlier lock")
    lock.write_text(lock.read_text().replace("1.0.0", "1.0.1"))
    assert not is_installed(lock, vendor)
    install(lock, vendor, fetch)
    assert is_installed(lock, vendor)
    assert not (vendor / "left.js").exists()


def test_without_a_registry_what_is_there_stays(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    lock = a_lock(tmp_path)
    install(lock, vendor, fetch)
    lock.write_text(lock.read_text().replace("1.0.0", "1.0.1"))
    with pytest.raises(AssetsNotFetched):
        install(lock, vendor, refuse)
    assert (vendor / "a.js").exists()


def test_who_starts_without_a_registry_reads_what_is_missing_what_works_and_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise AssetsNotFetched("npm ended with 1: no route")

    monkeypatch.setattr(installing, "is_installed", lambda: False)
    monkeypatch.setattr(installing, "install", fail)
    assert installing.main() == 1
    told = capsys.readouterr()
    assert told.out == ""
    for part in ("npm ended with 1: no route", "the command line and REST work", "python -m gateway.web.installing"):
        assert part in told.err


@pytest.mark.parametrize(
    "last", [b"//# sourceMappingURL=x.map", b"/*# sourceMappingURL=x.map */", b"//@ sourceMappingURL=x"]
)
def test_only_the_last_mention_of_a_map_is_taken_off(last: bytes) -> None:
    body = b'let a = "//# sourceMappingURL=inside"; f()'
    assert strip_source_map(body + b"\n" + last + b"\n").rstrip() == body
    assert strip_source_map(body) == body


def an_npm(folder: Path, answers: str) -> list[str]:
    """A command that packs one archive as npm does, telling of it by `answers`."""
    archive = folder / "scope-name-1.0.0.tgz"
    with tarfile.open(archive, "w:gz") as members:
        member = tarfile.TarInfo("package/dist/a.js")
        member.size = len(SCRIPT)
        members.addfile(member, io.BytesIO(SCRIPT))
    npm = folder / "npm"
    npm.write_text(f"#!/bin/sh\ncp '{archive}' .\necho '{answers}'\n")
    npm.chmod(0o755)
    return [str(npm)]


@pytest.mark.parametrize(
    "answers",
    [
        '[{"name": "@scope/name", "version": "1.0.0", "filename": "scope-name-1.0.0.tgz"}]',
        '[{"name": "@scope/name", "version": "1.0.0", "filename": "@scope/name-1.0.0.tgz"}]',
        '{"@scope/name": {"name": "@scope/name", "version": "1.0.0", "filename": "scope-name-1.0.0.tgz"}}',
    ],
)
def test_archives_are_found_as_npm_of_any_age_tells_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: str
) -> None:
    monkeypatch.setattr(fetching, "find_npm", lambda _: an_npm(tmp_path, answers))
    package = LockedPackage("@scope/name", "1.0.0", "MIT", (LockedFile("dist/a.js", "a.js", ""),))
    assert fetch_files([package]) == {"a.js": SCRIPT}


def test_a_package_without_the_locked_file_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = '[{"name": "@scope/name", "version": "1.0.0", "filename": "scope-name-1.0.0.tgz"}]'
    monkeypatch.setattr(fetching, "find_npm", lambda _: an_npm(tmp_path, answers))
    package = LockedPackage("@scope/name", "1.0.0", "MIT", (LockedFile("dist/b.js", "b.js", ""),))
    with pytest.raises(AssetsNotFetched, match=r"@scope/name@1\.0\.0 has no dist/b\.js"):
        fetch_files([package])


def test_an_npm_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'no such host' >&2\nexit 7\n")
    npm.chmod(0o755)
    monkeypatch.setattr(fetching, "find_npm", lambda _: [str(npm)])
    with pytest.raises(AssetsNotFetched, match="npm ended with 7: no such host"):
        fetch_files(read_lock(LOCK))


def test_renewing_writes_the_checksum_of_each_file_and_nothing_else() -> None:
    before = '# text\n  { path = "p", name = "a.js", sha256 = "old" },\n'
    assert renew_checksums(before, {"a.js": SCRIPT}) == before.replace("old", hashlib.sha256(SCRIPT).hexdigest())


def test_the_lock_says_of_every_file_what_it_must_be_and_no_address() -> None:
    files = [file for package in read_lock(LOCK) for file in package.files]
    assert all(len(file.sha256) == 64 for file in files)
    assert len({file.name for file in files}) == len(files)
    assert "://" not in LOCK.read_text()
