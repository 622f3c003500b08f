"""What a reader may rely on at the bus itself, the same on both: headers, order, one reader, redelivery, batches."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest

from chassis.bus.events import CONTENT_TYPE, Incoming, wire_headers
from chassis.bus.transport import Bus, BusLost, PublishInDoubt, Receiver, open_bus
from chassis.ids import new_id
from chassis.logged_event import LoggedEvent
from chassis.testing.bus import BusAddress
from chassis.testing.eventually import eventually
from tests.contract.messaging.probes import SOURCE, a_consumer, an_event

CONSUMER = a_consumer()


def publish(bus: Bus, events: Sequence[LoggedEvent]) -> None:
    """Publish a batch and wait until it is safe."""
    publisher = bus.publisher()
    publisher.begin(SOURCE, events)
    publisher.finish()
    publisher.close()


def read(receiver: Receiver, count: int, limit: int = 500) -> list[Incoming]:
    """Receive until so many messages came."""
    found: list[Incoming] = []

    def enough() -> bool:
        found.extend(receiver.receive(limit, 0.05))
        return len(found) >= count

    eventually(enough)
    return found


def open_reader(bus: Bus) -> Receiver:
    """The queue's reader."""
    receiver = bus.receiver(CONSUMER)
    assert receiver is not None
    return receiver


def take_over(bus: Bus) -> Receiver:
    """The queue's reader, once the one before is gone."""
    receiver = eventually(lambda: bus.receiver(CONSUMER))
    assert receiver is not None
    return receiver


def ids_of(messages: Sequence[Incoming]) -> list[str]:
    """The events' ids in order."""
    return [one.headers["cloudEvents_id"] for one in messages]


def test_headers_and_body_arrive_as_they_were_sent(bus: Bus) -> None:
    bus.declare([CONSUMER])
    event = an_event(41, name="Ж" * 50)
    publish(bus, [event])

    [message] = read(open_reader(bus), 1)

    sent = wire_headers(event, SOURCE)
    assert {name: message.headers[name] for name in sent} == sent
    assert all(isinstance(value, str) for value in sent.values())
    assert (message.content_type, message.body, message.routing_key) == (CONTENT_TYPE, event.data, event.routing_key)
    assert message.attempts == 0


def test_a_body_larger_than_a_frame_arrives_whole(bus: Bus) -> None:
    bus.declare([CONSUMER])
    event = an_event(name="x" * 400_000)
    publish(bus, [an_event(1), event, an_event(3)])

    messages = read(open_reader(bus), 3)

    assert messages[1].body == event.data
    assert len(messages) == 3


def test_a_queue_keeps_the_order_of_publishing_across_batches(bus: Bus) -> None:
    bus.declare([CONSUMER])
    person = new_id()
    events = [an_event(place, aggregate_id=person, version=place) for place in range(1, 31)]
    publish(bus, events[:20])
    publish(bus, events[20:])

    receiver = open_reader(bus)
    messages = read(receiver, 30, limit=7)

    assert ids_of(messages) == [event.event_id for event in events]


def test_a_receive_takes_no_more_than_asked_for(bus: Bus) -> None:
    bus.declare([CONSUMER])
    publish(bus, [an_event(place) for place in range(1, 21)])

    batch = eventually(lambda: open_reader(bus).receive(8, 1.0))

    assert len(batch) <= 8


def test_acked_messages_are_gone_and_others_come_again_in_their_order(bus: Bus) -> None:
    bus.declare([CONSUMER])
    events = [an_event(place) for place in range(1, 11)]
    publish(bus, events)
    receiver = open_reader(bus)
    messages = read(receiver, 10)
    receiver.ack(messages[:4])
    receiver.close()

    again = read(open_reader(bus), 6)

    assert ids_of(again) == [event.event_id for event in events[4:]]
    assert {one.attempts for one in again} == {1}


def test_a_batch_larger_than_a_reader_takes_is_acked_piece_by_piece(bus: Bus) -> None:
    bus.declare([CONSUMER])
    events = [an_event(place) for place in range(1, 21)]
    publish(bus, events)
    receiver = open_reader(bus)
    first = read(receiver, 8, limit=8)
    receiver.ack(first)
    second = read(receiver, 8, limit=8)
    receiver.ack(second)
    receiver.close()

    rest = read(open_reader(bus), 20 - len(first) - len(second))

    assert ids_of([*first, *second, *rest]) == [event.event_id for event in events]


@pytest.mark.parametrize("bus_address", ["pgmq"], indirect=True)
@pytest.mark.parametrize(
    "headers", ['{"crm_events": 3}', '{"crm_events": "many", "crm_done": "x"}', '{"crm_events": -1}']
)
def test_a_stranger_that_looks_like_a_parcel_is_one_message(bus: Bus, bus_address: BusAddress, headers: str) -> None:
    bus.declare([CONSUMER])
    with psycopg.connect(bus_address.url.replace("pgmq://", "postgresql://"), autocommit=True) as outside:
        send = "SELECT pgmq.send(%s, CAST(%s AS jsonb), CAST(%s AS jsonb))"
        outside.execute(send, [CONSUMER.queue, '{"parcel": "no parcel"}', headers])
    publish(bus, [an_event(2), an_event(3)])
    receiver = open_reader(bus)

    messages = read(receiver, 3)
    receiver.ack(messages)

    assert [one.content_type for one in messages] == ["", CONTENT_TYPE, CONTENT_TYPE]
    assert b"no parcel" in messages[0].body
    assert receiver.receive(10, 0.05) == []
    receiver.close()


def test_a_reader_that_vanishes_gives_its_messages_back_before_later_ones(bus: Bus) -> None:
    """A killed process says no goodbye; the next reader must not see event 3 before event 1."""
    bus.declare([CONSUMER])
    person = new_id()
    events = [an_event(place, aggregate_id=person, version=place) for place in (1, 2, 3)]
    publish(bus, events[:2])
    first = open_reader(bus)
    read(first, 2)
    publish(bus, events[2:])
    vanish(first)

    again = read(take_over(bus), 3)

    assert ids_of(again) == [event.event_id for event in events]


def test_a_second_reader_gets_nothing_while_the_first_lives(bus: Bus) -> None:
    bus.declare([CONSUMER])
    first, second = open_reader(bus), bus.receiver(CONSUMER)
    publish(bus, [an_event(1)])

    assert len(read(first, 1)) == 1
    assert second is None or second.receive(10, 0.05) == []


def test_a_waiting_reader_takes_over_when_the_first_goes(bus: Bus) -> None:
    bus.declare([CONSUMER])
    first, second = open_reader(bus), bus.receiver(CONSUMER)
    first.close()
    publish(bus, [an_event(1)])

    heir = second or take_over(bus)

    assert len(read(heir, 1)) == 1


def test_declaring_again_changes_nothing(bus: Bus) -> None:
    bus.declare([CONSUMER])
    publish(bus, [an_event(1)])

    bus.declare([CONSUMER])

    assert len(read(open_reader(bus), 1)) == 1


@pytest.mark.parametrize("url", ["amqp://crm:crm@127.0.0.1:9/x", "pgmq://crm:crm@127.0.0.1:9/x"])
def test_a_bus_that_is_not_there_is_said_to_be_lost(url: str) -> None:
    bus = open_bus(url)

    with pytest.raises(BusLost):
        bus.declare([CONSUMER])
    with pytest.raises(BusLost):
        bus.publisher()
    with pytest.raises(BusLost):
        bus.receiver(CONSUMER)


def test_a_publisher_whose_connection_went_confirms_nothing(bus: Bus) -> None:
    bus.declare([CONSUMER])
    publisher = bus.publisher()
    vanish(publisher)

    def publish_one() -> None:
        publisher.begin(SOURCE, [an_event(1)])
        publisher.finish()

    with pytest.raises(PublishInDoubt) as caught:
        publish_one()

    assert caught.value.confirmed == 0


def test_an_unknown_bus_is_refused() -> None:
    with pytest.raises(ValueError, match="redis"):
        open_bus("redis://127.0.0.1/0")


def vanish(user: object) -> None:
    """Break a connection without a word, as a killed process or a cut line does."""
    wire = getattr(user, "_wire", None)
    if wire is not None:
        wire.transport.sock.shutdown(2)
    else:
        user._connection.pgconn.finish()  # type: ignore[attr-defined]
