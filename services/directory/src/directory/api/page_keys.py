"""What the page tokens of the directory's lists hold."""

from __future__ import annotations

from typing import Any

from chassis.errors import PageTokenInvalid
from chassis.ids import is_id

STRANGE = "the page token is not one of ours; ask for the first page again"


def name_in(key: list[Any] | None) -> tuple[str, str]:
    """The name key and id a page token holds; empty ones before the first page. Errors: PageTokenInvalid."""
    if key is None:
        return "", ""
    if len(key) != 2 or not all(isinstance(part, str) and "\0" not in part for part in key) or not is_id(key[1]):
        raise PageTokenInvalid(STRANGE)
    return key[0], key[1]


def id_in(key: list[Any] | None) -> str:
    """The id a page token holds; an empty one before the first page. Errors: PageTokenInvalid."""
    if key is None:
        return ""
    if len(key) != 1 or not isinstance(key[0], str) or not is_id(key[0]):
        raise PageTokenInvalid(STRANGE)
    return key[0]
