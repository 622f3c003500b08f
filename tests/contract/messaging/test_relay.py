"""No committed event is lost or doubled in the log, whatever commits late, dies or comes back from the dead."""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from chassis.bus.event_days import keep_event_days
from chassis.bus.relay import BATCH, Fenced, Relay, number_events, number_waiting, publish_waiting, rewind
from chassis.bus.transport import PublishInDoubt
from chassis.ids import new_id
from chassis.logged_event import LoggedEvent
from chassis.naming import routing_key
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import PATH, SOURCE, ServiceDatabase, created

END_LEADER = """
SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
WHERE l.locktype = 'advisory' AND d.datname = current_database()"""


class Memory:
    """A publisher that remembers; `trouble(events)` may raise instead of the confirm."""

    def __init__(self, trouble: Callable[[Sequence[LoggedEvent]], None] = lambda _: None) -> None:
        self.taken: list[LoggedEvent] = []
        self.trouble = trouble
        self._batch: Sequence[LoggedEvent] = ()

    def begin(self, source: str, events: Sequence[LoggedEvent]) -> None:
        """Take a batch."""
        assert source == SOURCE
        self._batch = events
        self.taken.extend(events)

    def finish(self) -> int:
        """Confirm it."""
        self.trouble(self._batch)
        return 0

    def rest(self) -> None:
        """Nothing to keep alive."""

    def close(self) -> None:
        """Nothing to let go."""


def here(act: Callable[[], object]) -> object:
    """Run SQL on this thread."""
    return act()


@pytest.fixture
def relay(service: ServiceDatabase) -> Iterator[Relay]:
    """The one relay of the service."""
    made = Relay(service.database)
    assert made.lead()
    yield made
    made.resign()


def publish(relay: Relay, publisher: Memory) -> int:
    """Publish all that waits."""
    return publish_waiting(relay, publisher, here)  # type: ignore[arg-type]


def cursor(service: ServiceDatabase) -> tuple[int, int]:
    """Last position and published position."""
    [row] = service.ask("SELECT last_position, published_position FROM relay_state")
    return row.last_position, row.published_position


def lost_of(written: set[str], seen: set[str]) -> set[str]:
    """The checker of C-LOSS: committed events that never arrived."""
    return written - seen


def write_shuffled(service: ServiceDatabase, writers: int, rounds: int) -> set[str]:
    """Commit events out of the order of their ids: ids early, commits late, a tenth rolled back. Answers event ids."""
    written: set[str] = set()
    lock = threading.Lock()
    people = [new_id() for _ in range(20)]
    for person in people:
        service.ask("INSERT INTO person VALUES (:id, 0)", id=person)

    def write(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(rounds):
            committed = _write_one(service, dice, dice.choice(people))
            with lock:
                written.update(committed)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return written


def _write_one(service: ServiceDatabase, dice: random.Random, person: str) -> list[str]:
    with service.database.engine.connect() as connection:
        moved = sa.text("UPDATE person SET version = version + 1 WHERE id = :id RETURNING version")
        version = connection.execute(moved, {"id": person}).scalar_one()
        values = {
            "event": new_id(), "person": person, "version": version, "data": created(person).SerializeToString(),
            "key": routing_key("contacts", "person", "created", 1, person, PATH),
            "type": created(person).DESCRIPTOR.full_name,
        }  # fmt: skip
        connection.execute(
            sa.text(
                "INSERT INTO outbox (event_id, aggregate, aggregate_id, version, type, routing_key, headers, data) "
                "VALUES (:event, 'person', :person, :version, :type, :key, '{}', :data)"
            ),
            values,
        )
        connection.exec_driver_sql(f"SELECT pg_sleep({dice.random() * 0.02})")
        if dice.random() < 0.1:
            connection.rollback()
            return []
        connection.commit()
        return [str(values["event"])]


def follow_by_id(service: ServiceDatabase, seen: set[str], ended: threading.Event) -> None:
    """The wrong relay: it asks for ids greater than the last it saw, and never sees what commits late."""
    last = 0
    while not ended.is_set():
        for row in service.ask("SELECT id, event_id::text FROM outbox WHERE id > :last ORDER BY id", last=last):
            seen.add(row.event_id)
            last = row.id


def test_events_committed_out_of_order_are_numbered_without_gap_and_in_order(service: ServiceDatabase) -> None:
    ended = threading.Event()

    def number() -> None:
        with service.database.engine.connect() as connection:
            while not ended.is_set():
                number_events(connection)

    numberers = [threading.Thread(target=number) for _ in range(2)]
    for thread in numberers:
        thread.start()
    written = write_shuffled(service, writers=6, rounds=40)
    ended.set()
    for thread in numberers:
        thread.join()
    number_waiting(service.database)

    rows = service.ask("SELECT position, event_id::text, aggregate_id, version FROM event_log ORDER BY position")
    assert lost_of(written, {row.event_id for row in rows}) == set()
    assert [row.position for row in rows] == list(range(1, len(written) + 1))
    versions: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        versions[row.aggregate_id].append(row.version)
    assert all(found == list(range(1, len(found) + 1)) for found in versions.values())


def test_a_relay_that_follows_ids_fails_the_same_check(service: ServiceDatabase) -> None:
    """Keeps the checker honest: the classic cursor over ids must lose events here."""
    seen: set[str] = set()
    ended = threading.Event()
    follower = threading.Thread(target=follow_by_id, args=(service, seen, ended))
    follower.start()
    written = write_shuffled(service, writers=6, rounds=40)
    ended.set()
    follower.join()

    assert lost_of(written, seen) != set()


def test_all_that_waits_is_published_once_in_order_and_the_cursor_follows(
    relay: Relay, service: ServiceDatabase
) -> None:
    service.write(BATCH + 200)
    publisher = Memory()

    assert publish(relay, publisher) == BATCH + 200

    assert [event.position for event in publisher.taken] == list(range(1, BATCH + 201))
    assert cursor(service) == (BATCH + 200, BATCH + 200)
    assert publish(relay, publisher) == 0


def test_doubt_moves_the_cursor_as_far_as_was_confirmed_and_the_rest_goes_again(
    relay: Relay, service: ServiceDatabase
) -> None:
    def doubt(_events: Sequence[LoggedEvent]) -> None:
        raise PublishInDoubt("nack", confirmed=4)

    service.write(10)
    with pytest.raises(PublishInDoubt):
        publish(relay, Memory(doubt))
    assert cursor(service) == (10, 4)
    relay.resign()
    heir, publisher = Relay(service.database), Memory()
    eventually(heir.lead)

    publish(heir, publisher)

    assert [event.position for event in publisher.taken] == list(range(5, 11))
    heir.resign()


def test_only_one_relay_leads(relay: Relay, service: ServiceDatabase) -> None:
    other = Relay(service.database)

    assert not other.lead()
    relay.resign()
    assert eventually(other.lead)
    other.resign()


def test_a_relay_whose_session_was_lost_cannot_move_the_cursor(relay: Relay, service: ServiceDatabase) -> None:
    """A frozen host: its session is ended by the server, another relay takes over, then the first wakes up."""
    service.write(6)
    sleeping = relay.next_batch()
    service.ask(END_LEADER)
    heir, publisher = Relay(service.database), Memory()
    eventually(heir.lead)
    publish(heir, publisher)

    with pytest.raises((sa.exc.DBAPIError, Fenced)):
        relay.advance(sleeping.events[2].position)

    assert cursor(service) == (6, 6)
    heir.resign()


def test_a_relay_of_an_older_term_is_fenced_though_its_session_lives(relay: Relay, service: ServiceDatabase) -> None:
    service.write(6)
    batch = relay.next_batch()
    service.ask("UPDATE relay_state SET term = term + 1, holder = 'another'")

    with pytest.raises(Fenced):
        relay.advance(batch.events[-1].position)
    with pytest.raises(Fenced):
        relay.next_batch()

    assert cursor(service) == (6, 0)


def test_a_rewind_publishes_again_and_stops_the_relay_in_the_middle_of_a_batch(
    relay: Relay, service: ServiceDatabase
) -> None:
    service.write(6)
    publish(relay, Memory())
    service.write(2)
    batch = relay.next_batch()

    rewind(service.database, 3)

    with pytest.raises(Fenced):
        relay.advance(batch.events[-1].position)
    relay.resign()
    heir, publisher = Relay(service.database), Memory()
    eventually(heir.lead)
    publish(heir, publisher)
    assert [event.position for event in publisher.taken] == [4, 5, 6, 7, 8]
    heir.resign()


def test_numbering_goes_on_while_the_bus_is_away(service: ServiceDatabase) -> None:
    service.write(2 * BATCH + 3)

    number_waiting(service.database)

    assert cursor(service) == (2 * BATCH + 3, 0)
    assert service.ask("SELECT 1 FROM outbox") == []


def test_days_of_the_log_are_made_ahead_and_dropped_when_old_and_published(service: ServiceDatabase) -> None:
    today = datetime.now(UTC).date()
    service.write(3)
    number_waiting(service.database)
    keep_event_days(service.database, today)
    move_day(service, 2, today + timedelta(days=2))

    keep_event_days(service.database, today + timedelta(days=33))
    assert len(service.ask("SELECT 1 FROM event_log")) == 3, "not published yet"
    service.ask("UPDATE relay_state SET published_position = 2")
    keep_event_days(service.database, today + timedelta(days=33))

    assert [row.position for row in service.ask("SELECT position FROM event_log")] == [3]


def test_a_day_whose_events_lie_in_the_rest_is_left_there(service: ServiceDatabase) -> None:
    today = datetime.now(UTC).date()
    service.write(1)
    number_waiting(service.database)

    keep_event_days(service.database, today - timedelta(days=1))

    names = [row.relname for row in service.ask("SELECT inhrelid::regclass::text AS relname FROM pg_inherits")]
    assert f"event_log_day_{today:%Y%m%d}" not in names
    assert "event_log_rest" in names


def move_day(service: ServiceDatabase, position: int, day: date) -> None:
    """Have an event lie in another day of the log."""
    service.ask("UPDATE event_log SET day = :day WHERE position = :position", day=day, position=position)
