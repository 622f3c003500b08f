"""What a consumer can learn of the past: the kept days, what dropped days left behind, and all of it anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.bus.catching_up import NothingToRebuild, catch_up, rebuild, replay, tell_all
from chassis.bus.consumer import Consumer
from chassis.bus.event_days import keep_event_days
from chassis.bus.events import Delivery
from chassis.bus.housekeeping import keep_house, read_event_days
from chassis.bus.relay import begin_epoch, number_waiting
from chassis.bus.sources import DatabaseSource
from chassis.copies import copies_in_place
from chassis.database import UnitOfWork
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.event_feed import Chosen, EventsGone, tail_events
from chassis.ids import new_id
from chassis.naming import binding
from chassis.projection import newest_states, state_columns, upsert_newer
from chassis.settings import SettingsInvalid
from crm.contacts.events.v1 import contacts_events_pb2 as pb
from crm.deals.events.v1 import deals_events_pb2 as deals
from tests.contract.messaging.probes import ServiceDatabase, a_consumer, name_in, open_service, write_ledger

MONTH = timedelta(days=31)
copied = sa.Table(
    "copied", sa.MetaData(), sa.Column("id", sa.UUID(as_uuid=False), primary_key=True), sa.Column("name", sa.Text),
    sa.Column("epoch", sa.Integer), sa.Column("version", sa.BigInteger),
)  # fmt: skip


@pytest.fixture
def listener(postgres: EmbeddedPostgres) -> ServiceDatabase:
    """The database of a service that listens, with a copy of persons."""
    found = open_service(postgres)
    found.ask("CREATE TABLE copied (id uuid PRIMARY KEY, name text, epoch int, version bigint)")
    return found


def copy_persons(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
    """Keep persons as they were told, and note the deliveries."""
    write_ledger(work, deliveries)
    rows = [
        {"id": one.id, "name": one.personal.display_name, **state_columns(*state)}
        for one, *state in newest_states(deliveries, "person")
    ]
    upsert_newer(work, copied, rows)


def a_copier() -> Consumer:
    """A consumer that keeps a copy of persons."""
    handlers: Any = {pb.PersonCreated: copy_persons, pb.PersonUpdated: copy_persons}
    return Consumer("probe", (binding("contacts"),), handlers, batch_size=2, copies=copies_in_place(copied))


def say(service: ServiceDatabase, person: str, version: int, name: str) -> None:
    """Commit and number a fact about a person: made with version 1, changed later."""
    message = pb.PersonCreated() if version == 1 else pb.PersonUpdated()
    message.person.id = person
    message.person.personal.display_name = name
    with service.database.transaction() as work:
        work.add_event(message, "person", person, version, "hq.ru.moscow")
    number_waiting(service.database)


def drop_days(service: ServiceDatabase) -> None:
    """Let a month pass for everything that was said."""
    service.ask("UPDATE relay_state SET published_position = last_position")
    keep_event_days(service.database, datetime.now(UTC).date() + MONTH)


def drop_events_to(service: ServiceDatabase, position: int) -> None:
    """Let a month pass for what was said up to a position."""
    service.ask("UPDATE event_log SET day = day - 31 WHERE position <= :p", p=position)
    service.ask("UPDATE relay_state SET published_position = last_position")
    keep_event_days(service.database, datetime.now(UTC).date())


def copy_of(listener: ServiceDatabase) -> dict[str, str]:
    """Names by person."""
    return {row.id: row.name for row in listener.ask("SELECT id::text, name FROM copied")}


def source(service: ServiceDatabase) -> DatabaseSource:
    """The past of a service."""
    return DatabaseSource(service.database)


def positions(service: ServiceDatabase, chosen: Chosen) -> list[int]:
    """The positions of chosen events."""
    with service.database.transaction() as work:
        return [one.position for one in tail_events(work, 0, 500, chosen)]


def test_a_service_that_comes_after_the_days_were_dropped_learns_every_last_state(
    service: ServiceDatabase, listener: ServiceDatabase
) -> None:
    ann, ben, eve = new_id(), new_id(), new_id()
    say(service, ann, 1, "Ann")
    say(service, ann, 2, "Anna")
    say(service, ann, 3, "Annette")
    say(service, ben, 1, "Ben")
    drop_days(service)
    say(service, ben, 2, "Benjamin")
    say(service, eve, 1, "Eve")

    assert catch_up(a_copier(), listener.database, [source(service)]) == 5, "two of each who changed, one of Eve"
    assert copy_of(listener) == {ann: "Annette", ben: "Benjamin", eve: "Eve"}
    assert catch_up(a_copier(), listener.database, [source(service)]) == 0


def test_a_snapshot_names_the_position_behind_which_nothing_is_missing(service: ServiceDatabase) -> None:
    persons = [new_id() for _ in range(5)]
    for person in persons:
        say(service, person, 1, "before")
    standing = source(service).read_standing()
    pages = source(service).snapshot_pages(2, Chosen())
    seen = {one.aggregate_id: one.version for one in next(pages)}
    say(service, persons[0], 2, "while it was read")
    drop_events_to(service, standing.last_position)
    say(service, persons[4], 2, "and after days were dropped")
    for page in pages:
        seen.update({one.aggregate_id: max(one.version, seen.get(one.aggregate_id, 0)) for one in page})

    assert seen == {**dict.fromkeys(persons, 1), persons[4]: 2}
    with service.database.transaction() as work:
        behind = tail_events(work, standing.last_position)
    assert [(one.aggregate_id, one.version) for one in behind] == [(persons[0], 2), (persons[4], 2)]


def test_what_is_older_than_the_log_is_refused_with_the_way_out(service: ServiceDatabase) -> None:
    say(service, new_id(), 1, "Ann")
    drop_days(service)
    say(service, new_id(), 1, "Ben")

    with service.database.transaction() as work, pytest.raises(EventsGone, match="read a snapshot first") as gone:
        tail_events(work, 0)

    assert gone.value.metadata == {"oldest_position": "2", "last_position": "2", "epoch": "1"}
    with service.database.transaction() as work:
        assert [one.position for one in tail_events(work, 1)] == [2]


def test_events_not_yet_on_the_bus_outlive_their_days(service: ServiceDatabase) -> None:
    say(service, new_id(), 1, "Ann")

    keep_event_days(service.database, datetime.now(UTC).date() + MONTH)

    assert service.ask("SELECT count(*) AS n FROM event_log")[0].n == 1
    assert service.ask("SELECT count(*) AS n FROM event_snapshot")[0].n == 0


def test_how_many_days_are_kept_is_a_setting_of_each_service(
    service: ServiceDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENT_LOG_DAYS", "7")
    monkeypatch.setenv("DEALS_EVENT_LOG_DAYS", "90")
    assert (read_event_days("contacts"), read_event_days("deals")) == (7, 90)
    monkeypatch.setenv("CONTACTS_EVENT_LOG_DAYS", "0")
    with pytest.raises(SettingsInvalid, match="EVENT_LOG_DAYS"):
        read_event_days("contacts")

    say(service, new_id(), 1, "Ann")
    service.ask("UPDATE relay_state SET published_position = last_position")
    service.ask("UPDATE event_log SET day = day - 8")
    service.ask("INSERT INTO inbox VALUES ('probe', gen_random_uuid(), 'x', now() - interval '13 days')")
    keep_house(service.database, 9)
    assert (
        service.ask("SELECT count(*) AS n FROM event_log")[0].n
        == service.ask("SELECT count(*) AS n FROM inbox")[0].n
        == 1
    )
    keep_house(service.database, 7)
    assert (
        service.ask("SELECT count(*) AS n FROM event_log")[0].n
        == service.ask("SELECT count(*) AS n FROM inbox")[0].n
        == 0
    )


def test_the_feed_is_chosen_by_type_and_by_unit_with_those_below_it(service: ServiceDatabase) -> None:
    for place, path in enumerate(("hq", "hq.ru", "hq.ru.moscow", "hq.ru.moscow_north", "hq.rus", "")):
        with service.database.transaction() as work:
            message = pb.PersonUpdated() if place % 2 else pb.PersonCreated()
            work.add_event(message, "person", new_id(), 1, path)
        number_waiting(service.database)

    assert positions(service, Chosen(unit_path="hq.ru")) == [2, 3, 4]
    assert positions(service, Chosen(unit_path="hq.ru.moscow")) == [3]
    assert positions(service, Chosen(unit_path="hq")) == [1, 2, 3, 4, 5]
    assert positions(service, Chosen(("crm.contacts.events.v1.PersonUpdated",), "hq.ru")) == [2, 4]


def test_a_replay_tells_what_was_missed_and_passes_over_what_was_handled(
    service: ServiceDatabase, listener: ServiceDatabase
) -> None:
    persons = [new_id() for _ in range(6)]
    for person in persons:
        say(service, person, 1, "Ann")
    consumer, told = a_copier(), list[tuple[str, int]]()
    catch_up(consumer, listener.database, [source(service)])
    lost = [one.event_id for one in listener.ledger() if one.aggregate_id in persons[2:4]]
    listener.ask("DELETE FROM inbox WHERE event_id = ANY(CAST(:ids AS uuid[]))", ids=lost)
    listener.ask("DELETE FROM copied")

    assert replay(consumer, listener.database, source(service), 2, tell=lambda *one: told.append(one)) == 5

    assert set(copy_of(listener)) == set(persons[2:4]), "only what no inbox knew was handled"
    assert told == [("contacts", 2), ("contacts", 4), ("contacts", 5)]
    replay(consumer, listener.database, source(service), 2)
    assert len(listener.ledger()) == 8
    replay(consumer, listener.database, source(service), 1, again=True)
    assert set(copy_of(listener)) == set(persons)
    assert len(listener.ledger()) == 14


def test_a_replay_again_leaves_newer_states_and_waiting_events_as_they_are(
    service: ServiceDatabase, listener: ServiceDatabase
) -> None:
    ann = new_id()
    say(service, ann, 1, "Ann")
    say(service, ann, 2, "Anna")
    consumer = a_copier()
    catch_up(consumer, listener.database, [source(service)])
    listener.ask("UPDATE copied SET version = 9, name = 'newer'")
    listener.ask(
        "INSERT INTO parked_event (consumer, event_id, source, aggregate, aggregate_id, epoch, version, position, type,"
        " headers, data, state) SELECT 'probe', event_id, 'crm/hq/contacts', 'person', :id, 1, 2, 2, 't', '{}', '',"
        " 'parked' FROM ledger WHERE version = 2",
        id=ann,
    )

    replay(consumer, listener.database, source(service), 1, again=True)

    assert copy_of(listener) == {ann: "newer"}
    states = listener.ask("SELECT version, state FROM parked_event ORDER BY version")
    assert [tuple(row) for row in states] == [(1, "behind"), (2, "parked")]


def test_a_rebuild_makes_the_same_copies_of_damaged_ones(service: ServiceDatabase, listener: ServiceDatabase) -> None:
    persons = [new_id() for _ in range(5)]
    for person in persons:
        say(service, person, 1, "first")
        say(service, person, 2, f"name of {person}")
    consumer = a_copier()
    first = rebuild(consumer, listener.database, [source(service)])
    drop_days(service)
    listener.ask("DELETE FROM copied WHERE id = :id", id=persons[0])
    listener.ask("UPDATE copied SET name = 'wrong' WHERE id = :id", id=persons[1])
    listener.ask("INSERT INTO copied VALUES (gen_random_uuid(), 'nobody spoke of', 1, 1)")

    again = rebuild(consumer, listener.database, [source(service)])

    assert (again.digest, again.records) == (first.digest, {"copied": 5})
    assert copy_of(listener)[persons[1]] == f"name of {persons[1]}"


def test_a_consumer_without_copies_has_nothing_to_rebuild(service: ServiceDatabase) -> None:
    with pytest.raises(NothingToRebuild):
        rebuild(a_consumer(), service.database, [source(service)])


def test_after_a_restore_the_new_epoch_undoes_what_was_heard_in_the_lost_time(
    service: ServiceDatabase, listener: ServiceDatabase
) -> None:
    ann, lost = new_id(), new_id()
    say(service, ann, 1, "Ann")
    backup = service.ask("SELECT last_position FROM relay_state")[0].last_position
    say(service, ann, 2, "changed in the lost time")
    say(service, ann, 3, "changed once more")
    say(service, lost, 1, "made in the lost time")
    consumer = a_copier()
    catch_up(consumer, listener.database, [source(service)])
    service.ask("DELETE FROM event_log WHERE position > :p", p=backup)  # the backup of this moment is put back
    service.ask("UPDATE relay_state SET last_position = :p", p=backup)

    assert begin_epoch(service.database) == 2
    say(service, ann, 2, "changed after the restore")
    rebuild(consumer, listener.database, [source(service)])

    assert copy_of(listener) == {ann: "changed after the restore"}
    with service.database.transaction() as work, pytest.raises(EventsGone, match="epoch 2"):
        tail_events(work, 4, epoch=1)


def test_a_catch_up_after_a_new_epoch_begins_with_the_snapshot(
    service: ServiceDatabase, listener: ServiceDatabase
) -> None:
    ann = new_id()
    say(service, ann, 1, "Ann")
    catch_up(a_copier(), listener.database, [source(service)])
    begin_epoch(service.database)
    say(service, ann, 2, "Anna")

    assert catch_up(a_copier(), listener.database, [source(service)]) == 2
    assert [tuple(row) for row in listener.ask("SELECT name, epoch, version FROM copied")] == [("Anna", 2, 2)]


def test_nobody_is_read_who_says_nothing_the_consumer_listens_to(
    service: ServiceDatabase, listener: ServiceDatabase
) -> None:
    say(service, new_id(), 1, "Ann")
    handlers: Any = {deals.DealOpened: write_ledger}
    assert tell_all(Consumer("probe", (binding("deals"),), handlers), listener.database, [source(service)]) == 0


def test_a_name_told_while_the_past_is_told_is_not_taken_back(
    service: ServiceDatabase, listener: ServiceDatabase
) -> None:
    ann = new_id()
    say(service, ann, 1, "Ann")

    def speak_meanwhile(work: UnitOfWork, deliveries: Sequence[Delivery]) -> None:
        copy_persons(work, deliveries)
        if name_in(deliveries[0]) == "Ann":
            say(service, ann, 2, "Anna")

    handlers: Any = {pb.PersonCreated: speak_meanwhile, pb.PersonUpdated: speak_meanwhile}
    consumer = Consumer("probe", (binding("contacts"),), handlers, copies=copies_in_place(copied))
    rebuild(consumer, listener.database, [source(service)])
    assert copy_of(listener) == {ann: "Anna"}
