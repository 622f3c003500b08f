"""What happens to a batch in a consumer's database: once, in order, nothing lost, one poison holds one aggregate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from chassis.bus.consumer import Consumer
from chassis.bus.events import CONTENT_TYPE, Delivery, Incoming, open_envelope, wire_headers
from chassis.bus.subscription import CRASHES, Subscription
from chassis.database import UnitOfWork
from chassis.errors import DomainError, Kind
from chassis.ids import new_id
from chassis.logged_event import LoggedEvent
from chassis.messaging_state import edit_parked, list_parked, show_parked
from tests.contract.messaging.probes import (
    SOURCE,
    ServiceDatabase,
    a_consumer,
    an_event,
    created,
    name_in,
    write_ledger,
)


class Refused(DomainError):
    """A handler's refusal."""

    kind = Kind.INVALID
    reason = "NAME_NOT_LIKED"


def arriving(event: LoggedEvent, attempts: int = 0, **changes: Any) -> Incoming:
    """An event as a transport delivers it."""
    headers = {**wire_headers(event, SOURCE), **changes.pop("headers", {})}
    values = {"content_type": CONTENT_TYPE, "body": event.data, **changes}
    return Incoming(tag=1, attempts=attempts, routing_key=event.routing_key, headers=headers, **values)


def subscribed(service: ServiceDatabase, handler: object = write_ledger) -> Subscription:
    """A subscription in this process."""
    return Subscription(a_consumer(handler), service.database, threading.Event())


def unless_poison(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """Note what was given; refuse the name `poison`."""
    write_ledger(work, deliveries)
    if any(name_in(one) == "poison" for one in deliveries):
        raise Refused("not this name")


def make_due(service: ServiceDatabase) -> None:
    """Let the time of every retry come."""
    service.ask("UPDATE parked_event SET next_time = now() WHERE state = 'retry'")


def states(service: ServiceDatabase) -> list[tuple[int, str]]:
    """Version and state of what waits or waited, in order."""
    return [tuple(row) for row in service.ask("SELECT version, state FROM parked_event ORDER BY version, id")]


def test_a_repeated_event_has_one_effect(service: ServiceDatabase) -> None:
    subscription, event = subscribed(service), an_event()

    for batch in ([arriving(event), arriving(event)], [arriving(event)], [arriving(an_event(2)), arriving(event)]):
        assert subscription.handle(batch)

    assert [one.event_id for one in service.ledger()].count(event.event_id) == 1
    assert len(service.ledger()) == 2


def test_of_a_large_batch_only_what_is_new_has_an_effect(service: ServiceDatabase) -> None:
    subscription = subscribed(service)
    some = [arriving(an_event(place)) for place in range(1, 121)]
    more = [arriving(an_event(place)) for place in range(121, 141)]

    for batch in (some, some, [*some, *more], [*more, *more, *more]):
        assert subscription.handle(batch)

    assert len({one.event_id for one in service.ledger()}) == len(service.ledger()) == 140


def test_an_event_that_came_twice_in_one_parcel_has_one_effect(service: ServiceDatabase) -> None:
    event = arriving(an_event())
    opened = event._replace(envelope=open_envelope(event))

    assert subscribed(service).handle([opened, opened])

    assert len(service.ledger()) == 1


def test_events_of_one_aggregate_are_handled_in_order_though_types_alternate(service: ServiceDatabase) -> None:
    first, second = new_id(), new_id()
    kinds = ("crm.contacts.events.v1.PersonCreated", "crm.contacts.events.v1.PersonUpdated")
    batch = [
        arriving(
            an_event(version * 2 + place, aggregate_id=person, version=version),
            headers={"cloudEvents_type": kinds[(version + place) % 2]},
        )
        for version in range(1, 9)
        for place, person in enumerate((first, second))
    ]

    assert subscribed(service).handle(batch)

    for person in (first, second):
        assert [one.version for one in service.ledger() if one.aggregate_id == person] == list(range(1, 9))


def test_a_poison_event_holds_its_own_aggregate_and_nothing_else(service: ServiceDatabase) -> None:
    person = new_id()
    events = [an_event(place) for place in range(1, 200)]
    events[50:50] = [an_event(300, aggregate_id=person, version=1, name="poison")]
    events[120:120] = [an_event(301, aggregate_id=person, version=2)]
    subscription = subscribed(service, unless_poison)

    assert subscription.handle([arriving(event) for event in events])
    assert subscription.handle([arriving(an_event(302, aggregate_id=person, version=3))])

    assert len(service.ledger()) == 199
    assert person not in {one.aggregate_id for one in service.ledger()}
    assert states(service) == [(1, "retry"), (2, "behind"), (3, "behind")]
    [row] = service.ask("SELECT error_class, error_code, tries FROM parked_event WHERE state = 'retry'")
    assert tuple(row) == ("Refused", "NAME_NOT_LIKED", 1)


def test_a_retry_that_succeeds_lets_those_behind_go_in_order(service: ServiceDatabase) -> None:
    person = new_id()
    names = ["poison", "Ben", "Cid"]
    events = [an_event(place, aggregate_id=person, version=place, name=name) for place, name in enumerate(names, 1)]
    subscribed(service, unless_poison).handle([arriving(event) for event in events])
    make_due(service)

    done = subscribed(service).retry_due()

    assert done == 3
    assert [one.version for one in service.ledger()] == [1, 2, 3]
    assert {state for _, state in states(service)} == {"resolved"}
    assert subscribed(service).handle([arriving(an_event(4, aggregate_id=person, version=4))])
    assert len(service.ledger()) == 4


def test_retries_wait_longer_each_time_and_end_with_a_person(service: ServiceDatabase) -> None:
    subscription = subscribed(service, unless_poison)
    subscription.handle([arriving(an_event(name="poison"))])
    waits: list[timedelta] = []
    for _ in range(6):
        [row] = service.ask("SELECT next_time - now() AS wait FROM parked_event")
        waits.append(row.wait)
        make_due(service)
        subscription.retry_due()

    for wait, seconds in zip(waits, (10, 60, 300, 1_800, 7_200, 21_600), strict=True):
        assert 0.75 * seconds <= wait.total_seconds() <= 1.2 * seconds
    assert states(service) == [(1, "parked")]
    make_due(service)
    assert subscription.retry_due() == 0


def test_an_event_that_came_behind_while_its_head_was_resolved_is_not_forgotten(service: ServiceDatabase) -> None:
    person = new_id()
    subscribed(service, unless_poison).handle([arriving(an_event(1, aggregate_id=person, name="poison"))])
    subscribed(service).handle([arriving(an_event(2, aggregate_id=person, version=2))])
    service.ask("UPDATE parked_event SET state = 'resolved' WHERE version = 1")

    assert subscribed(service).retry_due() == 1
    assert [one.version for one in service.ledger()] == [2]


def failing_with(make: Callable[[], Exception], times: int) -> Callable[[UnitOfWork, Sequence[Delivery]], None]:
    """A handler that notes what it was given, but fails the first `times` times."""
    left = [times]

    def handler(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        write_ledger(work, deliveries)
        if left[0]:
            left[0] -= 1
            raise make()

    return handler


class Deadlock(psycopg.errors.DeadlockDetected):
    """As PostgreSQL raises it."""


class Away(DomainError):
    """Another service cannot be reached."""

    kind = Kind.UNAVAILABLE
    reason = "SERVICE_NOT_AVAILABLE"


@pytest.mark.parametrize(
    "make",
    [
        lambda: sa.exc.OperationalError("x", {}, Deadlock("deadlock")),
        lambda: sa.exc.OperationalError("x", {}, psycopg.errors.SerializationFailure("again")),
        lambda: sa.exc.OperationalError("x", {}, psycopg.errors.AdminShutdown("restart")),
        lambda: sa.exc.OperationalError("x", {}, psycopg.OperationalError("connection lost")),
        lambda: Away("not now"),
    ],
)
def test_a_passing_trouble_parks_nothing(make: Callable[[], Exception], service: ServiceDatabase) -> None:
    subscription = subscribed(service, failing_with(make, 4))

    assert subscription.handle([arriving(an_event(place)) for place in range(1, 6)])

    assert len(service.ledger()) == 5
    assert states(service) == []


def test_a_lost_database_session_is_waited_out(service: ServiceDatabase) -> None:
    def handler(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        write_ledger(work, deliveries)
        if not killed:
            killed.append(1)
            [row] = work.execute(sa.text("SELECT pg_backend_pid() AS pid"))
            service.ask("SELECT pg_terminate_backend(:pid)", pid=row.pid)
            work.execute(sa.text("SELECT 1"))

    killed: list[int] = []

    assert subscribed(service, handler).handle([arriving(an_event(1)), arriving(an_event(2))])
    assert len(service.ledger()) == 2
    assert states(service) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"headers": {"cloudEvents_type": "crm.contacts.events.v2.PersonCreated"}}, "TYPE_UNKNOWN"),
        ({"body": b"\xff\xff\xff"}, "BODY_INVALID"),
        ({"content_type": "application/x-python-serialize"}, "CONTENT_TYPE_UNKNOWN"),
        ({"headers": {"cloudEvents_id": "nonsense"}}, "HEADERS_INVALID"),
        ({"headers": {"cloudEvents_source": "a\0b"}}, "HEADERS_INVALID"),
        ({"headers": {"crm_position": "9" * 30}}, "HEADERS_INVALID"),
        ({"headers": {"cloudEvents_subject": "person"}}, "HEADERS_INVALID"),
    ],
)
def test_what_cannot_be_read_is_parked_at_once_and_shown(
    changes: dict[str, Any], code: str, service: ServiceDatabase
) -> None:
    batch = [arriving(an_event(1)), arriving(an_event(2), **changes), arriving(an_event(3))]

    assert subscribed(service).handle(batch)

    assert len(service.ledger()) == 2
    [row] = service.ask("SELECT state, error_code FROM parked_event")
    assert tuple(row) == ("parked", code)


def test_a_fact_that_came_into_the_contract_later_is_passed_over_and_holds_nothing(service: ServiceDatabase) -> None:
    later: dict[str, Any] = {"headers": {"cloudEvents_type": "crm.contacts.events.v1.PersonSangAloud"}}
    aggregate = new_id()
    batch = [arriving(an_event(1, aggregate_id=aggregate)), arriving(an_event(2, aggregate_id=aggregate), **later)]

    assert subscribed(service).handle([*batch, arriving(an_event(3, aggregate_id=aggregate))])

    assert len(service.ledger()) == 2
    assert states(service) == []


def test_an_event_that_may_have_killed_the_process_is_tried_alone_and_counted_before(service: ServiceDatabase) -> None:
    """Events that were in hand when a process died are put aside; each is tried apart, its try counted beforehand."""
    innocent, culprit = an_event(1), an_event(2, name="crash")

    class Died(BaseException):
        """Stands for the end of the process."""

    def handler(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        if any(name_in(one) == "crash" for one in deliveries):
            raise Died
        write_ledger(work, deliveries)

    subscription = subscribed(service, handler)
    assert subscription.handle([arriving(innocent, CRASHES), arriving(culprit, CRASHES), arriving(an_event(3))])
    assert [one.event_id for one in service.ledger()] != [innocent.event_id]

    for _ in range(7):
        make_due(service)
        try:
            subscription.retry_due()
        except Died:
            continue

    assert innocent.event_id in {one.event_id for one in service.ledger()}
    rows = service.ask("SELECT event_id::text, state FROM parked_event")
    assert {tuple(row) for row in rows} == {(innocent.event_id, "resolved"), (culprit.event_id, "parked")}


def test_marks_follow_the_furthest_position_of_each_source(service: ServiceDatabase) -> None:
    subscription = subscribed(service)
    subscription.handle([arriving(an_event(7)), arriving(an_event(9)), arriving(an_event(8))])
    subscription.handle([arriving(an_event(3)), arriving(an_event(5), headers={"cloudEvents_source": "crm/hq/deals"})])

    rows = service.ask("SELECT source, position FROM consumer_mark ORDER BY source")

    assert [tuple(row) for row in rows] == [(SOURCE, 9), ("crm/hq/deals", 5)]


def test_a_new_epoch_moves_the_mark_though_positions_begin_anew(service: ServiceDatabase) -> None:
    subscription = subscribed(service)
    subscription.handle([arriving(an_event(70))])
    subscription.handle([arriving(an_event(2), headers={"crm_epoch": "2"})])

    [row] = service.ask("SELECT epoch, position FROM consumer_mark")
    assert tuple(row) == (2, 2)


def test_what_a_handler_says_is_stored_with_its_effect_or_not_at_all(service: ServiceDatabase) -> None:
    def handler(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        for one in deliveries:
            work.add_event(one.message, "person", one.aggregate_id, one.version)
        if any(name_in(one) == "poison" for one in deliveries):
            raise Refused("no")

    subscribed(service, handler).handle([arriving(an_event(1)), arriving(an_event(2, name="poison"))])

    assert len(service.ask("SELECT 1 FROM outbox")) == 1


def test_two_consumers_of_one_database_each_handle_an_event(service: ServiceDatabase) -> None:
    event = arriving(an_event())
    for name in ("probe", "other"):
        consumer = Consumer(name, (), a_consumer().handlers)
        assert Subscription(consumer, service.database, threading.Event()).handle([event])

    assert len(service.ledger()) == 2


def test_a_stop_in_the_middle_of_a_passing_trouble_leaves_the_batch_unacked(service: ServiceDatabase) -> None:
    stopping = threading.Event()
    stopping.set()
    subscription = Subscription(a_consumer(failing_with(lambda: Away("no"), 99)), service.database, stopping)

    assert subscription.handle([arriving(an_event())]) is False
    assert service.ledger() == []


def test_a_mended_event_goes_through_with_those_behind_it_and_others_never_waited(service: ServiceDatabase) -> None:
    subscription, held, free = subscribed(service, unless_poison), new_id(), new_id()
    subscription.handle([arriving(an_event(1, aggregate_id=held, version=1, name="poison"))])
    later = [an_event(2, aggregate_id=held, version=2), an_event(3, aggregate_id=free, version=1)]
    subscription.handle([arriving(one) for one in later])
    assert [one.aggregate_id for one in service.ledger()] == [free]
    assert states(service) == [(1, "retry"), (2, "behind")]

    with service.database.transaction() as work:
        number = list_parked(work)[0].id
        edit_parked(work, number, created(held, "Mended").SerializeToString())
    assert subscription.retry_due() == 2

    told = [(one.version, one.name) for one in service.ledger() if one.aggregate_id == held]
    assert told == [(1, "Mended"), (2, "Ann")]
    assert states(service) == [(1, "resolved"), (2, "resolved")]
    with service.database.transaction() as work:
        (before,) = show_parked(work, number).edits
    assert before.data == created(held, "poison").SerializeToString()
