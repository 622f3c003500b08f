"""How long a leaver can still do something after access was closed: each way in is tried until it is shut.

Twenty leavers, one after the other, each with a session, an open page and its stream, a program's key, a feed that
waits, an export that runs, and where `DIRECTORY_BROKER_MANAGEMENT_URL` names a broker, a user of it with a reader.
`BRANCHLINE_BENCH_SIZE` takes a part of them.
"""

from __future__ import annotations

import math
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import kombu
import psycopg

from branchline.bench.catalogue import Bench, Figure, Say
from branchline.bench.rights import COMPANY, PERSONS_SQL, SIZE, STOP_SECONDS, UNITS_SQL
from branchline.bench.visitors import Visitor
from branchline.exits import Failure
from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder
from branchline.platform.launch import start_detached
from branchline.rest import Rest, connect
from chassis.ids import new_id

TRIALS, PERSONS, BRANCHES = 20, 40_000, 20
MUST_SECONDS, AIM_SECONDS = 60.0, 40.0
EACH_SECONDS = 1.0  # between two tries of one way
GIVE_UP_SECONDS = 120.0
PASSWORD = "a long password of the bench"  # noqa: S105 of people who live as long as the bench
MANAGEMENT = "DIRECTORY_BROKER_MANAGEMENT_URL"
UNDER_WAY = ("queued", "reading", "writing")


def measure(say: Say) -> Sequence[Figure]:
    """Start a platform, close one account after the other, and wait until nothing of it goes on."""
    trials = max(2, int(TRIALS * float(os.environ.get(SIZE, "1"))))
    with tempfile.TemporaryDirectory(prefix="branchline-bench-") as name:
        folder = DataFolder(Path(name))
        try:
            start_detached(folder, 0, "", COMPANY, say)
            with connect(folder) as rest:
                return _Trials(folder, rest, say).measure(trials)
        finally:
            stop_holder(folder, STOP_SECONDS)


class _Leaver:
    """One person and the ways in, each a question that answers whether it is still open."""

    def __init__(self, rest: Rest, login: str, unit_id: str) -> None:
        positions = [{"unit_id": unit_id, "title": "Leaver", "role": "administrator"}]
        body = {"display_name": login, "login": login, "password": PASSWORD, "positions": positions}
        self.login, self.rest, self.id = login, rest, str(rest.post("/users", body)["id"])
        self.client = httpx2.Client(base_url=rest.client.base_url, timeout=60)
        signed_in = self.client.post("/sessions", json={"login": login, "password": PASSWORD}).json()
        self.token = str(signed_in["access_token"])
        asked = {"user_id": self.id, "name": login, "scopes": ["read", "export"], "days": 2}
        self.key = str(rest.post("/api_keys", asked)["secret"])
        here = urlsplit(str(rest.client.base_url))
        self.visitor = Visitor(f"{here.scheme}://{here.netloc}", login, PASSWORD)

    def close(self) -> None:
        """Close the access, as a head would on the last day."""
        etag = self.rest.get(f"/users/{self.id}")["etag"]
        match = {"If-Match": f'"{etag}"'}
        self.rest.call("PATCH", f"/users/{self.id}", json={"active": False}, headers=match)

    def ways(self) -> dict[str, Callable[[], bool]]:
        """Every way in over HTTP."""
        return {
            "session": lambda: self._answers(self.token, "/users/me"),
            "program's key": lambda: self._answers(self.key, "/persons?page_size=1"),
            "feed of events": lambda: self._answers(
                self.token, "/services/contacts/events?after_position=999999&wait=20"
            ),
            "page": self._page_opens,
            "page's stream": self._stream_goes_on,
        }

    def ask_export(self) -> str:
        """An export of everything; answers its id."""
        headers = {"Authorization": f"Bearer {self.token}"}
        made = self.client.post("/exports", json={"list": "persons", "format": "csv"}, headers=headers)
        return str(made.raise_for_status().json()["id"])

    def _answers(self, token: str, path: str) -> bool:
        answer = self.client.get(path, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code != 401

    def _page_opens(self) -> bool:
        answer = self.visitor.client.get("/customers", follow_redirects=False)
        return answer.status_code == 200

    def _stream_goes_on(self) -> bool:
        """Listens until the stream ends; a new one is refused then."""
        asked = {"topics": f"person:{self.id}", "since": "0"}
        with suppress(httpx2.TransportError), self.visitor.client.stream("GET", "/live", params=asked) as stream:
            for _ in stream.iter_bytes():
                pass
            return stream.status_code == 200
        return False


class _Trials:
    def __init__(self, folder: DataFolder, rest: Rest, say: Say) -> None:
        self.folder, self.rest, self.say = folder, rest, say
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.broker = _Broker(os.environ[MANAGEMENT]) if os.environ.get(MANAGEMENT) else None
        self.company = str(rest.get("/units")["units"][0]["id"])

    def measure(self, trials: int) -> list[Figure]:
        self._fill()
        if self.broker is None:
            self.say(f"no broker: name its management interface by {MANAGEMENT} to measure its users too")
        waiting: list[threading.Thread] = []
        with ExitStack() as stack:
            export: threading.Thread | None = None
            for number in range(trials):
                leaver = _Leaver(self.rest, f"leaver{number}", self.company)
                if export is not None:
                    export.join(GIVE_UP_SECONDS)  # of the one before: exports run one after the other
                self.say(f"leaver {number + 1} of {trials}")
                threads = self._try_leaver(leaver, stack)
                waiting, export = [*waiting, *threads], threads[-1]
            for one in waiting:
                one.join(GIVE_UP_SECONDS)
        return [
            Figure(f"{way}, p95 of {len(found)}", _p95(found), "s", MUST_SECONDS, AIM_SECONDS, True)
            for way, found in sorted(self.seconds.items())
        ]

    def _try_leaver(self, leaver: _Leaver, stack: ExitStack) -> list[threading.Thread]:
        ways = leaver.ways()
        if self.broker is not None:
            ways["broker's user"] = self.broker.reader(f"ext-{leaver.login}", stack)
        export = leaver.ask_export()
        ways["export that runs"] = lambda: self._state(export) in UNDER_WAY
        self._await_reading(export)
        closed = threading.Event()
        at: list[float] = []
        threads = [
            threading.Thread(target=self._watch, args=(way, is_open, closed, at), daemon=True)
            for way, is_open in ways.items()
        ]
        for one in threads:
            one.start()
        time.sleep(EACH_SECONDS)  # each way was good a moment before
        leaver.close()
        at.append(time.monotonic())
        closed.set()
        return threads

    def _watch(self, way: str, is_open: Callable[[], bool], closed: threading.Event, at: list[float]) -> None:
        while is_open():
            time.sleep(EACH_SECONDS)
            if at and time.monotonic() - at[0] > GIVE_UP_SECONDS:
                break
        if not closed.is_set():
            raise Failure(f"the {way} was shut before the account was")
        self.seconds[way].append(time.monotonic() - at[0])

    def _await_reading(self, export: str) -> None:
        end = time.monotonic() + GIVE_UP_SECONDS
        while self._state(export) != "reading":
            if time.monotonic() > end:
                raise Failure(f"the export is {self._state(export)} and not read")
            time.sleep(0.05)

    def _state(self, export: str) -> str:
        [row] = self._ask("imports", "SELECT state FROM export WHERE id = %s", (export,))
        return str(row[0])

    def _fill(self) -> None:
        self.say(f"putting {PERSONS:,} customers into {BRANCHES} branches")
        people = [new_id()]
        self._ask("contacts", UNITS_SQL, {"first": 1, "last": 1, "branches": BRANCHES})
        values = {"persons": PERSONS, "people": people, "owners": 1, "branches": BRANCHES}
        self._ask("contacts", PERSONS_SQL, values)

    def _ask(self, name: str, statement: str, values: Any) -> list[Any]:
        place = self.folder.path / "postgres"
        secret, port = (place / "password").read_text(), (place / "port").read_text()
        conninfo = f"host=127.0.0.1 port={port} user=postgres password={secret} dbname={name}"
        with psycopg.connect(conninfo, autocommit=True) as database:
            found = database.execute(statement, values)
            return found.fetchall() if found.description else []


class _Broker:
    """A RabbitMQ with its management interface, whose users are made here and ended by the platform."""

    def __init__(self, management: str) -> None:
        self.api = httpx2.Client(base_url=f"{management.rstrip('/')}/api", timeout=10)
        self.host = str(urlsplit(management).hostname)
        listeners = self.api.get("/overview").raise_for_status().json()["listeners"]
        self.port = next(int(one["port"]) for one in listeners if one["protocol"] == "amqp")

    def reader(self, name: str, stack: ExitStack) -> Callable[[], bool]:
        """A user that is connected and listens; answers whether it still is."""
        self.api.put(f"/users/{name}", json={"password": PASSWORD, "tags": ""}).raise_for_status()
        rights = {"configure": "", "write": "", "read": ""}
        self.api.put(f"/permissions/%2F/{name}", json=rights).raise_for_status()
        connection = stack.enter_context(kombu.Connection(f"amqp://{name}:{quote(PASSWORD)}@{self.host}:{self.port}//"))
        connection.ensure_connection(max_retries=0)

        def goes_on() -> bool:
            try:
                connection.drain_events(timeout=EACH_SECONDS)
            except TimeoutError:
                return True
            except (OSError, *connection.connection_errors):
                return False
            return True

        return goes_on


def _p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[math.ceil(0.95 * len(seconds)) - 1]


BENCH = Bench("lockout", "How long after access was closed can a leaver still do something?", measure)
