"""A bridge carries one cell's events to another: all of them, in order, once; and nothing that is not its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import sqlalchemy as sa

from branchline.deployment.definitions import cell_user, rights_of_cell
from chassis.bus.bridge import Bridge, Lane, NotItsCell
from chassis.bus.bridge_lanes import Cursors, forget_places, list_lanes
from chassis.bus.bridging import Direction
from chassis.bus.consumer import Consumer
from chassis.bus.events import CONTENT_TYPE, Incoming, open_envelope, wire_headers
from chassis.bus.health import WorkerHealth
from chassis.bus.relay import Fenced, begin_epoch, number_waiting
from chassis.bus.sources import DatabaseSource
from chassis.bus.subscription import Subscription
from chassis.bus.transport import Bus, BusLost, Publisher, PublishInDoubt, open_bus
from chassis.cells import CELL_HEADER, source_of, with_cell
from chassis.copies import copies_in_place
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.event_feed import Chosen
from chassis.ids import new_id
from chassis.logged_event import LoggedEvent
from chassis.migrate import name_cell
from chassis.settings import SettingsInvalid
from chassis.testing.bus import PASSWORD, RabbitBroker
from chassis.testing.eventually import eventually
from chassis.testing.postgres import fresh_database
from tests.contract.messaging.probes import (
    ServiceDatabase,
    a_consumer,
    an_event,
    created,
    open_service,
)
from tests.contract.messaging.test_definitions import SHIPPED
from tests.contract.messaging.test_subscription import arriving

CELL = "ural"
WITHIN = 60.0  # seconds, of a busy machine


class Branch:
    """A branch's contacts, and its bridge's own database."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self.contacts = open_service(postgres)
        with self.contacts.database.engine.connect() as connection:
            name_cell(connection, CELL)
        self.own = Database(fresh_database(postgres, "bridge"), "bridge")

    def write(self, count: int) -> list[str]:
        """Commit and number events of as many persons."""
        ids = self.contacts.write(count)
        number_waiting(self.contacts.database)
        return ids

    def bridge(self, chosen: Chosen | None = None, home: str = CELL) -> Bridge:
        """A bridge that carries what contacts says."""
        lane = Lane(DatabaseSource(self.contacts.database), chosen or Chosen())
        return Bridge(home, [lane], Cursors(self.own, "up", ["contacts"]))

    @property
    def position(self) -> int:
        """How far its bridge has carried; 0 before it begins."""
        return max((int(lane.position) for lane in list_lanes(self.own)), default=0)


@pytest.fixture
def branch(postgres: EmbeddedPostgres) -> Branch:
    """A branch that is a cell."""
    return Branch(postgres)


def reporting() -> Consumer:
    """A consumer at headquarters that adds cells up."""
    plain = a_consumer()
    return replace(plain, from_cells=frozenset(plain.handlers))


def carry_all(bridge: Bridge, bus: Bus) -> int:
    """Carry until there is nothing more."""
    publisher, carried = bus.publisher(), 0
    while some := bridge.carry(publisher):
        carried += some
    publisher.close()
    return carried


def read(bus: Bus, consumer: Consumer, least: int) -> list[Incoming]:
    """At least so many messages of a consumer's queue, acked."""
    receiver = bus.receiver(consumer)
    assert receiver is not None
    found: list[Incoming] = []

    def come() -> bool:
        some = receiver.receive(500, 0.05)
        if some:
            receiver.ack(some)
            found.extend(some)
        return len(found) >= least

    eventually(come, within=WITHIN)
    receiver.close()
    return found


@contextmanager
def leading(bridge: Bridge) -> Iterator[Bridge]:
    """A bridge that leads for the time of a block."""
    assert bridge.lead()
    try:
        yield bridge
    finally:
        bridge.resign()


def test_events_reach_the_far_side_as_they_were_marked_with_their_home(branch: Branch, bus: Bus) -> None:
    consumer = reporting()
    bus.declare([consumer])
    ids = branch.write(7)
    with leading(branch.bridge()) as bridge:
        assert carry_all(bridge, bus) == 7

    told = [open_envelope(one) for one in read(bus, consumer, 7)]

    logged = branch.contacts.ask("SELECT event_id::text, position, epoch, version FROM event_log ORDER BY position")
    assert [(one.event_id, one.position, one.epoch, one.version) for one in told] == [tuple(row) for row in logged]
    assert [one.aggregate_id for one in told] == ids
    assert {(one.source, one.headers[CELL_HEADER]) for one in told} == {(f"crm/{CELL}/contacts", CELL)}


def test_a_bridge_goes_on_behind_what_was_confirmed(branch: Branch, bus: Bus) -> None:
    consumer = reporting()
    bus.declare([consumer])
    branch.write(3)
    with leading(branch.bridge()) as bridge:
        carry_all(bridge, bus)
    branch.write(2)
    with leading(branch.bridge()) as bridge:
        assert carry_all(bridge, bus) == 2

    assert branch.position == 5
    assert len(read(bus, consumer, 5)) == 5


class HalfDoubted:
    """A publisher whose link fails when part of a batch is confirmed."""

    def __init__(self, confirmed: int) -> None:
        self.confirmed = confirmed

    def begin(self, source: str, events: object) -> None:
        """Take a batch."""

    def finish(self) -> int:
        """Fail."""
        raise PublishInDoubt("the link is gone", self.confirmed)

    def rest(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def test_a_link_that_fails_in_a_batch_costs_the_rest_of_the_batch_once_more(branch: Branch, bus: Bus) -> None:
    bus.declare([])
    branch.write(5)
    with leading(branch.bridge()) as bridge:
        doubtful: Publisher = HalfDoubted(3)
        with pytest.raises(PublishInDoubt):
            bridge.carry(doubtful)
        assert branch.position == 3
        assert carry_all(bridge, bus) == 2


def test_of_two_bridges_one_carries_and_the_other_waits(branch: Branch) -> None:
    with leading(branch.bridge()):
        assert not branch.bridge().lead()
    with leading(branch.bridge()):
        pass


def test_a_bridge_that_lost_its_lead_moves_no_cursor(branch: Branch, bus: Bus) -> None:
    bus.declare([])
    branch.write(3)
    with leading(branch.bridge()) as bridge:
        assert forget_places(branch.own, "up", []) == ["contacts"]
        with pytest.raises(Fenced):
            carry_all(bridge, bus)
    assert branch.position == 0


def test_a_log_of_another_cell_is_not_carried(branch: Branch, bus: Bus) -> None:
    branch.write(1)
    with leading(branch.bridge(home="volga")) as bridge, pytest.raises(NotItsCell):
        carry_all(bridge, bus)


def test_an_event_that_came_from_elsewhere_goes_no_further(branch: Branch, bus: Bus) -> None:
    branch.write(1)
    branch.contacts.ask("UPDATE event_log SET routing_key = regexp_replace(routing_key, 'e$', 'volga')")
    with leading(branch.bridge()) as bridge, pytest.raises(NotItsCell):
        carry_all(bridge, bus)


def test_what_the_log_holds_no_longer_is_told_from_the_snapshot_and_nothing_is_missing(
    branch: Branch, bus: Bus
) -> None:
    consumer = reporting()
    bus.declare([consumer])
    old = branch.write(4)
    branch.contacts.ask("""
INSERT INTO event_snapshot (aggregate_id, type, position, epoch, event_id, aggregate, version, routing_key, headers,
                            data, subject_id, create_time)
SELECT aggregate_id, type, position, epoch, event_id, aggregate, version, routing_key, headers, data, subject_id,
       create_time FROM event_log""")
    branch.contacts.ask("DELETE FROM event_log")
    new = branch.write(2)
    with leading(branch.bridge()) as bridge:
        carry_all(bridge, bus)
        carry_all(bridge, bus)

    told = {open_envelope(one).aggregate_id for one in read(bus, consumer, 6)}
    assert told == {*old, *new}
    assert branch.position == 6


def test_a_new_epoch_is_told_as_a_whole_and_as_news(branch: Branch, bus: Bus, service: ServiceDatabase) -> None:
    consumer = reporting()
    bus.declare([consumer])
    headquarters = Subscription(consumer, service.database, threading.Event())
    [record] = branch.write(1)
    with leading(branch.bridge()) as bridge:
        carry_all(bridge, bus)
    headquarters.handle(read(bus, consumer, 1))
    begin_epoch(branch.contacts.database)
    with leading(branch.bridge()) as bridge:
        carry_all(bridge, bus)
        carry_all(bridge, bus)
    again = read(bus, consumer, 1)
    headquarters.handle(again)

    assert [open_envelope(one).epoch for one in again] == [2]
    assert [one.aggregate_id for one in service.ledger()] == [record, record]


def test_only_what_is_chosen_is_carried_and_the_cursor_passes_over_the_rest(
    branch: Branch, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.bus.bridge.STAND_SECONDS", 0.0)
    branch.write(4)
    with leading(branch.bridge(Chosen(types=("crm.contacts.events.v1.PersonUpdated",)))) as bridge:
        assert carry_all(bridge, bus) == 0
    assert branch.position == 4


def test_a_consumer_hears_of_other_cells_only_what_it_asked_for(service: ServiceDatabase) -> None:
    foreign = with_cell(an_event(), CELL)
    assert foreign is not None
    message = arriving(foreign, headers={"cloudEvents_source": f"crm/{CELL}/contacts"})
    Subscription(a_consumer(), service.database, threading.Event()).handle([message])
    assert service.ledger() == []
    assert service.ask("SELECT 1 FROM consumer_mark") == [], "others' positions say nothing of what we missed"

    Subscription(reporting(), service.database, threading.Event()).handle([message])
    assert [one.aggregate_id for one in service.ledger()] == [foreign.aggregate_id]


@pytest.mark.parametrize(
    ("key", "cell", "source"),
    [
        (CELL, "", f"crm/{CELL}/contacts"),
        (CELL, "volga", "crm/volga/contacts"),
        (CELL, CELL, "crm/hq/contacts"),
        ("e", CELL, f"crm/{CELL}/contacts"),
    ],
)
def test_a_message_that_claims_to_be_of_another_cell_than_its_key_is_parked(
    key: str, cell: str, source: str, service: ServiceDatabase
) -> None:
    person = new_id()
    event = an_event(key=f"crm.contacts.person.created.v1.p00.hq.{key}", aggregate_id=person)
    headers = {**wire_headers(event, source), **({CELL_HEADER: cell} if cell else {})}
    forged = Incoming(0, 0, CONTENT_TYPE, event.routing_key, headers, created(person).SerializeToString())

    Subscription(reporting(), service.database, threading.Event()).handle([forged])

    assert service.ledger() == []
    assert [row.error_code for row in service.ask("SELECT error_code FROM parked_event")] == ["CELL_FALSE"]


def of_cell(cell: str, event: LoggedEvent) -> Incoming:
    """An event as the bridge of a cell brings it."""
    marked = with_cell(event, cell)
    assert marked is not None
    return arriving(marked, headers={"cloudEvents_source": source_of(cell, "contacts")})


def test_a_cell_that_tells_of_a_record_of_this_cell_is_not_believed(service: ServiceDatabase) -> None:
    copied = sa.Table("person", sa.MetaData(), sa.Column("id", sa.UUID(as_uuid=False), primary_key=True))
    ours, theirs = new_id(), new_id()
    service.ask("INSERT INTO person VALUES (:id, 1)", id=ours)
    consumer = replace(reporting(), copies=copies_in_place(copied))
    subscription = Subscription(consumer, service.database, threading.Event())

    subscription.handle([of_cell(CELL, an_event(1, aggregate_id=one, version=9)) for one in (ours, theirs)])
    subscription.handle([arriving(an_event(2, aggregate_id=ours, version=2))])

    assert [(one.aggregate_id, one.version) for one in service.ledger()] == [(theirs, 9), (ours, 2)]
    skipped = service.ask("SELECT aggregate_id::text, state, error_code FROM parked_event")
    assert [tuple(row) for row in skipped] == [(ours, "skipped", "NOT_ITS_RECORD")]


def test_a_cell_that_tells_of_a_record_of_another_cell_is_not_believed(service: ServiceDatabase) -> None:
    subscription, record = Subscription(reporting(), service.database, threading.Event()), new_id()

    subscription.handle([of_cell(CELL, an_event(1, aggregate_id=record))])
    subscription.handle([of_cell("volga", an_event(1, aggregate_id=record, version=2))])
    subscription.handle([of_cell(CELL, an_event(2, aggregate_id=record, version=3))])

    assert [one.version for one in service.ledger()] == [1, 3]


def test_a_cell_keeps_its_word_once_it_has_said_something(branch: Branch) -> None:
    with branch.contacts.database.engine.connect() as connection:
        name_cell(connection, "volga")
        branch.write(1)
        with pytest.raises(SettingsInvalid, match="keeps its word"):
            name_cell(connection, CELL)
        with pytest.raises(SettingsInvalid, match="2 to 30"):
            name_cell(connection, "e")


def test_a_direction_carries_by_itself_until_it_is_told_to_stop(branch: Branch, bus: Bus) -> None:
    consumer, stopping, health = reporting(), threading.Event(), WorkerHealth()
    bus.declare([consumer])
    direction = Direction("up", branch.bridge(), bus, health, stopping, idle_seconds=0.05)
    running = threading.Thread(target=direction.run)
    running.start()
    try:
        branch.write(3)
        eventually(lambda: branch.position == 3, within=WITHIN)
        assert health.state == "ok"
    finally:
        stopping.set()
        running.join(30)
    assert not running.is_alive()
    assert len(read(bus, consumer, 3)) == 3


@pytest.mark.parametrize("troubled", [lambda branch: branch.contacts.database, lambda branch: branch.own])
def test_a_database_that_is_away_is_a_trouble_that_is_told_and_waited_out(
    troubled: Callable[[Branch], Database], branch: Branch, bus: Bus
) -> None:
    stopping, health = threading.Event(), WorkerHealth()
    away = troubled(branch)
    branch.write(1)
    kept, away.engine = away.engine, Database("postgresql+psycopg://nobody@127.0.0.1:1/none", "away").engine
    bridge = branch.bridge()
    direction = Direction("up", bridge, bus, health, stopping, idle_seconds=0.05, last_backoff_seconds=0.2)
    running = threading.Thread(target=direction.run)
    running.start()
    try:
        eventually(lambda: health.state == "degraded", within=WITHIN)
        away.engine = kept
        eventually(lambda: health.state == "ok" and branch.position == 1, within=WITHIN)
    finally:
        stopping.set()
        running.join(30)


@pytest.fixture
def guest(rabbit: RabbitBroker) -> Bus:
    """Headquarters' broker with the shipped definitions, as the user of the branch's bridge."""
    shipped = {**SHIPPED, **{kind: [*SHIPPED[kind], one] for kind, one in rights_of_cell(CELL).items()}}
    rabbit.ask("POST", "/definitions", shipped)
    rabbit.ask("PUT", f"/users/{cell_user(CELL)}", {"password": PASSWORD, "tags": ""})
    return open_bus(f"amqp://{cell_user(CELL)}:{PASSWORD}@127.0.0.1:{rabbit.port}/crm")


def test_a_cell_publishes_under_its_own_word(branch: Branch, guest: Bus) -> None:
    guest.declare(())
    branch.write(3)
    with leading(branch.bridge()) as bridge:
        assert carry_all(bridge, guest) == 3


@pytest.mark.parametrize("word", ["e", "volga", f"x{CELL}"])
def test_a_cell_cannot_publish_under_a_word_that_is_not_its_own(word: str, guest: Bus) -> None:
    publisher = guest.publisher()
    publisher.begin(f"crm/{CELL}/contacts", [an_event(1, f"crm.contacts.person.created.v1.p00.hq.{word}")])
    with pytest.raises(PublishInDoubt, match="AccessRefused"):
        publisher.finish()


def test_a_cell_cannot_listen_at_headquarters(guest: Bus) -> None:
    with pytest.raises(BusLost, match="AccessRefused"):
        guest.declare([a_consumer()])
