"""The operator's scanner decides whether an uploaded file is read; while it is away nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.errors import Kind
from imports.reading.limits import UnreadableFile
from imports.scanning import ScannerAway, scan_file


def a_scanner(tmp_path: Path, script: str) -> str:
    """A command that does what a script says."""
    file = tmp_path / "scanner with a blank"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return f"'{file}' --quiet"


@pytest.fixture
def uploaded(tmp_path: Path) -> Path:
    """A file with a name that a shell would take apart."""
    path = tmp_path / "a $(touch planted); b.csv"
    path.write_text("Name\nEICAR\n")
    return path


def test_a_file_that_the_scanner_refuses_is_not_read(tmp_path: Path, uploaded: Path) -> None:
    finds = a_scanner(tmp_path, 'test "$1" = --quiet && grep -q EICAR "$2" && exit 1; exit 0')
    with pytest.raises(UnreadableFile, match="refuses"):
        scan_file(uploaded, finds)
    uploaded.write_text("Name\nAnna\n")
    scan_file(uploaded, finds)
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize("script", ["exit 2", "sleep 5"])
def test_what_the_scanner_cannot_say_is_waited_for(
    tmp_path: Path, uploaded: Path, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imports.scanning.PATIENCE_SECONDS", 0.3)
    with pytest.raises(ScannerAway) as trouble:
        scan_file(uploaded, a_scanner(tmp_path, script))
    assert trouble.value.kind is Kind.UNAVAILABLE


def test_a_scanner_that_is_not_there_lets_nothing_through(uploaded: Path) -> None:
    with pytest.raises(ScannerAway):
        scan_file(uploaded, "/no/such/scanner")


def test_without_a_scanner_files_are_read_as_they_are(uploaded: Path) -> None:
    scan_file(uploaded, "")
