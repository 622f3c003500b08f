"""Headquarters and branches that are cells, bridged over links that a test may break; all in the test's own process.

Each branch has a database of contacts, a bus, a bridge up and a bridge down. At headquarters a consumer that takes all
cells keeps a ledger; in each branch a witness notes what came down.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from chassis.bus.bridge import Bridge, Lane
from chassis.bus.bridge_lanes import Cursors
from chassis.bus.bridging import Direction
from chassis.bus.events import Incoming
from chassis.bus.health import WorkerHealth
from chassis.bus.relay import Relay, number_waiting, publish_waiting
from chassis.bus.sources import DatabaseSource
from chassis.bus.subscription import Subscription
from chassis.bus.transport import open_bus
from chassis.cells import CELL_HEADER
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.migrate import name_cell
from chassis.testing.bus import RabbitBroker
from chassis.testing.postgres import fresh_database
from tests.contract.messaging.probes import ServiceDatabase, a_consumer, open_service
from tests.faults.checkers import Fact
from tests.faults.lane import effects_of, fact_of
from tests.faults.proxy import FaultProxy, proxied
from tests.faults.site import through

HOME = "hq"
PLAIN = a_consumer()
ADDING_UP = replace(PLAIN, from_cells=frozenset(PLAIN.handlers))
IDLE, LONGEST = 0.05, 0.5  # seconds; what waits for people in life is short here
Make = Callable[[str, Sequence[Lane], Cursors], Bridge]


@dataclass
class Listener:
    """Reads one queue: what came, in its order, and from which cell each said it was."""

    url: str
    handle: Callable[[list[Incoming]], bool]
    delivered: list[Fact] = field(default_factory=list)
    homes: dict[Fact, str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Read until stopped."""
        receiver = open_bus(self.url).receiver(ADDING_UP)
        assert receiver is not None
        while not self.stopping.is_set():
            batch = receiver.receive(200, 0.02)
            for one in batch:
                fact = fact_of(one)
                self.delivered.append(fact)
                self.homes[fact] = one.headers.get(CELL_HEADER, "")
            if batch:
                assert self.handle(batch)
                receiver.ack(batch)
        receiver.close()


class Cell:
    """One cell: contacts, a bus of its own, and what its writers were told."""

    def __init__(self, name: str, postgres: EmbeddedPostgres, broker: RabbitBroker) -> None:
        self.name, self.url = name, broker.fresh_vhost()
        self.contacts: ServiceDatabase = open_service(postgres)
        self.acknowledged: list[Fact] = []
        with self.contacts.database.engine.connect() as connection:
            name_cell(connection, name)
        open_bus(self.url).declare([ADDING_UP])

    def write(self, records: int, versions: int) -> None:
        """Commit every version of new records, a version of all in turn; they are numbered at once."""
        made = [new_id() for _ in range(records)]
        for version in range(1, versions + 1):
            for record in made:
                self.contacts.write(1, aggregate_id=record, first_version=version)
                self.acknowledged.append((record, version))
            number_waiting(self.contacts.database)

    def relay(self) -> None:
        """Publish what was written on the cell's own bus."""
        relay = Relay(self.contacts.database)
        assert relay.lead()
        publisher = open_bus(self.url).publisher()
        publish_waiting(relay, publisher, lambda act: act())
        publisher.close()
        relay.resign()


class World:
    """Headquarters with its branches and everything that runs between them."""

    def __init__(self, postgres: EmbeddedPostgres, broker: RabbitBroker, proxy: FaultProxy, names: Sequence[str]):
        self.postgres, self.proxy = postgres, proxy
        self.headquarters = Cell(HOME, postgres, broker)
        self.branches = [Cell(name, postgres, broker) for name in names]
        self.stopping, self.health = threading.Event(), WorkerHealth()
        handle = Subscription(ADDING_UP, self.headquarters.contacts.database, threading.Event()).handle
        self.adding_up = Listener(self.headquarters.url, handle)
        self.witnesses = [Listener(one.url, lambda _: True) for one in self.branches]
        self._threads = [threading.Thread(target=one.run) for one in (self.adding_up, *self.witnesses)]

    def start(self, make: Make = Bridge) -> None:
        """Begin to listen and to carry; a bridge goes up and one comes down for each branch."""
        for branch in self.branches:
            own = self.a_database()
            self.carry(branch, own, make)
            self._carry("down", HOME, self.headquarters, own, branch.url, make)
        for one in self._threads:
            one.start()

    def carry(self, branch: Cell, own: Database, make: Make = Bridge) -> None:
        """Have a bridge carry a branch's events up over the link, with its cursors in a database of its own."""
        far = through(self.headquarters.url, self.proxy)
        one = self._carry("up", branch.name, branch, own, far, make)
        if self.adding_up.delivered:  # all others have begun already
            one.start()

    def a_database(self) -> Database:
        """A bridge's own."""
        return Database(fresh_database(self.postgres, "bridge"), "bridge")

    def _carry(self, name: str, home: str, cell: Cell, own: Database, far: str, make: Make) -> threading.Thread:
        bridge = make(home, [Lane(DatabaseSource(cell.contacts.database))], Cursors(own, name, ["contacts"]))
        way = Direction(name, bridge, open_bus(far), self.health, self.stopping, IDLE, LONGEST)
        thread = threading.Thread(target=way.run, name=f"{name} {cell.name}")
        self._threads.append(thread)
        return thread

    @property
    def acknowledged(self) -> list[Fact]:
        """What the branches' writers were told."""
        return [fact for branch in self.branches for fact in branch.acknowledged]

    @property
    def effects(self) -> list[Fact]:
        """What the ledger at headquarters says."""
        return effects_of(self.headquarters.contacts)

    def stop(self) -> None:
        """End everything and wait for that."""
        self.stopping.set()
        for listener in (self.adding_up, *self.witnesses):
            listener.stopping.set()
        for one in self._threads:
            if one.ident is not None:
                one.join(60)


@contextmanager
def opened_world(
    postgres: EmbeddedPostgres, broker: RabbitBroker, names: Sequence[str], make: Make = Bridge
) -> Iterator[World]:
    """A world whose links up go through one proxy, stopped after the block."""
    with ExitStack() as opened:
        world = World(postgres, broker, opened.enter_context(proxied(broker.port)), names)
        opened.callback(world.stop)
        world.start(make)
        yield world
