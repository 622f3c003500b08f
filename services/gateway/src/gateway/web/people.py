"""Who may be chosen where a colleague is wanted: from a list while there are few, by typing where there are many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from crm.directory.v1 import directory_pb2 as pb
from gateway.web.visits import Visit

FEW = 200  # more than a list that somebody looks through; a form stays small with any number of people
SHOWN = 8


@dataclass(frozen=True)
class People:
    """Colleagues as (id, name) by name; `listed` is None where there are too many to list."""

    listed: list[tuple[str, str]] | None

    def starting_with(self, *choices: tuple[str, str]) -> People:
        """The same with choices before them, or instead of the same id among them."""
        ids = [id for id, _ in choices]
        return People(None if self.listed is None else [*choices, *(one for one in self.listed if one[0] not in ids)])

    def without(self, user_id: str) -> People:
        """The same without one of them; typing still finds everybody."""
        return People(None if self.listed is None else [one for one in self.listed if one[0] != user_id])


def ask_for_people(unit_id: str = "", with_leavers: bool = False) -> tuple[str, str, Any]:
    """The call, as `Visit.gather` takes it, whose answer `people_of` reads."""
    asked = pb.ListUsersRequest(page_size=FEW, unit_id=unit_id, active_only=not with_leavers)
    return "directory", "ListUsers", asked


def people_of(answer: Any) -> People:
    """Who may be chosen; nobody where the directory is away."""
    if not answer:
        return People([])
    return People(None if answer.next_page_token else [(one.id, one.display_name) for one in answer.users])


def find_people(visit: Visit, typed: str) -> list[Any]:
    """The first colleagues of whose name the typed words begin words. Errors: RemoteError."""
    asked = pb.ListUsersRequest(query=typed, page_size=SHOWN, active_only=True)
    return list(visit.call("directory", "ListUsers", asked, timeout=3.0).users)
