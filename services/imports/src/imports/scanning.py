"""A look at every uploaded file by the operator's own scanner before anything reads it; off until one is named.

A command gets the file's path as its last word and ends with 0 for a clean file and 1 for one it refuses, as clamdscan
does. Where it ends otherwise, or does not end, nobody knows whether the file is clean, so it is refused for now.
"""

from __future__ import annotations

import logging
import shlex
import subprocess
from pathlib import Path

from chassis.errors import DomainError, Kind
from imports.reading.limits import UnreadableFile, UnreadableReason

log = logging.getLogger(__name__)
CLEAN, REFUSED = 0, 1
PATIENCE_SECONDS = 120.0


class ScannerAway(DomainError):
    """The scanner did not say whether the file is clean; it is asked again."""

    kind = Kind.UNAVAILABLE
    reason = "SCANNER_AWAY"


def scan_file(path: Path, command: str) -> None:
    """Have a file looked at; without a command nothing happens. Errors: UnreadableFile, ScannerAway."""
    if not command:
        return
    words = [*shlex.split(command), str(path)]
    try:
        ended = subprocess.run(words, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as trouble:
        log.warning("scanner", extra={"trouble": type(trouble).__name__})
        raise ScannerAway(
            "the scanner for uploaded files does not answer; the file is not read before it does"
        ) from None
    if ended.returncode == REFUSED:
        raise UnreadableFile(
            UnreadableReason.FORBIDDEN_CONTENT,
            "the scanner for uploaded files refuses it",
            "ask whoever runs the platform; bring a file that was saved anew by a program you trust",
        )
    if ended.returncode != CLEAN:
        log.warning("scanner", extra={"status": ended.returncode})
        raise ScannerAway("the scanner for uploaded files is in trouble; the file is not read before it is well")
