"""How fast customers are made, read and found by gRPC, and how soon a write or a merge is seen elsewhere."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from branchline.bench.catalogue import Bench, Figure, Say
from branchline.bench.cpu import ApiUse
from branchline.bench.customers import Row, customer_rows
from branchline.bench.merging import measure_merges
from branchline.bench.visibility import measure_visibility
from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder, read_json
from branchline.platform.launch import BUS_VARIABLE, start_detached
from branchline.rest import connect
from chassis.rpc.client import Client, calling_as
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.contacts.v1.contacts_pb2_grpc import ContactsServiceStub
from crm.reporting.v1 import reporting_pb2 as reporting
from crm.reporting.v1.reporting_pb2_grpc import ReportingServiceStub

COMPANY = {"company": "Bench", "code": "hq", "country_code": "RU", "currency_code": "RUB", "time_zone": "Europe/Moscow"}
SECONDS = 15.0
CALLERS = 4
STOP_SECONDS = 30.0


def measure(say: Say) -> Sequence[Figure]:
    """Start a platform and call its api process directly, as the gateway does; over RabbitMQ too where one is named."""
    figures = _on_platform(
        "",
        say,
        lambda caller: [
            *caller.measure_calls(say),
            caller.measure_visible(say, "embedded", 2),
            *measure_merges(caller.folder, caller.token, caller.unit, say),
        ],
    )
    broker = os.environ.get(BUS_VARIABLE, "")
    if broker:
        figures += _on_platform(broker, say, lambda caller: [caller.measure_visible(say, "RabbitMQ", 1)])
    else:
        say(f"no RabbitMQ: name one by {BUS_VARIABLE} (amqp://…) to measure it too")
    return figures


def _on_platform(bus: str, say: Say, act: Callable[[_Caller], list[Figure]]) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="branchline-bench-") as name:
        folder = DataFolder(Path(name))
        try:
            start_detached(folder, 0, bus, COMPANY, say)
            return act(_Caller(folder))
        finally:
            stop_holder(folder, STOP_SECONDS)


class _Caller:
    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        with connect(folder) as rest:
            self.unit = rest.get("/units")["units"][0]["id"]
            kept = read_json(folder.credentials)
            login = {"login": kept["login"], "password": kept["password"]}
            self.token = rest.post("/sessions", login)["access_token"]
        address = f"127.0.0.1:{read_json(folder.ports)['grpc_port']}"
        self.contacts = Client("contacts", address, ContactsServiceStub)
        self.reporting = Client("reporting", address, ReportingServiceStub)
        self.use = ApiUse(folder)
        self.rows = customer_rows(1_000_000, seed=9)
        self.made: list[str] = []
        self.lock = threading.Lock()

    def measure_calls(self, say: Say) -> list[Figure]:
        """Calls a second of the processor time they take, and how long a search is waited for."""
        say("creating")
        created = self._load(self._create)
        say("reading")
        read = self._load(self._read)
        say("searching")
        search = self._times(self._search, 400)
        unit = "calls/s a core"
        return [
            Figure("persons created, a core of api and PostgreSQL", created[0], unit, must=600, aim=1_000),
            Figure("persons created, a core of the api alone", created[1], unit),
            Figure("persons read, a core of api and PostgreSQL", read[0], unit, must=1_200, aim=2_500),
            Figure("persons read, a core of the api alone", read[1], unit),
            Figure(
                f"search among {len(self.made):,} persons, p95", search, "ms", must=100, aim=30, lower_is_better=True
            ),
        ]

    def measure_visible(self, say: Say, bus: str, must: float) -> Figure:
        """How soon reporting counts a write."""
        say(f"waiting for reporting ({bus})")

        def write() -> None:
            with calling_as(self.token):
                self._create()

        with calling_as(self.token):
            seconds, pace = measure_visibility(write, self._counted)
        name = f"commit to visible in reporting at {pace:.0f} writes/s, {bus}, p95"
        return Figure(name, seconds, "s", must=must, aim=0.25, lower_is_better=True)

    def _load(self, act: Callable[[], None]) -> tuple[float, float]:
        """Calls by several callers, a second of processor time: of the api and PostgreSQL for it, of the api alone."""
        end, counts = time.monotonic() + SECONDS, [0] * CALLERS
        api, server = self.use.seconds()

        def call(number: int) -> None:
            with calling_as(self.token):
                while time.monotonic() < end:
                    act()
                    counts[number] += 1

        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(call, range(CALLERS)))
        api, server = (now - before for now, before in zip(self.use.seconds(), (api, server), strict=True))
        return sum(counts) / (api + server), sum(counts) / api

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


BENCH = Bench("calls", "How fast are single customers made, read, found, counted and merged?", measure)
