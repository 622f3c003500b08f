"""The link to the broker is cut again and again, or hangs, while events are published: none is lost or doubled."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa

from chassis.bus import amqp, amqp_connecting
from chassis.bus.events import Delivery
from chassis.bus.relay import number_waiting
from chassis.bus.transport import BusLost, open_bus
from chassis.database import UnitOfWork
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.logged_event import LoggedEvent
from chassis.projection import newest_states, state_columns, upsert_newer
from chassis.testing.bus import RabbitBroker
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import SOURCE, ServiceDatabase, a_consumer, an_event, open_service, write_ledger
from tests.faults.checkers import find_apart, find_disordered, find_doubled, find_gaps, find_lost, newest_of
from tests.faults.figures import Figures, Note
from tests.faults.lane import Passed, declared, read_all, relay_all, run_lane, write_all
from tests.faults.proxy import proxied
from tests.faults.site import through

pytestmark = pytest.mark.timeout(300)

PATIENCE = 90.0
PATIENT_SECONDS = 1.5
GREETING = 275  # bytes of a client until the connection stands; what it asks first comes behind
WINDOW, REPEATED = 100, 0.2
copied = sa.Table(
    "copied", sa.MetaData(), sa.Column("id", sa.UUID(as_uuid=False), primary_key=True), sa.Column("name", sa.Text),
    sa.Column("epoch", sa.Integer), sa.Column("version", sa.BigInteger),
)  # fmt: skip


@pytest.fixture
def service(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """A service's database with a ledger of effects."""
    return open_service(postgres)


def judged(passed: Passed, note_figures: Note, seconds: float | None = None) -> None:
    """Nothing speaks against it."""
    lost = find_lost(passed.acknowledged, passed.effects) | find_gaps(passed.delivered)
    doubled, disordered = find_doubled(passed.effects), find_disordered(passed.delivered)
    note_figures(Figures(len(passed.acknowledged), len(lost), len(doubled), len(disordered), seconds))
    assert (lost, doubled, disordered) == (set(), [], [])
    assert find_apart(newest_of(passed.acknowledged), newest_of(passed.effects)) == set()


def test_a_link_that_is_cut_again_and_again_costs_nothing(
    service: ServiceDatabase,
    rabbit: RabbitBroker,
    note_figures: Note,
) -> None:
    passed = run_lane(service, rabbit)

    assert passed.cuts >= 2, "the link was cut"
    judged(passed, note_figures)


def test_a_hanging_link_is_given_up_and_taken_up_again(
    service: ServiceDatabase,
    rabbit: RabbitBroker,
    note_figures: Note,
) -> None:
    passed, url = Passed(), declared(rabbit)
    write_all(service, passed)
    with proxied(rabbit.port) as proxy:
        proxy.flows.clear()
        relaying = threading.Thread(target=relay_all, args=(service, through(url, proxy)))
        relaying.start()
        eventually(lambda: proxy.connections > 1, within=PATIENCE)  # the first try was given up, another one hangs
        proxy.flows.set()
        healed = time.monotonic()
        relaying.join(PATIENCE)
        assert not relaying.is_alive()
    read_all(service, url, passed)
    judged(passed, note_figures, time.monotonic() - healed)


def test_a_slow_link_is_waited_for_as_long_as_it_confirms(
    rabbit: RabbitBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Giving up would send all of it once more over the same slow link."""
    monkeypatch.setattr(amqp, "CONFIRM_SECONDS", PATIENT_SECONDS)
    with proxied(rabbit.port) as proxy:
        publisher = open_bus(through(declared(rabbit), proxy)).publisher()
        proxy.rate = 20_000
        began = time.monotonic()
        publisher.begin(SOURCE, [an_event(position) for position in range(1, 81)])
        assert publisher.finish() == 0
        assert time.monotonic() - began > PATIENT_SECONDS, "it took longer than one may wait for a single confirm"
        publisher.close()


def connect_relay(url: str) -> None:
    """As a relay does."""
    open_bus(url).publisher()


def connect_reader(url: str) -> None:
    """As a consumer does."""
    open_bus(url).receiver(a_consumer())


def declare_queues(url: str) -> None:
    """As both do before."""
    open_bus(url).declare([a_consumer()])


@pytest.mark.timeout(120)
@pytest.mark.parametrize("connect", [connect_relay, connect_reader, declare_queues])
def test_a_link_that_dies_unheard_while_it_is_taken_up_is_given_up(
    rabbit: RabbitBroker, monkeypatch: pytest.MonkeyPatch, connect: Callable[[str], object]
) -> None:
    """py-amqp waits for the answers to its first questions without limit; a worker did so for good."""
    monkeypatch.setattr(amqp_connecting, "ANSWER_SECONDS", PATIENT_SECONDS)
    url = declared(rabbit)
    with proxied(rabbit.port) as proxy:
        proxy.hang_after = GREETING
        with pytest.raises(BusLost):
            connect(through(url, proxy))


def copy_persons(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """Note the deliveries and keep the newest state of each person, whatever the order they come in."""
    write_ledger(work, deliveries)
    states = newest_states(deliveries, "person")
    rows = [{"id": one.id, "name": one.personal.display_name, **state_columns(*state)} for one, *state in states]
    upsert_newer(work, copied, rows)


def shaken(events: Sequence[LoggedEvent]) -> list[LoggedEvent]:
    """Events out of order within a window, a fifth of them twice."""
    dice = random.Random(5)
    twice = [one for one in events for _ in range(2 if dice.random() < REPEATED else 1)]
    return [twice[place] for place in sorted(range(len(twice)), key=lambda at: at + dice.uniform(0, WINDOW))]


def test_copies_converge_though_events_come_twice_and_out_of_order(
    service: ServiceDatabase,
    rabbit: RabbitBroker,
    note_figures: Note,
) -> None:
    service.ask("CREATE TABLE copied (id uuid PRIMARY KEY, name text, epoch int, version bigint)")
    passed, url = Passed(), declared(rabbit)
    write_all(service, passed)
    number_waiting(service.database)
    columns = (
        ", ".join(LoggedEvent._fields)
        .replace("event_id", "event_id::text")
        .replace("aggregate_id", "aggregate_id::text")
    )
    logged = [LoggedEvent._make(row) for row in service.ask(f"SELECT {columns} FROM event_log ORDER BY position")]
    publisher = open_bus(url).publisher()
    for start in range(0, len(told := shaken(logged)), WINDOW):
        publisher.begin(SOURCE, told[start : start + WINDOW])
        publisher.finish()
    publisher.close()

    read_all(service, url, passed, copy_persons)

    assert find_disordered(passed.delivered), "they came out of order"
    doubled = find_doubled(passed.effects)
    note_figures(
        Figures(len(passed.acknowledged), len(find_lost(passed.acknowledged, passed.effects)), len(doubled), 0)
    )
    assert doubled == []
    copies = {row.id: row.version for row in service.ask("SELECT id::text, version FROM copied")}
    assert find_apart(newest_of(passed.acknowledged), copies) == set()
