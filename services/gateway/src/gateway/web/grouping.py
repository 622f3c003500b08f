"""A list in groups: what its records share, how many have it, and where the rows of each group are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.web.names import look_up_names
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

OWNER, UNIT, STAGE = "owner", "unit", "stage"
NOBODY = "none"  # in the place of a user, in addresses
GROUPINGS: Mapping[str, Sequence[str]] = {
    "customers": (OWNER, UNIT),
    "organizations": (OWNER, UNIT),
    "deals": (STAGE, OWNER, UNIT),
}


@dataclass(frozen=True)
class Group:
    """What records share, in words; `path` lists them, `sums` are their values by currency where they have some."""

    words: str
    path: str
    count: int
    sums: Sequence[Any] = ()


def read_grouping(visit: Visit, name: str) -> str:
    """By what the address groups a list; empty for not at all."""
    wanted = visit.query.get("group", "")
    return wanted if wanted in GROUPINGS[name] else ""


def list_groupings(visit: Visit, name: str) -> list[tuple[str, str, bool]]:
    """The choices as (words, address, whether it is the present one)."""
    words = {OWNER: _("Owner"), UNIT: _("Unit"), STAGE: _("Stage")}
    here = read_grouping(visit, name)
    ways = [(words[one], visit.url(group=one, page=None), one == here) for one in GROUPINGS[name]]
    return [(_("Not grouped"), visit.url(group=None, page=None), not here), *ways]


def make_groups(
    visit: Visit, grouping: str, answer: Any, path: Callable[[str], str], stages: Mapping[str, str]
) -> list[Group]:
    """The groups of an answer; `path` is the address of the list of a key. `stages` are names by ids."""
    found: Iterable[Any] = answer.groups if answer else ()
    names = look_up_names(visit, [one.key for one in found] if grouping == OWNER else [])

    def words_of(key: str) -> str:
        if grouping == STAGE:
            return stages.get(key, "…")
        if grouping == UNIT:
            return names.unit(key) or _("Somewhere else")
        user = names.user(key)
        return (user.name if user else _("a colleague elsewhere")) if key else _("Nobody is responsible")

    return [Group(words_of(one.key), path(one.key), one.count, getattr(one, "amounts", ())) for one in found]
