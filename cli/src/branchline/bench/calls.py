"""How many customers a second are made and read by gRPC, how fast search answers, how soon reporting shows a write."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from branchline.bench.catalogue import Bench, Figure, Say
from branchline.bench.customers import Row, customer_rows
from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder, read_json
from branchline.platform.launch import start_detached
from branchline.rest import connect
from chassis.rpc.client import Client, calling_as
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.contacts.v1.contacts_pb2_grpc import ContactsServiceStub
from crm.reporting.v1 import reporting_pb2 as reporting
from crm.reporting.v1.reporting_pb2_grpc import ReportingServiceStub

COMPANY = {"company": "Bench", "code": "hq", "country_code": "RU", "currency_code": "RUB", "time_zone": "Europe/Moscow"}
SECONDS = 15.0
CALLERS = 4
WRITES_A_SECOND = 100
STOP_SECONDS = 30.0


def measure(say: Say) -> Sequence[Figure]:
    """Start a platform and call its api process directly, as the gateway does."""
    with tempfile.TemporaryDirectory(prefix="branchline-bench-") as name:
        folder = DataFolder(Path(name))
        start_detached(folder, 0, "", COMPANY, lambda _: None)
        try:
            return _Caller(folder).measure(say)
        finally:
            stop_holder(folder, STOP_SECONDS)


class _Caller:
    def __init__(self, folder: DataFolder) -> None:
        with connect(folder) as rest:
            self.unit = rest.get("/units")["units"][0]["id"]
            kept = read_json(folder.credentials)
            login = {"login": kept["login"], "password": kept["password"]}
            self.token = rest.post("/sessions", login)["access_token"]
        address = f"127.0.0.1:{read_json(folder.ports)['grpc_port']}"
        self.contacts = Client("contacts", address, ContactsServiceStub)
        self.reporting = Client("reporting", address, ReportingServiceStub)
        self.api = psutil.Process(
            next(one["pid"] for one in read_json(folder.state)["processes"] if one["name"] == "api")
        )
        self.rows = customer_rows(1_000_000, seed=9)
        self.made: list[str] = []
        self.lock = threading.Lock()

    def measure(self, say: Say) -> Sequence[Figure]:
        say("creating")
        created, create_cores = self._load(self._create)
        say("reading")
        read, read_cores = self._load(self._read)
        say("searching")
        search = self._times(self._search, 400)
        say("waiting for reporting")
        visible = self._visible()
        return [
            Figure("persons created", created / create_cores, "calls/s a core of the api", must=600, aim=1_000),
            Figure("persons read", read / read_cores, "calls/s a core of the api", must=1_200, aim=2_500),
            Figure(
                f"search among {len(self.made):,} persons, p95", search, "ms", must=100, aim=30, lower_is_better=True
            ),
            Figure("commit to visible in reporting, p95", visible, "s", must=2, aim=0.25, lower_is_better=True),
        ]

    def _load(self, act: Callable[[], None]) -> tuple[float, float]:
        """Calls a second by several callers, and how many cores the api process used for them."""
        end, counts = time.monotonic() + SECONDS, [0] * CALLERS
        before = sum(self.api.cpu_times()[:2])

        def call(number: int) -> None:
            with calling_as(self.token):
                while time.monotonic() < end:
                    act()
                    counts[number] += 1

        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(call, range(CALLERS)))
        cores = (sum(self.api.cpu_times()[:2]) - before) / SECONDS
        return sum(counts) / SECONDS, max(cores, 0.05)

    def _create(self) -> None:
        with self.lock:
            row = next(self.rows)
        answer = self.contacts.call("CreatePerson", _request(row, self.unit))
        self.made.append(answer.person.id)

    def _read(self) -> None:
        person = self.made[hash(threading.get_ident() ^ time.monotonic_ns()) % len(self.made)]
        self.contacts.call("GetPerson", contacts.GetPersonRequest(person_id=person))

    def _search(self, number: int) -> None:
        texts = ("ivan", "morozov", f"9{number % 90 + 10:02d}", "company", "anna bel")
        self.contacts.call("SearchCustomers", contacts.SearchCustomersRequest(query=texts[number % len(texts)]))

    def _times(self, act: Callable[[int], None], times: int) -> float:
        taken = []
        with calling_as(self.token):
            for number in range(times):
                begun = time.perf_counter()
                act(number)
                taken.append((time.perf_counter() - begun) * 1000)
        return statistics.quantiles(taken, n=20)[-1]

    def _visible(self) -> float:
        """Write at a steady pace; of each tenth write measure how long the customers report takes to count it."""
        waits = []
        with calling_as(self.token):
            for number in range(int(SECONDS) * WRITES_A_SECOND):
                begun = time.monotonic()
                self._create()
                if number % 50 == 0:
                    known = len(self.made)
                    while self._counted() < known:
                        time.sleep(0.02)
                    waits.append(time.monotonic() - begun)
                time.sleep(max(0.0, 1 / WRITES_A_SECOND - (time.monotonic() - begun)))
        return statistics.quantiles(waits, n=20)[-1]

    def _counted(self) -> int:
        answer = self.reporting.call("RunReport", reporting.RunReportRequest(name="customers"))
        at = [column.name for column in answer.columns].index("persons")
        return int(answer.totals[0].cells[at].value)


def _request(row: Row, unit: str) -> contacts.CreatePersonRequest:
    number, given, family, phone, mail, *_ = row
    channels = [
        contacts.Channel(kind=contacts.CHANNEL_KIND_PHONE, raw=phone),
        contacts.Channel(kind=contacts.CHANNEL_KIND_EMAIL, raw=mail),
    ]
    person = contacts.Person(
        display_name=f"{given} {family} {number}", given_name=given, family_name=family, channels=channels, unit_id=unit
    )
    return contacts.CreatePersonRequest(request_id=str(uuid.uuid4()), person=person)


BENCH = Bench("calls", "How fast are single customers made, read, found and counted?", measure)
