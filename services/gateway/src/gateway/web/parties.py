"""Who a page of deals or activities is about: customers, users and units by name, looked up all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from crm.contacts.v1 import contacts_pb2 as contacts
from gateway.web.names import Colleague, Names, look_up_names
from gateway.web.visits import PANEL_SECONDS, Visit

MOST = 500  # of one kind, as the batches take


@dataclass(frozen=True)
class Parties:
    """What could be found; an id that nobody may see, or whose service is away, has no name."""

    persons: dict[str, Any] = field(default_factory=dict)
    organizations: dict[str, Any] = field(default_factory=dict)
    names: Names = field(default_factory=Names)

    def person(self, id: str) -> str:
        """Name of a person."""
        return str(self.persons[id].display_name) if id in self.persons else ""

    def organization(self, id: str) -> str:
        """Name of an organization."""
        return str(self.organizations[id].display_name) if id in self.organizations else ""

    def user(self, id: str) -> str:
        """Name of a user."""
        found = self.names.user(id)
        return found.name if found else ""

    def colleague(self, id: str) -> Colleague | None:
        """A user with unit and last day."""
        return self.names.user(id)

    def unit(self, id: str) -> str:
        """Name of a unit."""
        return self.names.unit(id)


def find_parties(
    visit: Visit,
    persons: Iterable[str] = (),
    organizations: Iterable[str] = (),
    users: Iterable[str] = (),
    **more: tuple[str, str, Any],
) -> tuple[Parties, dict[str, Any]]:
    """Names by id; `more` are calls as `Visit.gather` takes them, made meanwhile.

    Returns: the names, and the answers of `more`, `Away` where a service could not be reached. Errors: RemoteError.
    """
    asked = {one for one in users if one}
    calls: dict[str, Callable[[], Any]] = {name: partial(_ask, visit, *call) for name, call in more.items()}
    calls["_names"] = partial(look_up_names, visit, asked)
    if wanted := _wanted(persons):
        request = contacts.BatchGetPersonsRequest(person_ids=wanted)
        calls["_persons"] = partial(_ask, visit, "contacts", "BatchGetPersons", request)
    if wanted := _wanted(organizations):
        several = contacts.BatchGetOrganizationsRequest(organization_ids=wanted)
        calls["_organizations"] = partial(_ask, visit, "contacts", "BatchGetOrganizations", several)
    found = visit.gather_calls(**calls)
    names = found.pop("_names")
    by_id = {
        kind: {one.id: one for one in getattr(found.pop(f"_{kind}", None), kind, ())}
        for kind in ("persons", "organizations")
    }
    return Parties(**by_id, names=names), found


def _ask(visit: Visit, service: str, method: str, request: Any) -> Any:
    return visit.call(service, method, request, timeout=PANEL_SECONDS)


def _wanted(ids: Iterable[str]) -> list[str]:
    return sorted({one for one in ids if one})[:MOST]
