"""What the visibility filter costs: questions to a million customers of a thousand units, with it and without.

The customers are put into the database by itself, since only their number matters; questions travel by gRPC, as
callers ask them. `BRANCHLINE_BENCH_SIZE` takes a part of the customers, never of the units.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from branchline.bench.catalogue import Bench, Figure, Say
from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder, read_json
from branchline.platform.launch import start_detached
from branchline.rest import connect
from chassis.access import ALL, OWN, READ, SUBTREE, Access, Grant
from chassis.ids import new_id
from chassis.rpc.client import Client, calling_as
from chassis.tokens import TokenSigner
from crm.contacts.v1 import contacts_pb2 as pb
from crm.contacts.v1.contacts_pb2_grpc import ContactsServiceStub

COMPANY = {"company": "Bench", "code": "hq", "country_code": "RU", "currency_code": "RUB", "time_zone": "Europe/Moscow"}
SIZE = "BRANCHLINE_BENCH_SIZE"
PERSONS, REGIONS, BRANCHES_EACH, PEOPLE = 1_000_000, 24, 40, 5_000
ROUNDS, WARM = 40, 5
MOST_TIMES, MOST_GROWTH = 1.3, 1.3
STOP_SECONDS = 30.0
UNITS_SQL = """
INSERT INTO unit (id, kind, code, name, path, country_code, area_code, time_zone, currency_code, epoch, version)
SELECT gen_random_uuid(), 'branch', path, path, 'hq.' || path, 'RU', '495', 'Europe/Moscow', 'RUB', 1, 1
FROM (SELECT CASE WHEN branch = 0 THEN 'r' || region ELSE 'r' || region || '.b' || branch END AS path
      FROM generate_series(%(first)s::int, %(last)s::int) AS region,
           generate_series(0, %(branches)s::int) AS branch) AS named
"""
PERSONS_SQL = """
WITH branch AS (
    SELECT array_agg(id ORDER BY path) AS ids FROM unit WHERE path LIKE 'hq.%%.%%'
), numbered AS (
    SELECT number, (SELECT ids FROM branch)[1 + number %% %(branches)s::int] AS unit_id,
           (ARRAY['anna','boris','clara','dmitri','elena'])[1 + number %% 5] AS given,
           (ARRAY['ivanov','petrov','smirnov','orlov','lebedev','sokolov'])[1 + number %% 6] || number AS family
    FROM generate_series(1, %(persons)s::int) AS number
)
INSERT INTO person (id, version, display_name, sort_key, unit_id, unit_ids, owner_id, tax_id, tax_country, street, city,
    region, postal_code, country, attributes, creator_id, create_time, update_time, search, given_name, middle_name,
    family_name)
SELECT gen_random_uuid(), 1, given || ' ' || family, given || ' ' || family, unit_id, ARRAY[unit_id],
    (%(people)s::text[])[1 + number %% %(owners)s::int], '', '', '', '', '', '', '', '{}', '', now(), now(),
    array_to_tsvector(ARRAY['n' || given, 'n' || family, 'k' || left(family, 3)]), given, '', family
FROM numbered
"""


def measure(say: Say) -> Sequence[Figure]:
    """Start a platform, fill its customers, and ask the same questions with and without a filter."""
    persons = int(PERSONS * float(os.environ.get(SIZE, "1")))
    with tempfile.TemporaryDirectory(prefix="branchline-bench-") as name:
        folder = DataFolder(Path(name))
        try:
            start_detached(folder, 0, "", COMPANY, say)
            return _Asker(folder, persons, say).measure()
        finally:
            stop_holder(folder, STOP_SECONDS)


class _Asker:
    def __init__(self, folder: DataFolder, persons: int, say: Say) -> None:
        self.folder, self.persons, self.say = folder, persons, say
        self.people = [new_id() for _ in range(PEOPLE)]
        address = f"127.0.0.1:{read_json(folder.ports)['grpc_port']}"
        self.contacts = Client("contacts", address, ContactsServiceStub)
        self.signer = TokenSigner(str(read_json(folder.secrets)["token_private_key"]))
        with connect(folder) as rest:
            self.company = str(rest.get("/units")["units"][0]["id"])

    def measure(self) -> list[Figure]:
        self.say(f"putting {self.persons:,} customers into {REGIONS * BRANCHES_EACH:,} branches")
        with self._database() as database:
            database.execute(UNITS_SQL, {"first": 1, "last": REGIONS, "branches": BRANCHES_EACH})
            values = {"persons": self.persons, "people": self.people, "owners": PEOPLE}
            database.execute(PERSONS_SQL, {**values, "branches": REGIONS * BRANCHES_EACH})
            database.execute("VACUUM ANALYZE")
        everything = self._caller(Grant(READ, ALL))
        through_units = self._caller(Grant(READ, SUBTREE, "hq"), Grant(READ, OWN))
        figures = []
        for what, ask in self._questions().items():
            self.say(f"asking: {what}")
            free, filtered = self._times(ask, everything, through_units)
            figures.append(Figure(f"{what}, unfiltered", free, "ms"))
            figures.append(Figure(f"{what}, through all units", filtered / free, "times", MOST_TIMES, 1.1, True))
        return [*figures, *self._growth()]

    def _growth(self) -> list[Figure]:
        """A seller's list before and after as many units again came that he does not see."""
        seller = self._caller(Grant(READ, SUBTREE, "hq.r1.b1"), Grant(READ, OWN))
        ask = self._questions()["a page of customers"]
        before, _ = self._times(ask, seller, seller)
        with self._database() as database:
            more = {"first": REGIONS + 1, "last": 2 * REGIONS, "branches": BRANCHES_EACH}
            database.execute(UNITS_SQL, more)
            database.execute("ANALYZE unit")
        after, _ = self._times(ask, seller, seller)
        return [
            Figure("a seller's page of customers", before, "ms"),
            Figure("the same with 1,000 more units unseen", after / before, "times", MOST_GROWTH, 1.1, True),
        ]

    def _questions(self) -> dict[str, Callable[[str], object]]:
        asked: dict[str, tuple[str, Any]] = {
            "a page of customers": ("ListPersons", pb.ListPersonsRequest(page_size=50)),
            "a search": ("SearchCustomers", pb.SearchCustomersRequest(query="boris petrov", page_size=20)),
            "all customers counted": ("CountCustomers", pb.CountCustomersRequest()),
        }
        found = self._ask(self._caller(Grant(READ, ALL)), "ListPersons", pb.ListPersonsRequest(page_size=1)).persons
        asked["a card"] = ("GetPerson", pb.GetPersonRequest(person_id=found[0].id))
        return {what: lambda token, one=one: self._ask(token, *one) for what, one in asked.items()}  # type: ignore[misc]

    def _ask(self, token: str, method: str, request: Any) -> Any:
        with calling_as(token):
            return self.contacts.call(method, request, timeout=120)

    def _times(self, ask: Callable[[str], object], *tokens: str) -> list[float]:
        """The usual milliseconds of a question for each caller; they ask in turn, on the machine as it is."""
        taken: list[list[float]] = [[] for _ in tokens]
        for number in range(WARM + ROUNDS):
            for token, times in zip(tokens, taken, strict=True):
                begun = time.perf_counter()
                ask(token)
                if number >= WARM:
                    times.append((time.perf_counter() - begun) * 1_000)
        return [statistics.median(times) for times in taken]

    def _caller(self, *grants: Grant) -> str:
        access = Access(self.people[0], "Bench", self.company, grants)
        return self.signer.sign(access, life_seconds=3_600)

    def _database(self) -> psycopg.Connection[Any]:
        place = self.folder.path / "postgres"
        secret, port = (place / "password").read_text(), (place / "port").read_text()
        conninfo = f"host=127.0.0.1 port={port} user=postgres password={secret} dbname=contacts"
        return psycopg.connect(conninfo, autocommit=True)


BENCH = Bench("rights", "What does the visibility filter cost, and does it grow with what one cannot see?", measure)
