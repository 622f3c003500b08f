"""When two people change one record: which fields both changed, as before, theirs and mine, for a person to choose.

A field that only one of them changed is nobody's conflict and is taken from that one. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Clash:
    """One field that both changed; values as a form posts them, `shown` as people read them."""

    name: str
    label: str
    before: str
    theirs: str
    mine: str
    before_shown: str
    theirs_shown: str
    mine_shown: str


@dataclass(frozen=True)
class Conflict:
    """What `frame/conflict.html` shows: the clashes, and the values nobody disputes, for a form posted to `action`.

    The form posts every field with its chosen value, `etag`, and `before.<field>` with what is stored now; its answer
    goes into `target`.
    """

    action: str
    etag: str
    target: str
    clashes: Sequence[Clash]
    settled: Mapping[str, str]
    stored: Mapping[str, str]


def settle_fields(
    before: Mapping[str, str], theirs: Mapping[str, str], mine: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """What to store in each field of `mine`, and the names of those both changed, differently."""
    chosen = {name: theirs[name] if value == before.get(name, theirs[name]) else value for name, value in mine.items()}
    clashing = [
        name
        for name, value in mine.items()
        if value != before.get(name, theirs[name]) and theirs[name] not in (before.get(name, theirs[name]), value)
    ]
    return chosen, clashing


def make_conflict(
    action: str,
    etag: str,
    target: str,
    labels: Mapping[str, str],
    values: tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]],
    show: Callable[[str, str], str],
) -> Conflict | None:
    """The conflict between `values` (before, theirs, mine), None where nobody's change is in another's way.

    `show(name, value)` words a value for people.
    """
    before, theirs, mine = values
    chosen, clashing = settle_fields(before, theirs, mine)
    if not clashing:
        return None
    clashes = [
        Clash(
            name, labels[name], before[name], theirs[name], mine[name],
            *(show(name, one[name]) for one in (before, theirs, mine)),
        )
        for name in clashing
    ]  # fmt: skip
    settled = {name: value for name, value in chosen.items() if name not in clashing}
    return Conflict(action, etag, target, clashes, settled, {name: theirs[name] for name in mine})
