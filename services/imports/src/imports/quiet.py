"""Texts that no spreadsheet takes for a formula, and the way back. Source: OWASP ASVS 5.0, 1.2.10."""

from __future__ import annotations

from pathlib import Path

MARK_OF_EXPORTS = "Exported: by "  # begins the last line of a text file of ours; only in such texts are quiet ones
_TAIL = 4_096  # bytes in which that line is
_MARK = "'"
_LIVE = ("=", "+", "-", "@", "\t", "\r", "\x00", ";=", "＝", "＋", "－", "＠")


def quiet_text(text: str) -> str:
    """A cell of a text file: with an apostrophe before what would be live, or before one that stood there already."""
    return _MARK + text if _is_live(text.lstrip(_MARK)) else text


def loud_text(text: str) -> str:
    """The text as it was before `quiet_text`: exactly one apostrophe is taken away."""
    return text[1:] if text.startswith(_MARK) and _is_live(text.lstrip(_MARK)) else text


def _is_live(text: str) -> bool:
    return text.lstrip(" \u00a0\u3000").startswith(_LIVE)


def is_quiet_file(path: Path) -> bool:
    """Whether a text file is an export of ours, of which each apostrophe before something live was written by us."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL, 0))
        return MARK_OF_EXPORTS.encode() in file.read()
