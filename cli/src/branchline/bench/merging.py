"""How soon two cards of one customer are one everywhere: from the call to merge until each service shows what moved.

The cards have a thousand relations: half of each kind on the card that goes, so that as much moves as in the worst case
of two cards equally old.
"""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

from branchline.bench.catalogue import Figure, Say
from branchline.platform.folder import DataFolder, read_json
from branchline.rest import Rest, connect
from chassis.dates import to_date
from chassis.rpc.client import Client, calling_as
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.contacts.v1.contacts_pb2_grpc import ContactsServiceStub
from crm.deals.v1 import deals_pb2 as deals
from crm.deals.v1.deals_pb2_grpc import DealsServiceStub
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from crm.scheduling.v1.scheduling_pb2_grpc import SchedulingServiceStub

INTERACTIONS, DEALS, ACTIVITIES, JOBS = 400, 300, 250, 50  # of both cards together
MERGES = 20
CALLERS = 4
LOOK_SECONDS = 0.02
PATIENCE_SECONDS = 60.0
HEARD = ("contacts", "deals")  # of scheduling reporting hears nothing; its own list shows what moved


class NeverMerged(RuntimeError):
    """A service did not come to show the one card."""


def measure_merges(folder: DataFolder, token: str, unit: str, say: Say) -> list[Figure]:
    """The figure, over merges one after another."""
    with connect(folder) as rest, calling_as(token):
        merger = _Merger(folder, rest, unit)
        say(f"making {MERGES} pairs of cards with {INTERACTIONS + DEALS + ACTIVITIES + JOBS:,} relations each")
        pairs = [merger.make_pair(token, number) for number in range(MERGES)]
        merger.await_all(merger.is_told)
        say("merging")
        taken = [merger.time_merge(*pair) for pair in pairs]
    calls, everywhere = zip(*taken, strict=True)
    name = "two cards with 1,000 relations merged"
    return [
        Figure(f"{name}, answered, p95", _p95(calls), "s", lower_is_better=True),
        Figure(f"{name}, visible in all services, p50", statistics.median(everywhere), "s", lower_is_better=True),
        Figure(f"{name}, visible in all services, p95", _p95(everywhere), "s", 2, 1, True),
    ]


def _p95(taken: Sequence[float]) -> float:
    """Among what was measured: never above the slowest."""
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]


class _Merger:
    def __init__(self, folder: DataFolder, rest: Rest, unit: str) -> None:
        address = f"127.0.0.1:{read_json(folder.ports)['grpc_port']}"
        self.contacts = Client("contacts", address, ContactsServiceStub)
        self.deals = Client("deals", address, DealsServiceStub)
        self.scheduling = Client("scheduling", address, SchedulingServiceStub)
        self.rest, self.unit = rest, unit
        self.firms = [self._firm(number) for number in range(JOBS)]

    def make_pair(self, token: str, number: int) -> tuple[Any, Any]:
        """Two persons with their relations, in turn on the one and the other."""
        cards = [self._person(f"{number} {side}", self.firms[side::2]) for side in range(2)]
        acts: list[Callable[[], object]] = [
            *(lambda n=n: self._talk(cards[n % 2].id, n) for n in range(INTERACTIONS)),
            *(lambda n=n: self._deal(cards[n % 2].id, n) for n in range(DEALS)),
            *(lambda n=n: self._activity(cards[n % 2].id, n) for n in range(ACTIVITIES)),
        ]

        def act(one: Callable[[], object]) -> None:
            with calling_as(token):
                one()

        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(act, acts))
        return self._read(cards[0].id), self._read(cards[1].id)

    def time_merge(self, first: Any, second: Any) -> tuple[float, float]:
        """Seconds until the merge is answered, and until every service shows it. Errors: NeverMerged."""
        cards = [contacts.MergedCard(id=one.id, etag=one.etag) for one in (first, second)]
        asked = contacts.MergeCustomersRequest(
            request_id=str(uuid.uuid4()), record_type="person", survivor_id=first.id, cards=cards
        )
        begun = time.monotonic()
        self.contacts.call("MergeCustomers", asked, timeout=PATIENCE_SECONDS)
        answered = time.monotonic() - begun
        # The lists are long: they are asked for when all is told, so that asking does not hold up what is measured.
        self.await_all(lambda: self.is_told() and self._counted(first.id) == (DEALS, ACTIVITIES))
        return answered, time.monotonic() - begun

    def await_all(self, shows: Callable[[], bool]) -> None:
        """Look until it is so. Errors: NeverMerged."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not shows():
            if time.monotonic() > end:
                raise NeverMerged(f"not everywhere after {PATIENCE_SECONDS:.0f} s")
            time.sleep(LOOK_SECONDS)

    def is_told(self) -> bool:
        """Whether reporting has taken in all that the services said."""
        handled = self.rest.get("/freshness")["positions"]
        for service in HEARD:
            lag = self.rest.get(f"/services/{service}/lag")
            behind = int(handled.get(lag["source"], 0)) < int(lag["last_position"])
            if int(lag["unnumbered"]) or behind or lag["waiting"]:
                return False
        return True

    def _counted(self, person_id: str) -> tuple[int, int]:
        sold = deals.ListDealsRequest(person_id=person_id, page_size=500)
        planned = scheduling.ListActivitiesRequest(person_id=person_id, page_size=500)
        return (
            len(self.deals.call("ListDeals", sold).deals),
            len(self.scheduling.call("ListActivities", planned).activities),
        )

    def _read(self, person_id: str) -> Any:
        return self.contacts.call("GetPerson", contacts.GetPersonRequest(person_id=person_id)).person

    def _firm(self, number: int) -> str:
        firm = contacts.Organization(display_name=f"Merged Works {number}", unit_id=self.unit)
        asked = contacts.CreateOrganizationRequest(request_id=str(uuid.uuid4()), organization=firm)
        return str(self.contacts.call("CreateOrganization", asked).organization.id)

    def _person(self, name: str, firms: list[str]) -> Any:
        jobs = [contacts.Affiliation(organization_id=one, role="buyer") for one in firms]
        person = contacts.Person(display_name=f"Merged {name}", unit_id=self.unit, affiliations=jobs)
        asked = contacts.CreatePersonRequest(request_id=str(uuid.uuid4()), person=person)
        return self.contacts.call("CreatePerson", asked).person

    def _talk(self, person_id: str, number: int) -> object:
        said = contacts.Interaction(
            kind=contacts.INTERACTION_KIND_NOTE, person_id=person_id, summary=f"Said {number}", unit_id=self.unit
        )
        asked = contacts.LogInteractionRequest(request_id=str(uuid.uuid4()), interaction=said)
        return self.contacts.call("LogInteraction", asked)

    def _deal(self, person_id: str, number: int) -> object:
        deal = deals.Deal(title=f"Deal {number}", person_id=person_id, unit_id=self.unit)
        asked = deals.CreateDealRequest(request_id=str(uuid.uuid4()), deal=deal)
        return self.deals.call("CreateDeal", asked)

    def _activity(self, person_id: str, number: int) -> object:
        task = scheduling.Activity(
            kind=scheduling.ACTIVITY_KIND_TASK, subject=f"Task {number}", person_id=person_id, unit_id=self.unit,
            due_date=to_date(date(2030, 1, 1)), time_zone="Europe/Moscow",
        )  # fmt: skip
        asked = scheduling.CreateActivityRequest(request_id=str(uuid.uuid4()), activity=task)
        return self.scheduling.call("CreateActivity", asked)
