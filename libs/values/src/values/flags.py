"""Yes and no in the words people write, in the languages of the product and of the files that come to it."""

from __future__ import annotations

__all__ = ["read_yes_no"]

_YES = frozenset(("1", "yes", "y", "true", "да", "+", "x", "ja", "oui", "si", "sí", "はい", "نعم", "بله"))
_NO = frozenset(("0", "no", "n", "false", "нет", "nein", "non", "いいえ", "لا", "خیر"))


def read_yes_no(text: str) -> bool | None:
    """True or False; None for a text that says neither."""
    word = text.strip().casefold()
    return True if word in _YES else False if word in _NO else None
