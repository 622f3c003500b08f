"""How a command ends: its exit status, and the one exception that carries a refusal to the screen.

The numbers are documented in docs/user/command-line.md and are part of what scripts may rely on.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit statuses of every command."""

    OK = 0
    FAILED = 1  # what was asked for failed or was refused
    USAGE = 2  # the command line was wrong
    UNREACHABLE = 3  # the platform does not run or does not answer
    NOT_PERMITTED = 4  # not signed in, or the positions do not allow it
    INTERRUPTED = 130


class Failure(Exception):
    """A command cannot do what was asked: a sentence with the way out, and what a script needs to know."""

    def __init__(self, message: str, status: Exit = Exit.FAILED, reason: str = "FAILED", **details: Any) -> None:
        super().__init__(message)
        self.message, self.status, self.reason, self.details = message, status, reason, details
