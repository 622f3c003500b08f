"""The trail holds who did and saw what, nobody can change it unseen, and its values can be forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from chassis.access import ALL, AUDIT, READ, SUBTREE, Access, Denial, Grant
from chassis.audit.alarms import BY_THE_DAY, LEAST, notice_mass_reading
from chassis.audit.changes import MANY, take_changes
from chassis.audit.entries import ACT, ALARM, SEARCH, entry_of, write_entries, write_entry
from chassis.audit.keeping import AuditKeeper
from chassis.audit.reading_log import Reading, ReadingLog
from chassis.audit.sealing import BATCH, Sealer, read_head
from chassis.audit.searching import Asked, search_entries
from chassis.audit.tables import audit_entry, audit_state
from chassis.audit.values import forget_values
from chassis.audit.verifying import Anchor, verify_trail
from chassis.bus.relay import number_waiting
from chassis.database import Database
from chassis.errors import NotPermitted
from chassis.ids import new_id
from chassis.testing.eventually import eventually
from crm.contacts.events.v1 import contacts_events_pb2 as events
from crm.contacts.v1 import contacts_pb2 as contacts

ANNA, BORIS = new_id(), new_id()
EVERYTHING = Asked()
AUDITOR = Access(new_id(), "Auditor", grants=(Grant(AUDIT, ALL),))


def a_seller(user_id: str = ANNA, path: str = "hq.ru.moscow") -> Access:
    """Somebody who is signed in, of a unit."""
    return Access(user_id, "Seller", new_id(), (Grant(READ, ALL),), session_id=new_id(), unit_path=path)


def act(database: Database, times: int = 1, by: Access | None = None) -> None:
    """Entries of acts, a transaction each."""
    for _ in range(times):
        with database.transaction(by or a_seller()) as work:
            write_entry(work, ACT, "directory/Test", "thing", [new_id()])


def change(database: Database, person_id: str, version: int, name: str, by: Access, path: str = "hq.ru.moscow") -> None:
    """A person's card changed, and its event numbered."""
    state = events.PersonState(id=person_id, personal=events.PersonPersonal(display_name=name))
    with database.transaction(by) as work:
        kind = events.PersonUpdated if version > 1 else events.PersonCreated
        work.add_event(kind(person=state), "person", person_id, version, path)
    number_waiting(database)


def found(database: Database, asked: Asked = EVERYTHING, by: Access = AUDITOR) -> list[Any]:
    """Entries the search answers."""
    with database.transaction(by) as work:
        return [one.row for one in search_entries(work, asked, None, 100)]


def as_superuser(database: Database, statement: str) -> None:
    """Do something to the trail behind its back, as only the owner of the machine can."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # no trigger
        connection.exec_driver_sql(statement)


def sealed(database: Database, entries: int = 5) -> None:
    """A trail of so many sealed entries."""
    act(database, entries)
    assert Sealer(database).seal() == entries


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor_id = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
        "UPDATE audit_seal SET hash = ''",
        "DELETE FROM audit_seal",
    ],
)
def test_nothing_of_a_trail_can_be_changed_or_deleted_by_the_service(database: Database, statement: str) -> None:
    sealed(database)
    with pytest.raises(sa.exc.DBAPIError) as refused, database.transaction() as work:
        work.execute(sa.text(statement))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize(
    ("deed", "number", "what"),
    [
        ("UPDATE audit_entry SET actor_id = overlay(actor_id placing 'f' from 5) WHERE id = 3", 3, "changed"),
        ("UPDATE audit_entry SET time = time + interval '1 microsecond' WHERE id = 1", 1, "changed"),
        ("DELETE FROM audit_entry WHERE id = 5", 5, "taken out"),
        ("UPDATE audit_seal SET entry_id = CASE entry_id WHEN 2 THEN -3 ELSE -2 END WHERE entry_id IN (2, 3);"
         "UPDATE audit_seal SET entry_id = -entry_id WHERE entry_id < 0", 2, "moved"),
        ("DELETE FROM audit_seal WHERE number = 2; DELETE FROM audit_entry WHERE id = 2", 2, "missing"),
        ("UPDATE audit_seal SET hash = sha256(hash) WHERE number = 4", 4, "changed"),
    ],
)  # fmt: skip
def test_one_byte_changed_taken_out_or_moved_is_found_and_named(
    database: Database, deed: str, number: int, what: str
) -> None:
    sealed(database)
    assert verify_trail(database).faults == []
    as_superuser(database, deed)
    first = verify_trail(database).faults[0]
    assert first.number == number
    assert what in first.what


def test_an_entry_put_in_behind_the_sealers_back_is_found(database: Database) -> None:
    sealed(database)
    as_superuser(
        database,
        "INSERT INTO audit_entry (time, actor_id, action, method) VALUES (now() - interval '1 hour', '', 'act', 'x')",
    )
    [fault] = verify_trail(database).faults
    assert (fault.entry_id, fault.what) == (6, "the entry has no seal, and is older than a minute")


def test_a_trail_whose_end_is_cut_off_or_that_is_written_anew_does_not_fit_the_head_noted_elsewhere(
    database: Database,
) -> None:
    sealed(database)
    with database.transaction() as work:
        noted = read_head(work)
    anchor = [Anchor(noted.number, noted.hash)]
    assert verify_trail(database, anchor).faults == []
    as_superuser(database, "DELETE FROM audit_seal WHERE number > 3; DELETE FROM audit_entry WHERE id > 3")
    assert verify_trail(database).faults == []
    assert [(one.number, one.what) for one in verify_trail(database, anchor).faults] == [
        (5, "the end is cut off: this was noted elsewhere")
    ]
    as_superuser(database, "DELETE FROM audit_seal; UPDATE audit_entry SET actor_id = 'somebody else'")
    as_superuser(database, "UPDATE audit_state SET sealed_to = 0")
    act(database, 2)
    assert Sealer(database).seal() == 5
    assert verify_trail(database).faults == []
    assert [one.number for one in verify_trail(database, anchor).faults] == [5]


def test_entries_are_sealed_once_however_late_they_commit_and_however_many_seal(database: Database) -> None:
    first, second = Sealer(database), Sealer(database)
    late = database.engine.connect()
    try:
        with late.begin():
            late.exec_driver_sql(
                "INSERT INTO audit_entry (time, actor_id, action, method) VALUES (now(), '', 'a', 'late')"
            )
            act(database, 3)
            assert first.seal() + second.seal() + first.seal() + first.seal() == 3
        act(database, 2)
        threads = [threading.Thread(target=one.seal) for one in (first, second)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    finally:
        late.close()
    first.seal()
    verdict = verify_trail(database)
    assert (verdict.entries, verdict.waiting, verdict.faults) == (6, 0, [])


def test_what_is_sealed_is_not_looked_through_again(database: Database) -> None:
    sealer = Sealer(database)
    act(database, 4)
    for _ in range(3):
        sealer.seal()
    with database.transaction() as work:
        assert work.execute(sa.select(audit_state.c.sealed_to)).scalar_one() == 4
    assert BATCH > 4


def test_a_change_tells_who_when_from_where_and_the_states_before_and_after(database: Database) -> None:
    seller, person = a_seller(), new_id()
    change(database, person, 1, "Ivan", seller)
    change(database, person, 2, "Ivan Petrov", seller)
    assert take_changes(database) == 2
    with database.transaction(AUDITOR) as work:
        second, first = search_entries(work, Asked(record_id=person), None, 10)
    assert (second.row.actor_id, second.row.session_id, second.row.actor_path, second.row.unit_path) == (
        ANNA, seller.session_id, "hq.ru.moscow", "hq.ru.moscow",
    )  # fmt: skip
    assert (first.before, second.row.method) == (b"", "crm.contacts.events.v1.PersonUpdated")
    assert events.PersonCreated.FromString(second.before).person.personal.display_name == "Ivan"
    assert events.PersonUpdated.FromString(second.after).person.personal.display_name == "Ivan Petrov"
    assert take_changes(database) == 0


def test_many_changes_of_one_call_are_one_entry_with_all_its_records(database: Database) -> None:
    people = [new_id() for _ in range(MANY + 1)]
    with database.transaction(a_seller()) as work:
        for one in people:
            work.add_event(events.PersonCreated(person=events.PersonState(id=one)), "person", one, 1, "hq.ru.moscow")
    number_waiting(database)
    take_changes(database)
    [entry] = found(database, Asked(record_id=people[7]))
    assert (entry.record_count, entry.after, entry.record_ids) == (MANY + 1, None, people)


def test_values_are_no_clear_text_in_the_trail_and_can_be_forgotten_without_breaking_it(database: Database) -> None:
    person = new_id()
    change(database, person, 1, "Ivan", a_seller())
    AuditKeeper(database).keep()
    with database.transaction() as work:
        stored = work.execute(sa.select(audit_entry.c.after)).scalar_one()
        assert b"Ivan" not in stored
        assert forget_values(work, [person]) == 1
    with database.transaction(AUDITOR) as work:
        [entry] = search_entries(work, Asked(record_id=person), None, 10)
    assert (entry.after, entry.row.actor_id) == (b"", ANNA)
    assert verify_trail(database).faults == []


def test_a_reading_is_in_the_trail_within_a_second_with_its_records(database: Database) -> None:
    readers, person = ReadingLog(database), new_id()
    answer = contacts.ListPersonsResponse(persons=[contacts.Person(id=person), contacts.Person(id=person)])
    reading = Reading("list", "person", "persons.id", text="query")
    seller = a_seller()
    readers.note_read(reading, "contacts/ListPersons", seller, contacts.ListPersonsRequest(), answer)
    readers.note_read(reading, "x", Access("", service="reporting"), contacts.ListPersonsRequest(), answer)
    [entry] = eventually(lambda: found(database), within=30)
    assert (entry.action, entry.records, entry.record_ids, entry.session_id) == (
        "list", "person", [person], seller.session_id,
    )  # fmt: skip


def test_who_searched_for_something_is_found_by_the_same_words_and_the_words_are_not_kept(database: Database) -> None:
    readers = ReadingLog(database)
    reading = Reading("list", "person", "persons.id", text="query")
    request = contacts.ListPersonsRequest(query="Ivan  PETROV")
    readers.note_read(reading, "contacts/ListPersons", a_seller(), request, contacts.ListPersonsResponse())
    readers.flush()
    [entry] = found(database, Asked(text="ivan petrov "))
    assert (entry.action, entry.reason) == (SEARCH, "")
    assert found(database, Asked(text="ivan petro")) == []
    assert b"petrov" not in bytes(entry.text_mark).lower()


def test_readings_wait_for_a_database_that_is_away(database: Database) -> None:
    readers = ReadingLog(database)
    reading = Reading("read", "person", "person.id")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_entry RENAME TO away")
    readers.note_read(reading, "m", a_seller(), contacts.GetPersonRequest(), contacts.GetPersonResponse())
    readers.flush()
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO audit_entry")
    eventually(lambda: len(found(database)) == 1, within=30)


@pytest.mark.parametrize(
    ("grants", "denials", "seen"),
    [
        ((Grant(AUDIT, ALL),), (), {"moscow", "tula"}),
        ((Grant(AUDIT, SUBTREE, "hq.ru.moscow"),), (), {"moscow"}),
        ((Grant(AUDIT, SUBTREE, "hq.ru"),), (Denial("hq.ru.tula", AUDIT),), {"moscow"}),
        ((Grant(AUDIT, SUBTREE, "hq.ru.m"),), (), set()),
    ],
)
def test_whoever_audits_sees_what_was_done_by_or_to_the_own_units(
    database: Database, grants: tuple[Grant, ...], denials: tuple[Denial, ...], seen: set[str]
) -> None:
    act(database, by=a_seller(ANNA, "hq.ru.moscow"))
    act(database, by=a_seller(BORIS, "hq.ru.tula.team"))
    viewer = Access(new_id(), grants=grants, denials=denials)
    names = {ANNA: "moscow", BORIS: "tula"}
    assert {names[row.actor_id] for row in found(database, by=viewer)} == seen


def test_values_are_shown_only_for_records_of_units_one_may_audit(database: Database) -> None:
    person = new_id()
    change(database, person, 1, "Ivan", a_seller(path="hq.ru.moscow"), path="hq.secret")
    take_changes(database)
    head = Access(new_id(), grants=(Grant(AUDIT, SUBTREE, "hq.ru.moscow"),))
    blind = Access(new_id(), grants=(Grant(AUDIT, ALL),), hidden=("customer.contact",))
    for viewer in (head, blind):
        with database.transaction(viewer) as work:
            [entry] = search_entries(work, EVERYTHING, None, 10)
        assert (entry.row.record_ids, entry.after) == ([person], b"")


def test_nobody_reads_a_trail_without_the_right_to(database: Database) -> None:
    with pytest.raises(NotPermitted):
        found(database, by=a_seller())


def test_entries_are_found_by_actor_record_action_and_time(database: Database) -> None:
    seller, thing = a_seller(), new_id()
    with database.transaction(seller) as work:
        write_entry(work, ACT, "directory/Test", "thing", [thing])
        now = work.now
    act(database, by=a_seller(BORIS))
    hits: list[Callable[[], Asked]] = [
        lambda: Asked(actor_id=ANNA),
        lambda: Asked(record_id=thing),
        lambda: Asked(start=now, end=now + timedelta(microseconds=1)),
        lambda: Asked(actor_id=ANNA, actions=(ACT,)),
    ]
    assert [[row.record_ids for row in found(database, asked())] for asked in hits] == [[[thing]]] * 4
    assert found(database, Asked(actions=("read",))) == []


def read_much(database: Database, reader: Access, records: int, ago: timedelta = timedelta()) -> None:
    """So many different records seen at once, some time ago."""
    with database.transaction(reader) as work:
        ids = [new_id() for _ in range(records)]
        entry = entry_of(reader, work.now - ago, "list", "contacts/ListPersons", "person", record_ids=ids)
        write_entries(work, [entry._replace(record_count=records)])


def test_who_reads_far_more_than_usual_raises_one_alarm_that_the_own_head_sees(database: Database) -> None:
    thief = a_seller(ANNA, "hq.ru.moscow")
    read_much(database, thief, LEAST + 100)
    read_much(database, a_seller(BORIS), LEAST)
    assert notice_mass_reading(database) == 1
    assert notice_mass_reading(database) == 0
    head = Access(new_id(), grants=(Grant(AUDIT, SUBTREE, "hq.ru"),))
    [alarm] = found(database, Asked(actions=(ALARM,)), by=head)
    assert (alarm.actor_id, alarm.session_id, alarm.record_count) == (ANNA, thief.session_id, LEAST + 100)
    assert alarm.reason == f"{LEAST + 100} records within 10 minutes; usually at most 0"
    assert len(alarm.record_ids) == 500
    stranger = Access(new_id(), grants=(Grant(AUDIT, SUBTREE, "hq.ru.tula"),))
    assert found(database, Asked(actions=(ALARM,)), by=stranger) == []


def test_what_is_usual_for_somebody_raises_no_alarm(database: Database) -> None:
    steward = a_seller()
    for days in range(1, 6):
        read_much(database, steward, LEAST, timedelta(days=days))
    read_much(database, steward, LEAST + 100)
    assert notice_mass_reading(database) == 0
    read_much(database, steward, 2 * LEAST)
    assert notice_mass_reading(database) == 1


def test_who_stays_below_the_limit_of_minutes_for_a_whole_day_is_noticed_by_the_day(database: Database) -> None:
    patient, busy = a_seller(ANNA), a_seller(BORIS)
    for days in range(2, 9):
        read_much(database, busy, BY_THE_DAY.least // 2, timedelta(days=days))
    for hours in range(1, 9):
        for one in (patient, busy):
            read_much(database, one, LEAST - 50, timedelta(hours=hours))
    assert notice_mass_reading(database) == 0
    assert notice_mass_reading(database, BY_THE_DAY) == 1
    assert notice_mass_reading(database, BY_THE_DAY) == 0
    [alarm] = found(database, Asked(actions=(ALARM,)))
    assert (alarm.actor_id, alarm.record_count) == (ANNA, 8 * (LEAST - 50))
    assert alarm.reason == f"{8 * (LEAST - 50)} records within a day; usually at most 0"


def test_the_same_records_over_and_over_are_no_mass(database: Database) -> None:
    person, seller = new_id(), a_seller()
    with database.transaction(seller) as work:
        one = entry_of(seller, work.now, "read", "contacts/GetPerson", "person", record_ids=[person])
        write_entries(work, [one._replace(record_count=1)] * (LEAST + 1))
    assert notice_mass_reading(database) == 0


def test_the_head_of_the_chain_is_noted_in_a_file_that_the_verifier_takes(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_HEADS", f"{tmp_path}/heads")
    act(database, 2)
    keeper = AuditKeeper(database)
    keeper.keep()
    keeper.keep()
    [line] = (tmp_path / "heads").read_text(encoding="utf-8").splitlines()
    with database.transaction() as work:
        head = read_head(work)
    assert f'"number": 2, "hash": "{head.hash}"' in line
