"""Fills a platform with a company at work, for measuring its people's pages, and remembers in the folder what it made.

Rows travel by the services' own import calls; a folder that holds a company already is used as it is.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import psycopg

from branchline.bench import company_rows as rows
from branchline.bench.catalogue import Say
from branchline.bench.company_rows import SELLERS_EACH, Company, Worker
from branchline.bench.customers import GIVEN, PERSONS_A_COMPANY, ROOTS
from branchline.exits import Failure
from branchline.platform.environment import SERVICES
from branchline.platform.folder import DataFolder, read_json, write_json
from branchline.rest import Rest, connect
from chassis.errors import RemoteError
from chassis.rpc.client import Client, calling_as
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.contacts.v1.contacts_pb2_grpc import ContactsServiceStub
from crm.deals.v1 import deals_pb2 as deals
from crm.deals.v1.deals_pb2_grpc import DealsServiceStub
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from crm.scheduling.v1.scheduling_pb2_grpc import SchedulingServiceStub

ORGANIZATIONS, PERSONS, DEALS, INTERACTIONS, ACTIVITIES = 20_000, 100_000, 50_000, 500_000, 20_000
REGIONS, BRANCHES_EACH = 4, 5
BATCH = 1_000  # rows of one call at full size; the most a service takes
CALLERS = 2  # the api process has one core at most
TOLD_EVERY = 20  # calls
TOKEN_SECONDS = 120  # of the 300 one lives
NEWS_SECONDS = 60.0  # until every service knows a new unit
SETTLE_SECONDS = 3_600.0
PASSWORD = "only for measuring pages"
BEGINNING = "2020-01-01"
PLACE = {"country_code": "RU", "currency_code": "RUB", "time_zone": "Europe/Moscow", "area_code": "495"}
MANIFEST = "company-at-work.json"


def seeded_company(folder: DataFolder, scale: float, say: Say) -> Company:
    """The company of a running platform, made now where the folder has none. Errors: Failure for one of other size."""
    kept = read_json(folder.path / MANIFEST)
    if not kept:
        made = _Seeder(folder, scale, say).seed()
        write_json(folder.path / MANIFEST, asdict(made))
        return made
    for name in ("sellers", "heads"):
        kept[name] = [Worker(**one) for one in kept[name]]
    found = Company(**kept)
    if found.scale != scale:
        raise Failure(f"{folder.path} holds a company of {found.scale} of the full size, not of {scale}")
    return found


class _Seeder:
    def __init__(self, folder: DataFolder, scale: float, say: Say) -> None:
        self.folder, self.say, self.now = folder, say, datetime.now(UTC)
        self.company = Company(scale, max(int(BATCH * min(scale, 1)), REGIONS * BRANCHES_EACH * PERSONS_A_COMPANY))
        address = f"127.0.0.1:{read_json(folder.ports)['grpc_port']}"
        self.contacts = Client("contacts", address, ContactsServiceStub)
        self.deals = Client("deals", address, DealsServiceStub)
        self.scheduling = Client("scheduling", address, SchedulingServiceStub)
        self.kept = (-float(TOKEN_SECONDS), "")

    def seed(self) -> Company:
        self.say("making branches and people")
        with connect(self.folder) as rest:
            _hire_all(rest, self.company)
        self._customers()
        self._deals()
        self.say("making plans and activities")
        for worker in self.company.sellers:
            plan = rows.plan_of(worker, date.today())
            self._call(self.deals, "SetPlan", deals.SetPlanRequest(request_id=str(uuid.uuid4()), plan=plan))
        with ThreadPoolExecutor(CALLERS) as pool:
            list(pool.map(self._plan, range(self._sized(ACTIVITIES))))
        self.say("waiting until every service knows all of it")
        with connect(self.folder) as rest:
            _settle(rest)
        _vacuum(self.folder)
        return self.company

    def _customers(self) -> None:
        made, few = self.company, self.company.batch // PERSONS_A_COMPANY
        organizations = partial(rows.organization_row, made)
        made.organizations.extend(self._import("Organizations", self._sized(ORGANIZATIONS), organizations, few))
        made.persons.extend(self._import("Persons", self._sized(PERSONS), partial(rows.person_row, made)))
        total = self._sized(INTERACTIONS)
        self._import("Interactions", total, lambda number: rows.interaction_row(made, number, self.now, total))

    def _deals(self) -> None:
        made, today = self.company, date.today()
        pipeline = self._call(self.deals, "ListPipelines", deals.ListPipelinesRequest()).pipelines[0]
        made.deals.extend(
            self._import("Deals", self._sized(DEALS), lambda number: rows.deal_row(made, number, pipeline, today))
        )

    def _plan(self, number: int) -> None:
        activity = rows.activity_of(self.company, number, self.now)
        request = scheduling.CreateActivityRequest(request_id=f"bench-{number}", activity=activity)
        self._call(self.scheduling, "CreateActivity", request)

    def _import(self, what: str, total: int, row: Callable[[int], Any], size: int = 0) -> list[str]:
        """The ids of rows 0 to `total`, in their order; each call brings `size` rows of one branch."""
        size = size or self.company.batch
        contract, client = (deals, self.deals) if what == "Deals" else (contacts, self.contacts)

        def send(start: int) -> list[str]:
            if start // size % TOLD_EVERY == 0:
                self.say(f"{start:,} of {total:,} {what.lower()}")
            asked = getattr(contract, f"Import{what}Request")(
                request_id=f"bench-{what}-{start}",
                rows=[row(number) for number in range(start, min(start + size, total))],
                unit_id=self.company.branches[start // size % len(self.company.branches)],
                source="bench",
            )
            for at, one in enumerate(asked.rows):
                one.provenance.CopyFrom(contract.Provenance(run_id="bench", file="bench.xlsx", row=at + 2))
            fates = self._call(client, f"Import{what}", asked).fates
            for fate in fates:
                if fate.fate == contract.FATE_REFUSED:
                    raise Failure(f"a row of {what} was refused: {fate.reason} {fate.message}")
            return [fate.record_id for fate in fates]

        with ThreadPoolExecutor(CALLERS) as pool:
            return [one for ids in pool.map(send, range(0, total, size)) for one in ids]

    def _call(self, client: Client, method: str, request: Any) -> Any:
        """A call as the administrator, again while news of a new unit is on its way."""
        end = time.monotonic() + NEWS_SECONDS
        while True:
            try:
                with calling_as(self._token()):
                    return client.call(method, request, timeout=120)
            except RemoteError as refusal:
                if refusal.reason != "UNIT_NOT_KNOWN" or time.monotonic() > end:
                    raise
            time.sleep(0.5)

    def _token(self) -> str:
        made, token = self.kept
        if time.monotonic() - made > TOKEN_SECONDS:
            kept = read_json(self.folder.credentials)
            with connect(self.folder) as rest:
                token = rest.post("/sessions", {"login": kept["login"], "password": kept["password"]})["access_token"]
            self.kept = (time.monotonic(), str(token))
        return self.kept[1]

    def _sized(self, full: int) -> int:
        return int(full * self.company.scale)


def _hire_all(rest: Rest, company: Company) -> None:
    chance = random.Random(11)
    top = rest.get("/units")["units"][0]["id"]
    for region in range(REGIONS):
        above = _unit(rest, f"r{region}", f"Region {region}", "region", top)
        for branch in range(BRANCHES_EACH):
            unit = _unit(rest, f"r{region}b{branch}", f"Branch {region}.{branch}", "branch", above)
            company.branches.append(unit)
            company.heads.append(_hire(rest, f"head-{region}-{branch}", "head", unit, chance))
            for number in range(SELLERS_EACH):
                company.sellers.append(_hire(rest, f"seller-{region}-{branch}-{number}", "seller", unit, chance))


def _unit(rest: Rest, code: str, name: str, kind: str, above: str) -> str:
    body = {"code": code, "name": name, "kind": kind, "parent_id": above, "start_date": BEGINNING}
    return str(rest.post("/units", {**body, **PLACE}, key=f"bench-{code}")["id"])


def _hire(rest: Rest, login: str, role: str, unit: str, chance: random.Random) -> Worker:
    position = {"unit_id": unit, "title": role, "role": role, "start_date": BEGINNING}
    name = f"{chance.choice(GIVEN)} {chance.choice(ROOTS)}"
    body = {"display_name": name, "login": login, "password": PASSWORD, "positions": [position]}
    return Worker(login, str(rest.post("/users", body, key=f"bench-{login}")["id"]), unit)


def _settle(rest: Rest) -> None:
    """Wait until reporting has taken what every service said."""
    end = time.monotonic() + SETTLE_SECONDS
    while not all(_is_heard(rest, service) for service in SERVICES if service != "reporting"):
        if time.monotonic() > end:
            raise Failure("the services did not take the seeded rows within an hour")
        time.sleep(2)


def _is_heard(rest: Rest, service: str) -> bool:
    handled: dict[str, Any] = rest.get("/freshness")["positions"]
    lag = rest.get(f"/services/{service}/lag")
    known = lag["source"] not in handled or int(handled[lag["source"]]) >= int(lag["last_position"])
    return known and not int(lag["unnumbered"]) and not lag["waiting"]


def _vacuum(folder: DataFolder) -> None:
    """Do now what autovacuum would have done by the next morning."""
    secret = (folder.path / "postgres" / "password").read_text()
    port = (folder.path / "postgres" / "port").read_text()
    for name in SERVICES:
        conninfo = f"host=127.0.0.1 port={port} user=postgres password={secret} dbname={name}"
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
