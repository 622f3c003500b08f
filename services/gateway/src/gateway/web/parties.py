"""Who a page of deals or activities is about: customers, users and units by name, looked up all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from crm.contacts.v1 import contacts_pb2 as contacts
from gateway.web.names import Colleague, Names, look_up_names
from gateway.web.visits import PANEL_SECONDS, Visit

NamesById = Mapping[str, str]
NO_NAMES: tuple[NamesById, NamesById] = ({}, {})
MOST = 500  # as one call takes


@dataclass(frozen=True)
class Parties:
    """What could be found; an id that nobody may see, or whose service is away, has no name."""

    persons: NamesById = field(default_factory=dict)
    organizations: NamesById = field(default_factory=dict)
    names: Names = field(default_factory=Names)

    def person(self, id: str) -> str:
        """Name of a person."""
        return self.persons.get(id, "")

    def organization(self, id: str) -> str:
        """Name of an organization."""
        return self.organizations.get(id, "")

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
    calls["_customers"] = partial(read_customer_names, visit, persons, organizations)
    found = visit.gather_calls(**calls)
    of_persons, of_organizations = found.pop("_customers") or NO_NAMES
    return Parties(of_persons, of_organizations, found.pop("_names")), found


def read_customer_names(
    visit: Visit, persons: Iterable[str], organizations: Iterable[str]
) -> tuple[NamesById, NamesById]:
    """Names of persons and of organizations by id, as far as the viewer may see them. Errors: RemoteError."""
    request = contacts.BatchGetCustomerNamesRequest(person_ids=_wanted(persons))
    request.organization_ids.extend(_wanted(organizations)[: MOST - len(request.person_ids)])
    if not request.person_ids and not request.organization_ids:
        return NO_NAMES
    found = _ask(visit, "contacts", "BatchGetCustomerNames", request)
    return found.person_names, found.organization_names


def _ask(visit: Visit, service: str, method: str, request: Any) -> Any:
    return visit.call(service, method, request, timeout=PANEL_SECONDS)


def _wanted(ids: Iterable[str]) -> list[str]:
    return sorted({one for one in ids if one})[:MOST]
