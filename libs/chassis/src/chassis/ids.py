"""New identifiers: UUIDv7, so that keys made later sort later."""

from __future__ import annotations

import os
import re
import struct
import threading
import time
from datetime import UTC, datetime

_lock = threading.Lock()
_last = 0
_AT_ONCE = 128  # random numbers asked of the system in one call, which takes as long as for one
_randoms: list[int] = []
os.register_at_fork(after_in_child=_randoms.clear)  # parent and child must not use the same ones
_CANONICAL = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> str:
    """Make one UUIDv7 as text; within a process each is greater than the one before.

    Source: RFC 9562 section 5.7; the 12 bits after the milliseconds count up within one millisecond (method 1).
    """
    global _last
    with _lock:
        stamp = time.time_ns() // 1_000_000 << 12
        _last = now = max(stamp, _last + 1)
        if not _randoms:
            _randoms.extend(struct.unpack(f">{_AT_ONCE}Q", os.urandom(8 * _AT_ONCE)))
        random = _randoms.pop()
    first, last = random >> 48 & 0x3FFF | 0x8000, random & 0xFFFF_FFFF_FFFF
    # uuid.UUID takes five times as long
    return f"{now >> 28:08x}-{now >> 12 & 0xFFFF:04x}-7{now & 0xFFF:03x}-{first:04x}-{last:012x}"


def is_id(text: str) -> bool:
    """Tell whether `text` is a UUID in canonical form."""
    return _CANONICAL.fullmatch(text) is not None


def time_of(text: str) -> datetime | None:
    """When an id was made, to the millisecond; None for what is no UUIDv7."""
    if not is_id(text) or text[14] != "7":
        return None
    return datetime.fromtimestamp(int(text[:8] + text[9:13], 16) / 1000, UTC)
