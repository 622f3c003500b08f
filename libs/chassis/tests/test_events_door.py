"""The door to messaging state answers administrators, and nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from chassis import event_feed
from chassis.access import ADMINISTER, ALL, READ, SUBTREE, Access, Grant, follower_access
from chassis.bus.relay import begin_epoch, number_waiting
from chassis.database import Database
from chassis.errors import RemoteError
from chassis.ids import new_id
from chassis.rpc.client import Client, calling_as
from chassis.rpc.events_door import events_servicer
from chassis.rpc.server import start_server
from chassis.schema import parked_event
from chassis.tokens import TokenSigner, TokenVerifier, public_key_of
from crm.contacts.events.v1 import contacts_events_pb2
from crm.directory.events.v1 import directory_events_pb2 as events
from crm.platform.v1 import events_pb2 as pb
from crm.platform.v1 import events_pb2_grpc as pb_grpc

ADMIN = Access("0198c0de-0000-7000-8000-000000000001", "Ada", "", (Grant(ADMINISTER, ALL),))
READER = Access(
    "0198c0de-0000-7000-8000-000000000002", "Ben", "", (Grant(READ, ALL), Grant(ADMINISTER, SUBTREE, "hq.ru"))
)


@pytest.fixture
def client(database: Database, private_key: str) -> Iterator[Client]:
    """A client of a server that holds one service's messaging state."""
    verifier = TokenVerifier(public_key_of(private_key))
    server, port = start_server("127.0.0.1:0", (events_servicer({"directory": database}),), verifier)
    made = Client("platform", f"127.0.0.1:{port}", pb_grpc.EventsServiceStub)
    yield made
    made.close()
    server.stop(0).wait()


def write_events(database: Database, count: int) -> None:
    """Commit facts and number them."""
    with database.transaction() as work:
        for _ in range(count):
            message = contacts_events_pb2.PersonCreated()
            work.add_event(message, "person", new_id(), 1)
    number_waiting(database)


def park(database: Database) -> int:
    """An event that waits; answers its number."""
    statement = sa.text(
        "INSERT INTO parked_event (consumer, event_id, source, aggregate, aggregate_id, epoch, version, position, "
        "type, headers, data, state, tries, error_code) "
        "VALUES ('directory', :id, 'crm/hq/contacts', 'person', :id, 1, 1, 7, "
        "'crm.x', '{\"a\": \"b\"}', 'body', 'parked', 6, 'NOT_LIKED') RETURNING id"
    )
    with database.engine.begin() as connection:
        return int(connection.execute(statement, {"id": new_id()}).scalar_one())


def test_the_feed_is_read_page_by_page_in_order(client: Client, database: Database, signer: TokenSigner) -> None:
    write_events(database, 5)
    with calling_as(signer.sign(ADMIN)):
        first = client.call("ListEvents", pb.ListEventsRequest(page_size=3))
        second = client.call("ListEvents", pb.ListEventsRequest(page_size=3, page_token=first.next_page_token))

    positions = [event.position for answer in (first, second) for event in answer.events]
    assert positions == [1, 2, 3, 4, 5]
    assert (second.next_position, second.last_position, second.epoch) == (5, 5, 1)
    assert first.events[0].type == "crm.contacts.events.v1.PersonCreated"


def test_a_position_the_log_no_longer_holds_is_refused(client: Client, database: Database, signer: TokenSigner) -> None:
    write_events(database, 5)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM event_log WHERE position < 4")

    with calling_as(signer.sign(ADMIN)), pytest.raises(RemoteError) as caught:
        client.call("ListEvents", pb.ListEventsRequest(after_position=1))

    assert caught.value.reason == "EVENTS_GONE"


def test_a_waiting_event_is_shown_retried_and_let_go(client: Client, database: Database, signer: TokenSigner) -> None:
    number = park(database)
    with calling_as(signer.sign(ADMIN)):
        [listed] = client.call("ListParked", pb.ListParkedRequest()).parked
        shown = client.call("GetParked", pb.GetParkedRequest(number=number))
        retried = client.call("RetryParked", pb.RetryParkedRequest(number=number)).parked
        skipped = client.call("SkipParked", pb.SkipParkedRequest(number=number)).parked
        left = client.call("ListParked", pb.ListParkedRequest()).parked

    assert (listed.number, listed.state, listed.error_code) == (number, pb.PARKED_STATE_PARKED, "NOT_LIKED")
    assert (dict(shown.headers), shown.data) == ({"a": "b"}, b"body")
    assert (retried.state, retried.tries) == (pb.PARKED_STATE_RETRY, 0)
    assert (skipped.state, skipped.resolved_by) == (pb.PARKED_STATE_SKIPPED, ADMIN.user_id)
    assert list(left) == []


def test_a_waiting_event_is_changed_and_what_it_said_before_is_kept(
    client: Client, database: Database, signer: TokenSigner
) -> None:
    number = park(database)
    with calling_as(signer.sign(ADMIN)):
        for data in (b"first", b"second"):
            edited = client.call("EditParked", pb.EditParkedRequest(number=number, data=data)).parked
        shown = client.call("GetParked", pb.GetParkedRequest(number=number))
        client.call("SkipParked", pb.SkipParkedRequest(number=number))
        with pytest.raises(RemoteError) as caught:
            client.call("EditParked", pb.EditParkedRequest(number=number, data=b"too late"))

    assert (edited.state, edited.tries, shown.data) == (pb.PARKED_STATE_RETRY, 0, b"second")
    assert [(one.data, one.editor) for one in shown.edits] == [(b"body", ADMIN.user_id), (b"first", ADMIN.user_id)]
    assert caught.value.reason == "PARKED_EVENT_NOT_FOUND"


def test_a_change_that_is_no_message_of_the_events_type_is_refused(
    client: Client, database: Database, signer: TokenSigner
) -> None:
    number = park(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE parked_event SET type = 'crm.contacts.events.v1.PersonCreated'")
    with calling_as(signer.sign(ADMIN)), pytest.raises(RemoteError) as caught:
        client.call("EditParked", pb.EditParkedRequest(number=number, data=b"\xff\xff"))
    assert caught.value.reason == "FIELD_INVALID"


def test_a_change_that_tells_of_another_record_is_refused(
    client: Client, database: Database, signer: TokenSigner
) -> None:
    number, record = park(database), new_id()
    with database.engine.begin() as connection:
        changes = {"type": events.UnitCreated.DESCRIPTOR.full_name, "aggregate": "unit", "aggregate_id": record}
        connection.execute(sa.update(parked_event).values(changes))

    def told_of(unit: str) -> pb.EditParkedRequest:
        message = events.UnitCreated(unit=events.UnitState(id=unit, name="Orel"))
        return pb.EditParkedRequest(number=number, data=message.SerializeToString())

    with calling_as(signer.sign(ADMIN)):
        for other in (new_id(), ""):
            with pytest.raises(RemoteError) as caught:
                client.call("EditParked", told_of(other))
            assert caught.value.reason == "FIELD_INVALID"
            assert record in str(caught.value.violations)
        assert client.call("EditParked", told_of(record)).parked.state == pb.PARKED_STATE_RETRY


def test_an_event_that_does_not_wait_is_named(client: Client, signer: TokenSigner) -> None:
    with calling_as(signer.sign(ADMIN)), pytest.raises(RemoteError) as caught:
        client.call("SkipParked", pb.SkipParkedRequest(number=99))

    assert caught.value.reason == "PARKED_EVENT_NOT_FOUND"


def test_lag_counts_what_is_not_on_the_bus_and_what_waits(
    client: Client, database: Database, signer: TokenSigner
) -> None:
    write_events(database, 3)
    park(database)
    with calling_as(signer.sign(ADMIN)):
        lag = client.call("GetLag", pb.GetLagRequest())

    assert (lag.last_position, lag.published_position, lag.unnumbered) == (3, 0, 0)
    assert lag.oldest_unpublished.ToMilliseconds() > 0
    assert [(one.consumer, one.state, one.count) for one in lag.waiting] == [("directory", pb.PARKED_STATE_PARKED, 1)]


def test_a_service_of_another_process_is_not_here(client: Client, signer: TokenSigner) -> None:
    with calling_as(signer.sign(ADMIN)), pytest.raises(RemoteError) as caught:
        client.call("GetLag", pb.GetLagRequest(service="deals"))

    assert caught.value.reason == "SERVICE_NOT_HERE"


@pytest.mark.parametrize(
    "method",
    ["ListEvents", "ListSnapshot", "ListParked", "GetParked", "RetryParked", "EditParked", "SkipParked", "GetLag"],
)
def test_who_may_not_administer_everything_gets_nothing(method: str, client: Client, signer: TokenSigner) -> None:
    with calling_as(signer.sign(READER)), pytest.raises(RemoteError) as caught:
        client.call(method, getattr(pb, f"{method}Request")())

    assert caught.value.reason == "NOT_PERMITTED"


def follow(client: Client, after: int, wait: float = 0.0, service: str = "directory") -> pb.FollowEventsResponse:
    """Ask for news of one service."""
    asked = pb.FollowEventsRequest(after_positions={service: after})
    asked.wait.FromMilliseconds(round(wait * 1000))
    answer: pb.FollowEventsResponse = client.call("FollowEvents", asked)
    return answer


def test_a_follower_is_told_what_happens_from_now_on(client: Client, database: Database, signer: TokenSigner) -> None:
    write_events(database, 3)
    with calling_as(signer.sign(follower_access("gateway"))):
        begun = follow(client, -1).followed[0]
        assert (begun.next_position, list(begun.events)) == (3, [])
        later = threading.Timer(0.3, write_events, (database, 2))
        later.start()
        news = follow(client, begun.next_position, wait=10).followed[0]
        later.join()
        news_positions = [one.position for one in news.events]
        assert news_positions == list(range(4, news.next_position + 1))
        assert not follow(client, 5).followed[0].events
        assert not follow(client, 0, service="deals").followed  # another process has it


def test_a_follower_far_behind_is_sent_to_the_end(
    client: Client, database: Database, signer: TokenSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(database, 5)
    with calling_as(signer.sign(follower_access("gateway"))):
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM event_log WHERE position < 3")
        assert follow(client, 0).followed[0].passed_over
        assert follow(client, 99).followed[0].next_position == 5  # the source was restored to an earlier state
        monkeypatch.setattr(event_feed, "FOLLOWED", 2)
        news = follow(client, 2).followed[0]
        assert (news.passed_over, news.next_position, len(news.events)) == (True, 5, 0)


def test_only_those_who_carry_news_on_follow_events_and_they_do_nothing_else(
    client: Client, signer: TokenSigner
) -> None:
    with calling_as(signer.sign(READER)), pytest.raises(RemoteError) as caught:
        follow(client, -1)
    assert caught.value.reason == "NOT_PERMITTED"
    for method in ("ListParked", "RetryParked", "GetLag"):
        with calling_as(signer.sign(follower_access("gateway"))), pytest.raises(RemoteError) as caught:
            client.call(method, getattr(pb, f"{method}Request")())
        assert caught.value.reason == "NOT_PERMITTED"


def test_who_keeps_copies_reads_a_snapshot_and_the_feed_behind_it(
    client: Client, database: Database, signer: TokenSigner
) -> None:
    write_events(database, 5)
    with calling_as(signer.sign(follower_access("reporting"))):
        first = client.call("ListSnapshot", pb.ListSnapshotRequest(page_size=3))
        write_events(database, 1)
        second = client.call("ListSnapshot", pb.ListSnapshotRequest(page_size=3, page_token=first.next_page_token))
        third = client.call("ListSnapshot", pb.ListSnapshotRequest(page_size=4, page_token=second.next_page_token))
        behind = client.call("ListEvents", pb.ListEventsRequest(after_position=first.position, epoch=first.epoch))

    pages = (first, second, third)
    assert [(one.position, one.epoch, one.source) for one in pages] == [(5, 1, "crm/hq/directory")] * 3
    assert [event.position for page in pages for event in page.events] == [1, 2, 3, 4, 5, 6]
    assert (third.next_page_token, [one.position for one in behind.events]) == ("", [6])
    assert first.HasField("time")


def test_a_snapshot_that_a_new_epoch_overtakes_is_begun_again(
    client: Client, database: Database, signer: TokenSigner
) -> None:
    write_events(database, 3)
    with calling_as(signer.sign(ADMIN)):
        first = client.call("ListSnapshot", pb.ListSnapshotRequest(page_size=2))
        begin_epoch(database)
        with pytest.raises(RemoteError) as caught:
            client.call("ListSnapshot", pb.ListSnapshotRequest(page_size=2, page_token=first.next_page_token))
    assert (caught.value.reason, caught.value.metadata["epoch"]) == ("EVENTS_GONE", "2")


def test_what_was_not_chosen_is_not_looked_through_again(
    client: Client, database: Database, signer: TokenSigner
) -> None:
    write_events(database, 3)
    with calling_as(signer.sign(ADMIN)):
        none = client.call("ListEvents", pb.ListEventsRequest(unit_path="hq.ru"))
        wrong = pb.ListEventsRequest(unit_path="hq.*")
        with pytest.raises(RemoteError) as caught:
            client.call("ListEvents", wrong)
    assert (list(none.events), none.next_position) == ([], 3)
    assert caught.value.reason == "FIELD_INVALID"
