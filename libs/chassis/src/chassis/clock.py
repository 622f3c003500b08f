"""What time it is, in a way that tests can set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_fixed: datetime | None = None


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return _fixed or datetime.now(UTC)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Hold the clock of this process at an aware moment; for tests."""
    global _fixed
    if moment.tzinfo is None:
        raise ValueError("the clock needs an aware datetime")
    before, _fixed = _fixed, moment.astimezone(UTC)
    try:
        yield
    finally:
        _fixed = before
