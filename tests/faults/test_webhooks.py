"""F-39: receivers of webhooks that fail in every way: the schedule is kept, records stay in order, no other waits."""

from __future__ import annotations

import base64
import hmac
import json
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import clock
from chassis.access import ALL, READ, SUBSCRIBE, Access, Grant
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.migrate import migrate
from chassis.testing.postgres import fresh_database, postgres
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.platform.v1 import events_pb2 as pb
from gateway.settings import MIGRATIONS
from gateway.tables import webhook, webhook_attempt, webhook_waiting
from gateway.webhooks import rules, subscriptions
from gateway.webhooks.addresses import read_networks
from gateway.webhooks.carrying import Carrier
from gateway.webhooks.sending import Limits, Post
from gateway.webhooks.signing import MARK, Sealing
from gateway.webhooks.telling import Sight

__all__ = ["postgres"]

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OWNER = Access(new_id(), grants=(Grant(READ, ALL), Grant(SUBSCRIBE, ALL)))
LIMITS = Limits(connect=0.5, headers=0.6, whole=1.0)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


class Receiver:
    """A receiver that does to each request what `act` says, and keeps what it was told."""

    def __init__(self) -> None:
        self.act: Callable[[socket.socket, dict[str, Any]], None] = answer(200)
        self.told: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/in"

    def close(self) -> None:
        """Take nothing more."""
        self._listener.close()

    def _run(self) -> None:
        while True:
            try:
                channel, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._take, args=(channel,), daemon=True).start()

    def _take(self, channel: socket.socket) -> None:
        with channel:
            data = b""
            while b"\r\n\r\n" not in data:
                data += channel.recv(65_536)
            head, _, body = data.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            headers = {name.lower(): value for name, value in (one.split(": ", 1) for one in lines)}
            while len(body) < int(headers["content-length"]):
                body += channel.recv(65_536)
            event = json.loads(body)
            self.paths.append(first)
            self.headers.append({**headers, "body": body.decode()})
            self.told.append(event)
            try:
                self.act(channel, event)
            except OSError:
                return  # hung up on


def answer(status: int, *lines: str) -> Callable[[socket.socket, dict[str, Any]], None]:
    """Answer with a status and no body."""
    text = "\r\n".join((f"HTTP/1.1 {status} X", "Content-Length: 0", *lines, "", "")).encode()
    return lambda channel, _event: channel.sendall(text)


def hang(_channel: socket.socket, _event: dict[str, Any]) -> None:
    """Say nothing for longer than anybody waits."""
    time.sleep(LIMITS.whole * 2)


def drip(channel: socket.socket, _event: dict[str, Any]) -> None:
    """Say a body of a hundred bytes, a byte at a time."""
    channel.sendall(HEAD % 100)
    for _ in range(100):
        channel.sendall(b"x")
        time.sleep(LIMITS.whole / 5)


def drop(channel: socket.socket, _event: dict[str, Any]) -> None:
    """Promise a body and hang up."""
    channel.sendall(HEAD % 100)


class Flood:
    """Say a gibibyte; `sent` is how much of it was taken."""

    def __init__(self) -> None:
        self.sent = 0

    def __call__(self, channel: socket.socket, _event: dict[str, Any]) -> None:
        channel.sendall(HEAD % 2**30)
        for _ in range(2**14):
            channel.sendall(b"x" * 2**16)
            self.sent += 2**16


class Log:
    """A log of deals' events in the place of the services'."""

    def __init__(self) -> None:
        self.events: list[pb.Event] = []

    def say(self, *record_ids: str) -> None:
        """One event of each record."""
        for one in record_ids:
            message = deals.DealOpened(deal=deals.DealState(id=one, title=f"say {len(self.events)}"))
            event = pb.Event(
                position=len(self.events) + 1, epoch=1, event_id=new_id(), aggregate="deal", aggregate_id=one,
                version=1, type=message.DESCRIPTOR.full_name, routing_key="crm.deals.deal.created.v1.p00.hq.e",
                data=message.SerializeToString(),
            )  # fmt: skip
            event.create_time.FromDatetime(NOON)
            self.events.append(event)

    def last_positions(self) -> dict[str, int]:
        """Where it stands."""
        return {"deals": len(self.events)}

    def read(
        self, _service: str, after: int, _epoch: int, size: int, _types: Any = (), _path: str = ""
    ) -> pb.ListEventsResponse:
        """Events behind a position."""
        found = self.events[after : after + size]
        last = found[-1].position if found else after
        return pb.ListEventsResponse(events=found, next_position=last, epoch=1, last_position=len(self.events))


class Everything:
    """Owners who may have everything told."""

    def of(self, _owner_id: str) -> Sight:
        """Their rights."""
        return Sight(OWNER, "")

    def path_of(self, _unit_id: str, _sight: Sight) -> str:
        """No unit in particular."""
        return ""

    def may_tell(self, _event: pb.Event, _sight: Sight) -> bool:
        """All of it."""
        return True


class Site:
    """The carrier of webhooks over a database, a log and a clock that stands."""

    def __init__(self, database: Database) -> None:
        self.database, self.log, self.sealing = database, Log(), Sealing("k" * 32)
        post = Post(read_networks("127.0.0.0/8"), LIMITS)
        self.carrier = Carrier(database, self.log, Everything(), self.sealing, post, lambda: 0.5)  # type: ignore[arg-type]
        self.receivers: list[Receiver] = []

    def open(self) -> tuple[Receiver, str, str]:
        """A receiver with its webhook: id and secret."""
        receiver = Receiver()
        self.receivers.append(receiver)
        told = subscriptions.Told("r", receiver.url)
        with self.database.transaction() as work:
            places = [subscriptions.Place("deals", "crm/hq/deals", 1, len(self.log.events))]
            row, secret = subscriptions.make_webhook(work, self.sealing, OWNER, told, places)
        return receiver, str(row.id), secret

    def carry(self, moment: datetime) -> None:
        """Let everything due at a moment be carried."""
        with clock.at(moment):
            for begun in self.carrier.look():
                begun.result(timeout=60)

    def row(self, webhook_id: str) -> Any:
        """The webhook as it stands."""
        with self.database.reading() as work:
            return subscriptions.find_webhook(work, webhook_id)

    def results(self, webhook_id: str) -> list[str]:
        """What became of each try, oldest first."""
        statement = sa.select(webhook_attempt.c.result).where(webhook_attempt.c.webhook_id == webhook_id)
        with self.database.reading() as work:
            return list(work.execute(statement.order_by(webhook_attempt.c.id)).scalars())

    def waiting(self, webhook_id: str) -> list[Any]:
        """What waits to be told again."""
        with self.database.reading() as work:
            return list(work.execute(sa.select(webhook_waiting).where(webhook_waiting.c.webhook_id == webhook_id)))


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """The gateway's database."""
    url = fresh_database(postgres, "gateway_webhooks")
    migrate(url, MIGRATIONS)
    found = Database(url, "gateway")
    yield found
    found.close()


@pytest.fixture
def site(database: Database) -> Iterator[Site]:
    """A site without webhooks."""
    with database.transaction() as work:
        work.execute(sa.delete(webhook))
    found = Site(database)
    yield found
    found.carrier.close()
    for one in found.receivers:
        one.close()


def subjects(receiver: Receiver) -> list[tuple[str, str]]:
    """What a receiver was told: record and text."""
    return [(one["data"]["deal"]["id"], one["data"]["deal"]["title"]) for one in receiver.told]


def test_a_receiver_that_fails_is_asked_by_the_schedule_and_stopped_after_three_days(site: Site) -> None:
    receiver, one, _ = site.open()
    receiver.act = answer(500)
    site.log.say(new_id())
    moment, tries = NOON, []
    while site.row(one).state == "on" and moment < NOON + timedelta(days=10):
        before = len(receiver.told)
        site.carry(moment)
        if len(receiver.told) > before:
            tries.append(moment)
        due = [row.next_time for row in site.waiting(one) if row.state == "waiting"]
        assert len(due) <= 1
        if not due:
            break
        moment = max(due[0], site.row(one).rest_until)
    pauses = [later - earlier for earlier, later in zip(tries, tries[1:], strict=False)]
    assert len(tries) == len(rules.PAUSES) + 1
    assert all(found >= wanted * 1.05 for found, wanted in zip(pauses, rules.PAUSES, strict=True))
    assert tries[-1] - tries[0] >= timedelta(hours=75)
    assert [row.state for row in site.waiting(one)] == ["parked"]
    assert set(site.results(one)) == {rules.REFUSED}
    with clock.at(moment), site.database.reading() as work:
        assert [str(row.id) for row in subscriptions.list_troubled(work, site.sealing, OWNER.user_id)] == [one]
    assert len({told["webhook-id"] for told in receiver.headers}) == 1  # one event, whatever the try


def test_a_receiver_that_takes_nothing_for_three_days_is_left_alone_until_somebody_resumes_it(site: Site) -> None:
    receiver, one, _ = site.open()
    receiver.act = answer(500)
    site.log.say(*(new_id() for _ in range(5)))
    moment = NOON
    while site.row(one).state == "on" and moment < NOON + timedelta(days=10):
        site.carry(moment)
        moment = max(site.row(one).rest_until, moment) + timedelta(seconds=1)
    assert site.row(one).state == "failed"
    assert timedelta(hours=75) <= moment - NOON < timedelta(days=5)
    assert len(receiver.told) < 20  # a receiver that is down is asked seldom, however much there is to tell
    receiver.act, asked = answer(200), len(receiver.told)
    with clock.at(moment), site.database.transaction() as work:
        subscriptions.resume_webhook(work, one)
    site.carry(moment)
    assert sorted(title for _, title in subjects(receiver)[asked:]) == [f"say {number}" for number in range(5)]
    assert (site.row(one).state, site.row(one).failures, site.waiting(one)) == ("on", 0, [])


def test_records_keep_their_order_and_one_that_fails_holds_up_no_other(site: Site) -> None:
    receiver, one, _ = site.open()
    bad, good = new_id(), new_id()
    site.log.say(bad, good, bad, good)

    def refuse_bad(channel: socket.socket, event: dict[str, Any]) -> None:
        answer(500 if event["partitionkey"] == bad else 200)(channel, event)

    receiver.act = refuse_bad
    site.carry(NOON)
    assert [title for _, title in subjects(receiver)] == ["say 0", "say 1", "say 3"]
    receiver.act = answer(200)
    site.carry(NOON + timedelta(seconds=4))
    assert len(receiver.told) == 3  # not before its time
    site.carry(NOON + timedelta(seconds=6))
    assert [title for _, title in subjects(receiver)][3:] == ["say 0", "say 2"]
    assert site.waiting(one) == []


@pytest.mark.parametrize(
    ("act", "result"),
    [
        (answer(302, "Location: http://127.0.0.1:1/elsewhere"), rules.REDIRECTED),
        (answer(429, "Retry-After: 7200"), rules.THROTTLED),
        (hang, rules.TIMED_OUT),
        (drip, rules.TIMED_OUT),
        (drop, rules.BROKEN),
    ],
    ids=["redirects", "throttles", "hangs", "drips", "drops"],
)
def test_every_way_to_fail_is_one_try_within_its_limits_and_comes_again(site: Site, act: Any, result: str) -> None:
    receiver, one, _ = site.open()
    receiver.act = act
    site.log.say(new_id())
    site.carry(NOON)
    assert site.results(one) == [result]
    with site.database.reading() as work:
        millis = work.execute(sa.select(webhook_attempt.c.millis)).scalars().first()
    assert millis is not None
    assert millis < LIMITS.whole * 1_500
    assert [row.tries for row in site.waiting(one)] == [1]
    receiver.act = answer(200)
    site.carry(NOON + timedelta(hours=3))
    assert site.results(one) == [result, rules.DELIVERED]
    assert len(receiver.told) == 2  # nothing was followed elsewhere


def test_a_receiver_that_is_gone_is_asked_no_more_before_somebody_resumes_it(site: Site) -> None:
    receiver, one, _ = site.open()
    receiver.act = answer(410)
    site.log.say(new_id(), new_id())
    site.carry(NOON)
    site.carry(NOON + timedelta(days=1))
    assert (len(receiver.told), site.row(one).state) == (1, "gone")
    receiver.act = answer(200)
    with clock.at(NOON + timedelta(days=2)), site.database.transaction() as work:
        subscriptions.resume_webhook(work, one)
    site.carry(NOON + timedelta(days=2))
    assert [title for _, title in subjects(receiver)] == ["say 0", "say 0", "say 1"]


def test_of_an_endless_answer_little_is_read_and_nothing_kept(site: Site) -> None:
    receiver, one, _ = site.open()
    receiver.act = flood = Flood()
    site.log.say(new_id())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    site.carry(NOON)
    assert site.results(one) == [rules.DELIVERED]
    assert flood.sent < 2**24  # what buffers of the system hold
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_receivers_that_hang_hold_up_nobody(site: Site) -> None:
    slow = [site.open() for _ in range(8)]
    for receiver, _, _ in slow:
        receiver.act = hang
    quick, one, _ = site.open()
    site.log.say(*(new_id() for _ in range(3)))
    with clock.at(NOON):
        begin = time.monotonic()
        begun = site.carrier.look()
        while len(quick.told) < 3 and time.monotonic() - begin < 5:
            time.sleep(0.01)
        took = time.monotonic() - begin
        for each in begun:
            each.result(timeout=60)
    assert len(quick.told) == 3
    assert took < 5
    assert site.results(one) == [rules.DELIVERED] * 3
    assert all(site.row(webhook_id).failures == 3 for _, webhook_id, _ in slow)  # then they rest


def test_a_delivery_is_signed_and_names_its_event(site: Site) -> None:
    receiver, _, secret = site.open()
    site.log.say(new_id())
    site.carry(NOON)
    told = receiver.headers[0]
    signed = f"{told['webhook-id']}.{told['webhook-timestamp']}.{told['body']}".encode()
    digest = hmac.digest(base64.b64decode(secret.removeprefix(MARK)), signed, "sha256")
    assert told["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert (receiver.told[0]["id"], receiver.told[0]["source"]) == (told["webhook-id"], "crm/hq/deals")


def test_a_webhook_that_is_paused_in_the_middle_of_a_round_is_told_nothing_more(site: Site) -> None:
    receiver, one, _ = site.open()

    def pause(channel: socket.socket, event: dict[str, Any]) -> None:
        with site.database.transaction() as work:
            subscriptions.pause_webhook(work, one)
        answer(200)(channel, event)

    receiver.act = pause
    site.log.say(new_id(), new_id())
    site.carry(NOON)
    site.carry(NOON + timedelta(minutes=5))
    assert (len(receiver.told), site.row(one).state) == (1, "paused")
