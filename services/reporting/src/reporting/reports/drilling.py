"""The key of a figure: which groups, currency and measure its records have; opaque to callers, checked on return."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass

from reporting.errors import invalid
from reporting.reports.scope import Scope

MAX_KEY = 4_000


@dataclass(frozen=True)
class Drill:
    """What one figure is about. `groups` None: a total; `currency` None: all of them; `part` names a row."""

    measure: str
    groups: tuple[str, ...] | None = None
    currency: str | None = None
    part: str = ""


def make_key(drill: Drill) -> str:
    """The key as text."""
    body = [drill.measure, drill.groups, drill.currency, drill.part]
    if not drill.part:
        body.pop()
    while body[-1] is None:
        body.pop()
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()).decode()


def read_key(scope: Scope, text: str, measures: Sequence[str]) -> Drill:
    """The figure a key is about. Errors: FieldInvalid where it is none of this report's with these parameters."""
    wrong = invalid("drill_key", "is not a key of this report with these parameters; take it from a cell")
    if not text or len(text) > MAX_KEY:
        raise wrong
    try:
        measure, groups, currency, part = (json.loads(base64.urlsafe_b64decode(text)) + [None] * 3)[:4]
    except (ValueError, binascii.Error, TypeError, RecursionError):
        raise wrong from None
    if measure not in measures or not isinstance(groups or [], list):
        raise wrong
    if not all(_is_text(one) for one in (*(groups or []), part or "", currency or "")):
        raise wrong
    if groups is not None and len(groups) != len(scope.group_by):
        raise wrong
    return Drill(measure, None if groups is None else tuple(groups), currency, part or "")


def _is_text(value: object) -> bool:
    """Tell whether a value is a text the database could hold: no NUL, no half of a surrogate pair."""
    return isinstance(value, str) and "\0" not in value and value == value.encode(errors="ignore").decode()
