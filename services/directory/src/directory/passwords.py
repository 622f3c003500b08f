"""Whether a password is right; slow on purpose, and as slow for a login nobody has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from directory.errors import SignInThrottled

# Argon2id as RFC 9106 section 4 recommends for little memory: 64 MiB and about 0.2 s each, so two at a time.
_hasher = PasswordHasher()
AT_ONCE = 2
WAITING = 6  # callers beyond these are sent away, so that sign-ins never hold all threads of the service
_nobody: list[str] = []


def hash_password(password: str) -> str:
    """The hash to store."""
    return _hasher.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Tell whether `password` fits the stored hash; for None the same work is done and the answer is False.

    Errors: argon2's VerificationError where the machine could not work it out, which is no wrong password.
    """
    try:
        _hasher.verify(stored or _hash_of_nobody(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return stored is not None


class Turnstile:
    """Lets two callers check passwords at once and a few wait; others are sent away at once."""

    def __init__(self) -> None:
        self._waiting = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._working = threading.BoundedSemaphore(AT_ONCE)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and have it inside. Errors: SignInThrottled when too many wait already."""
        if not self._waiting.acquire(blocking=False):
            raise SignInThrottled(1)
        try:
            with self._working:
                yield
        finally:
            self._waiting.release()


def _hash_of_nobody() -> str:
    if not _nobody:
        _nobody.append(_hasher.hash("nobody has this password"))
    return _nobody[0]
