"""What must be known to nobody else, passwords, tokens, keys, codes, is in no log, no trace, no trail and no event."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from httpx2 import HTTPError
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis import telemetry
from chassis.bus.health import reason_of
from chassis.bus.transport import BusLost, PublishInDoubt, open_bus
from chassis.database import Database
from chassis.logs import JsonLine
from directory.broker_users import end_users_of_closed_accounts

from .conftest import FOLLOWER_SECRET, KEY, PASSWORD, SECRET, Platform, Rest, a_code
from .test_audit import keep_trails
from .test_second_factor import code_of

CLIENTS = ("httpx2", "httpcore2")
LEAST = 8  # characters: six digits, which are good once, stand in any long text by chance
_PLACES = {"audit_entry": "audit_entry::text", "outbox": "encode(data, 'escape') || headers::text"}
_LOGGED = {"event_log": "encode(data, 'escape') || headers::text"}


class Ears(logging.Handler):
    """Every line as it would be written, and every span as it would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLine("gateway"))
        self.lines: list[str] = []
        self.spans = InMemorySpanExporter()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; what HTTP clients say of each request is silenced by `start_logs`, and here the tests' own."""
        if not record.name.startswith(CLIENTS):
            self.lines.append(self.format(record))

    def heard(self) -> str:
        """All of it."""
        return "\n".join([*self.lines, *(one.to_json() for one in self.spans.get_finished_spans())])


@pytest.fixture
def ears(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ears]:
    """Listens at the usual level."""
    found, root = Ears(), logging.getLogger()
    provider = telemetry.make_tracing("probe", 1.0, found.spans)
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("probe"))
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(found)
    yield found
    root.removeHandler(found)
    root.setLevel(level)
    provider.force_flush()


class Person:
    """Somebody who signs in by every means; `secrets` are what only the person or the program may know."""

    def __init__(self, platform: Platform, admin: Rest, branch: dict[str, Any]) -> None:
        self.platform, self.admin, self.login = platform, admin, a_code("quiet")
        self.secrets = {"password": f"pass-{self.login}-unguessable", "other": f"new-{self.login}-unguessable"}
        positions = [{"unit_id": branch["id"], "title": "", "role": "seller"}]
        password = self.secrets["password"]
        body = {"display_name": self.login, "login": self.login, "password": password, "positions": positions}
        self.id = admin.post("/users", body)["id"]

    def work(self) -> None:
        """The usual: sign in, refresh, use a key, set up a second factor, change the password, sign out."""
        rest = self.platform.guest()
        body = {"login": self.login, "password": self.secrets["password"]}
        first = rest.post("/sessions", body)
        second = rest.post("/sessions/refresh", {"refresh_token": first["refresh_token"]})
        rest.token = second["access_token"]
        asked = {"user_id": self.id, "name": "bi", "scopes": ["read"], "days": 3}
        key = self.admin.post("/api_keys", asked)["secret"]
        program = self.platform.guest()
        program.token = key
        program.get("/persons")
        begun = rest.post("/users/me/second_factor")
        sent = {"code": code_of(begun["secret"])}
        codes = rest.post("/users/me/second_factor/confirm", sent)["recovery_codes"]
        new = {"old_password": self.secrets["password"], "new_password": self.secrets["other"]}
        rest.post("/users/me/password", new)
        self.secrets |= {"key": key, "totp": begun["secret"]}
        self.secrets |= {f"recovery {place}": one for place, one in enumerate(codes)}
        for name, one in (("first", first), ("second", second)):
            self.secrets |= {f"{name} access": one["access_token"], f"{name} refresh": one["refresh_token"]}

    def blunder(self) -> None:
        """The failing: everything sent where it is wrong, late or not expected."""
        guest = self.platform.guest()
        tried = {name: one for name, one in self.secrets.items() if not name.startswith("recovery")}
        for name, one in tried.items():
            for body in ({"login": one, "password": one}, {one: one}):
                assert guest.ask("POST", "/sessions", json=body).status_code in (400, 401), name
            guest.ask("POST", "/sessions/refresh", json={"refresh_token": f"{one}x"})
            guest.ask("GET", f"/units?token={quote(one)}")
            self.admin.ask("GET", f"/units?{quote(one)}=x")
            broken = self.platform.guest()
            broken.token = f"{one}x"
            broken.ask("GET", "/persons")
        guest.client.post("/sign-in", data={"login": self.login, "password": self.secrets["other"], "code": "000000"})

    def told(self, text: str) -> list[str]:
        """Those of the secrets that are in a text."""
        return [name for name, one in self.secrets.items() if one in text and len(one) >= LEAST]


def test_no_secret_is_in_a_log_a_trace_a_trail_or_an_event(
    platform: Platform, admin: Rest, a_branch: Any, ears: Ears
) -> None:
    person = Person(platform, admin, a_branch())
    person.work()
    person.blunder()
    keep_trails(platform)
    person.secrets |= {"the directory's key": KEY.splitlines()[1], "the administrator's": PASSWORD}
    person.secrets |= {"of a service": SECRET, "of the gateway": FOLLOWER_SECRET}

    heard = ears.heard()

    assert person.id in _stored(platform), "the trails and events of what was done are looked through"
    assert heard.count("request") > len(person.secrets), "requests were logged"
    assert person.told(heard) == []
    assert person.told(_stored(platform)) == []


def test_addresses_with_passwords_are_not_told_when_nobody_answers(platform: Platform, ears: Ears) -> None:
    secret = "an-unguessable-password"  # noqa: S105 (of nobody)
    port = sa.make_url(platform.databases["contacts"].url).port
    log, told = logging.getLogger("gateway.test"), []
    for url in (
        f"postgresql+psycopg://postgres:{secret}@127.0.0.1:{port}/none",
        f"amqp://crm:{secret}@127.0.0.1:9//",
        f"http://accounts:{secret}@127.0.0.1:9",
    ):
        try:
            _reach(url)
        except (sa.exc.SQLAlchemyError, BusLost, PublishInDoubt, HTTPError) as trouble:
            log.exception("not reached", extra={"reason": reason_of(trouble)})
            told.append(reason_of(trouble))
    assert len(told) == 3
    assert secret not in ears.heard() + "".join(told)


def _reach(url: str) -> None:
    if url.startswith("http"):
        end_users_of_closed_accounts(Database(url, "directory"), url)
    if url.startswith("amqp"):
        open_bus(url).publisher().begin("s", [])
        open_bus(url).declare(())
        return
    database = Database(url, "contacts")
    with database.transaction() as work:
        work.execute(sa.text("SELECT 1"))


def _stored(platform: Platform) -> str:
    found = []
    for database in platform.databases.values():
        with database.reading() as work:
            for table, columns in (_PLACES | _LOGGED).items():
                rows = work.execute(sa.text(f"SELECT {columns} FROM {table}")).scalars()  # noqa: S608 (of ours)
                found += [str(one) for one in rows]
    return "\n".join(found)
