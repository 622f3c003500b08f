"""New identifiers: UUIDv7, so that keys made later sort later."""

from __future__ import annotations

import os
import re
import threading
import time
from datetime import UTC, datetime

_lock = threading.Lock()
_last = 0
_AT_ONCE = 512  # random numbers asked of the system in one call, which takes as long as for one
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_tails: list[str] = []  # the random ends of coming ids
os.register_at_fork(after_in_child=_tails.clear)  # parent and child must not use the same ones
_CANONICAL = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> str:
    """Make one UUIDv7 as text; within a process each is greater than the one before.

    Source: RFC 9562 section 5.7; the 12 bits after the milliseconds count up within one millisecond (method 1).
    """
    global _last
    with _lock:
        stamp = time.time_ns() // 1_000_000 << 12
        _last = now = max(stamp, _last + 1)
        if not _tails:
            _tails.extend(_more_tails())
        tail = _tails.pop()
    head = f"{now:015x}"  # uuid.UUID takes ten times as long
    return f"{head[:8]}-{head[8:12]}-7{head[12:]}-{tail}"


def _more_tails() -> list[str]:
    """Each the variant and 62 random bits; cut out of one text, since a number's own takes three times as long."""
    text = os.urandom(8 * _AT_ONCE).hex()
    return [f"{_VARIANT[text[at]]}{text[at + 1 : at + 4]}-{text[at + 4 : at + 16]}" for at in range(0, len(text), 16)]


def is_id(text: str) -> bool:
    """Tell whether `text` is a UUID in canonical form."""
    return _CANONICAL.fullmatch(text) is not None


def time_of(text: str) -> datetime | None:
    """When an id was made, to the millisecond; None for what is no UUIDv7."""
    if not is_id(text) or text[14] != "7":
        return None
    return datetime.fromtimestamp(int(text[:8] + text[9:13], 16) / 1000, UTC)
