"""The other services as imports sees them: what texts mean, and taking batches of rows. One file speaks gRPC."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC
from typing import Any

from chassis.rpc.client import Client, calling_as
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.contacts.v1.contacts_pb2_grpc import ContactsServiceStub
from crm.deals.v1 import deals_pb2 as deals
from crm.deals.v1.deals_pb2_grpc import DealsServiceStub
from crm.directory.v1 import directory_pb2 as directory
from crm.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from crm.reporting.v1.reporting_pb2_grpc import ReportingServiceStub
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from crm.scheduling.v1.scheduling_pb2_grpc import SchedulingServiceStub
from imports.references import Meaning
from imports.settings import SERVICE, Settings
from values.names import fold_name

BATCH_TIMEOUT = 60.0  # seconds: a batch of 1,000 rows takes well under one; the rest is patience
TOKEN_REST = 60.0  # seconds of life below which a token is renewed
MOST_SEARCHED, MOST_FOUND = 100, 50  # customers whose deals are asked for at once, and deals told
NARROW_AGE = 10.0  # seconds that a token for an export is used: who is locked out takes nothing away for longer


class PeerServices:
    """Calls made for the user who started a run, with the rights that user has now."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.directory = Client("directory", settings.directory_address, DirectoryServiceStub)
        self.contacts = Client("contacts", settings.contacts_address, ContactsServiceStub)
        self.deals = Client("deals", settings.deals_address, DealsServiceStub)
        self.scheduling = Client("scheduling", settings.scheduling_address, SchedulingServiceStub)
        self.reporting = Client("reporting", settings.reporting_address, ReportingServiceStub)
        self._tokens: dict[tuple[str, str, str], tuple[str, float]] = {}  # with the moment from which on it is renewed
        self._lock = threading.Lock()

    @contextmanager
    def acting_for(self, user_id: str, action: str = "", records: str = "") -> Iterator[None]:
        """Make the calls inside for this user, with an `action` only for what the user may do it with.

        Errors: SIGN_IN_REFUSED when the user's access was closed, NOT_PERMITTED when the user may do it nowhere.
        """
        with calling_as(self._token_for(user_id, action, records)):
            yield

    def _token_for(self, user_id: str, action: str, records: str) -> str:
        with self._lock:
            token, good_until = self._tokens.get((user_id, action, records), ("", 0.0))
            if time.time() < good_until:
                return token
            request = directory.ActForUserRequest(
                service=SERVICE,
                service_secret=self.settings.service_secret,
                user_id=user_id,
                action=action,
                records=records,
            )
            answer = self.directory.call("ActForUser", request, retry=True)
            end = answer.expire_time.ToDatetime(UTC).timestamp() - TOKEN_REST
            good_until = min(end, time.time() + NARROW_AGE) if action else end
            self._tokens[user_id, action, records] = (answer.access_token, good_until)
            return str(answer.access_token)

    def read(self, service: str, method: str, request: Any) -> Any:
        """Read a page of a list, or a report."""
        client: Client = getattr(self, service)
        return client.call(method, request, timeout=BATCH_TIMEOUT)

    def user_names(self, user_ids: Sequence[str]) -> dict[str, str]:
        """The names of users by id, as far as they may be seen."""
        if not user_ids:
            return {}
        answer = self.directory.call("BatchGetUsers", directory.BatchGetUsersRequest(user_ids=user_ids))
        return {one.id: one.display_name for one in answer.users}

    def customer_names(
        self, person_ids: Sequence[str], organization_ids: Sequence[str]
    ) -> tuple[dict[str, str], dict[str, str]]:
        """The names of persons and of organizations by id, as far as they may be seen; at most 500 of each."""
        if not person_ids and not organization_ids:
            return {}, {}
        persons = contacts.BatchGetCustomerNamesRequest(person_ids=person_ids)
        organizations = contacts.BatchGetCustomerNamesRequest(organization_ids=organization_ids)
        return (
            dict(self.contacts.call("BatchGetCustomerNames", persons).person_names) if person_ids else {},
            dict(self.contacts.call("BatchGetCustomerNames", organizations).organization_names)
            if organization_ids
            else {},
        )

    def unit_names(self) -> dict[str, str]:
        """The names of all units the user may see, by id."""
        return {one.id: one.name for one in self._units("")}

    def match_users(self, texts: Sequence[str], unit_id: str) -> list[Meaning]:
        """Which users names, logins, e-mails or numbers mean; details carry the user's unit."""
        answer = self.directory.call("MatchUsers", directory.MatchUsersRequest(texts=texts, unit_id=unit_id))
        return [
            Meaning(one.user_id, tuple(one.suggestions), one.ambiguous, {"unit_id": one.unit_id})
            for one in answer.matches
        ]

    def match_units(self, texts: Sequence[str], unit_id: str) -> list[Meaning]:
        """Which units below the run's unit paths, codes or names mean."""
        units = self._units(unit_id)
        return [_match_unit(text, units) for text in texts]

    def _units(self, unit_id: str) -> list[Any]:
        units: list[Any] = []
        token = ""
        while True:
            request = directory.ListUnitsRequest(page_size=1000, page_token=token, unit_id=unit_id)
            answer = self.directory.call("ListUnits", request)
            units.extend(answer.units)
            token = answer.next_page_token
            if not token:
                return units

    def match_products(self, texts: Sequence[str]) -> list[Meaning]:
        """Which products names or codes mean; details say whether fractions are allowed."""
        answer = self.deals.call("MatchCatalogue", deals.MatchCatalogueRequest(products=texts))
        return [
            Meaning(
                one.id,
                tuple(one.suggestions),
                details={"name": one.name, "fraction_allowed": one.fraction_allowed, "unit": one.unit_of_measure},
            )
            for one in answer.products
        ]

    def match_stages(self, texts: Sequence[str]) -> list[Meaning]:
        """Which stages of the default pipeline names mean; details say what the stage means."""
        answer = self.deals.call("MatchCatalogue", deals.MatchCatalogueRequest(stages=texts))
        return [
            Meaning(one.id, tuple(one.suggestions), details={"name": one.name, "kind": one.stage_kind})
            for one in answer.stages
        ]

    def match_customers(self, references: Sequence[Any], unit_id: str, source: str) -> list[Any]:
        """Which organizations and persons references mean (contacts' CustomerMatch)."""
        request = contacts.MatchCustomersRequest(references=references, unit_id=unit_id, source=source)
        return list(self.contacts.call("MatchCustomers", request, timeout=BATCH_TIMEOUT).matches)

    def undo(self, request: contacts.UndoImportRequest) -> contacts.UndoImportResponse:
        """Take back what a run did to some cards, or tell what would become of them; repeated safely."""
        answer: contacts.UndoImportResponse = self.contacts.call("UndoImport", request, timeout=BATCH_TIMEOUT)
        return answer

    def find_used(self, record_type: str, record_ids: Sequence[str]) -> list[str]:
        """Those of these customers that a deal or an open activity names, as far as the user sees it."""
        if not record_ids:
            return []
        field, names = f"{record_type}_id", f"{record_type}_ids"
        steps = scheduling.BatchGetNextStepsRequest(**{names: record_ids})
        found = {getattr(one, field) for one in self.scheduling.call("BatchGetNextSteps", steps).next_steps}
        for at in range(0, len(record_ids), MOST_SEARCHED):
            left = list(record_ids[at : at + MOST_SEARCHED])
            while left:
                asked = deals.SearchDealsRequest(page_size=MOST_FOUND)
                getattr(asked, names).extend(left)
                named = [getattr(one, field) for one in self.deals.call("SearchDeals", asked).deals]
                found.update(named)
                left = [one for one in left if one not in named] if len(named) == MOST_FOUND else []
        return sorted(found & set(record_ids))

    def take(self, service: str, method: str, request: Any) -> list[Any]:
        """Hand over one batch; the fates come in the order of its rows. Repeated safely by its request id."""
        client: Client = getattr(self, service)
        answer = client.call(method, request, timeout=BATCH_TIMEOUT)
        return list(answer.fates)

    def close(self) -> None:
        """Close the channels."""
        for client in (self.directory, self.contacts, self.deals, self.scheduling, self.reporting):
            client.close()


def _match_unit(text: str, units: Sequence[Any]) -> Meaning:
    folded = fold_name(text)
    for spelled in ("id", "path", "code", "name"):
        fits = [one for one in units if getattr(one, spelled) == text or fold_name(getattr(one, spelled)) == folded]
        if len(fits) == 1:
            return Meaning(fits[0].id)
        if fits:
            return Meaning("", tuple(one.path for one in fits[:3]), ambiguous=True)
    return Meaning("", tuple(one.name for one in units if folded and folded in fold_name(one.name))[:3])
