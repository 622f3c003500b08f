"""Keyset pages: a token holds the last row's sort key, and belongs to one question."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from chassis.errors import FieldInvalid, FieldViolation, PageTokenInvalid


def page_size(asked: int, default: int, most: int) -> int:
    """The size in force: 0 means the default. Errors: FieldInvalid below 0 or above `most`."""
    if asked < 0 or asked > most:
        raise FieldInvalid(FieldViolation("page_size", f"is {asked}; use 1 to {most}, or 0 for {default}"))
    return asked or default


def make_token(question: str, key: list[Any]) -> str:
    """A token for the page after `key` (JSON values) of a question (its name and filters as text)."""
    body = json.dumps([_mark(question, key), key], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def read_token(question: str, token: str) -> list[Any] | None:
    """The key in a token, None for the first page.

    Errors: PageTokenInvalid when it is not ours, was changed, or is of another question.
    """
    if not token:
        return None
    try:
        mark, key = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error, TypeError, RecursionError):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again") from None
    if not isinstance(key, list) or mark != _mark(question, key):
        raise PageTokenInvalid("the page token belongs to a different question; ask for the first page again")
    return key


def _mark(question: str, key: list[Any]) -> str:
    """Ties a key to its question, so that a token damaged on its way is refused before it reaches a statement."""
    return hashlib.sha256(json.dumps([question, key]).encode()).hexdigest()[:12]
