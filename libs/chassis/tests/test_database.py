"""A use is one transaction: its effects and its events are stored together or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import telemetry
from chassis.access import Access
from chassis.database import COPY_FROM_EVENTS, Database, UnitOfWork, sqlstate_of
from chassis.ids import new_id
from chassis.naming import NameInvalid
from chassis.rpc.client import calling_as
from chassis.schema import outbox
from chassis.tokens import TokenSigner
from crm.directory.events.v1 import directory_events_pb2 as events
from crm.directory.v1 import directory_pb2 as pb

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def tell(work: UnitOfWork, name: str, version: int = 1, path: str = "hq.orel") -> str:
    """Add one event of a unit; returns the unit's id."""
    made = new_id()
    work.add_event(events.UnitCreated(unit=events.UnitState(id=made, name=name)), "unit", made, version, path, made)
    return made


def stored(database: Database) -> list[Any]:
    with database.transaction() as work:
        return list(work.execute(sa.select(outbox).order_by(outbox.c.id)).all())


def add_thing(work: UnitOfWork, name: str) -> None:
    work.execute(sa.text("INSERT INTO thing (name) VALUES (:name)"), {"name": name})


def amounts(database: Database) -> dict[str, int]:
    with database.transaction() as work:
        rows = work.execute(sa.text("SELECT name, amount FROM thing")).all()
        return {row.name: row.amount for row in rows}


def test_an_event_is_stored_with_all_a_subscriber_needs(database: Database) -> None:
    with telemetry.span("click", {"traceparent": TRACE}), database.transaction(Access("ada")) as work:
        unit_id = tell(work, "Орёл", 3)
    (row,) = stored(database)
    assert (row.aggregate, row.aggregate_id, row.version, row.subject_id) == ("unit", unit_id, 3, unit_id)
    assert row.type == "crm.directory.events.v1.UnitCreated"
    assert row.routing_key.startswith("crm.directory.unit.created.v1.p")
    assert row.routing_key.endswith(".hq.orel.e")
    assert row.headers["crm_actor"] == "ada"
    assert row.headers["traceparent"].split("-")[1] == TRACE.split("-")[1]
    assert events.UnitCreated.FromString(row.data).unit.name == "Орёл"


@pytest.mark.parametrize("number", [1, COPY_FROM_EVENTS - 1, COPY_FROM_EVENTS, 500])
def test_events_keep_their_order_and_are_the_same_by_either_way(database: Database, number: int) -> None:
    with database.transaction(Access("ada")) as work:
        told = [tell(work, f"unit {n} \\ \t \n 'é", n + 1) for n in range(number)]
    rows = stored(database)
    assert [row.aggregate_id for row in rows] == told
    assert [row.version for row in rows] == list(range(1, number + 1))
    assert {row.headers["crm_actor"] for row in rows} == {"ada"}
    names = [events.UnitCreated.FromString(row.data).unit.name for row in rows]
    assert names == [f"unit {n} \\ \t \n 'é" for n in range(number)]
    assert len({row.event_id for row in rows}) == number


@pytest.mark.parametrize("number", [1, COPY_FROM_EVENTS])
def test_a_failure_stores_neither_effect_nor_event(database: Database, number: int) -> None:
    def fail() -> None:
        with database.transaction() as work:
            add_thing(work, "x")
            for n in range(number):
                tell(work, str(n))
            raise RuntimeError("after all was said")

    def tell_what_no_bus_takes() -> None:
        with database.transaction() as work:
            add_thing(work, "x")
            tell(work, "x", path="HQ")

    pytest.raises(RuntimeError, fail)
    pytest.raises(NameInvalid, tell_what_no_bus_takes)
    assert (stored(database), amounts(database)) == ([], {})


def test_the_relay_is_woken_after_a_commit_with_events_only(database: Database) -> None:
    woken: list[int] = []
    database.committed = lambda: woken.append(len(stored(database)))

    def fail() -> None:
        with database.transaction() as work:
            tell(work, "x")
            raise RuntimeError

    with database.transaction() as work:
        add_thing(work, "x")
    pytest.raises(RuntimeError, fail)
    assert woken == []
    with database.transaction() as work:
        tell(work, "x")
    assert woken == [1]


def test_a_deadlock_is_done_again_and_nothing_is_lost(database: Database) -> None:
    with database.transaction() as work:
        add_thing(work, "a")
        add_thing(work, "b")
    both_hold_one = threading.Barrier(2)
    attempts: list[str] = []

    def add(work: UnitOfWork, names: tuple[str, str]) -> None:
        first = names[0] not in attempts
        attempts.append(names[0])
        for name in names:
            work.execute(sa.text("UPDATE thing SET amount = amount + 1 WHERE name = :name"), {"name": name})
            if first and name == names[0]:
                both_hold_one.wait(10)
        tell(work, names[0])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda names: database.attempt(lambda work: add(work, names)), [("a", "b"), ("b", "a")]))
    assert len(attempts) == 3
    assert amounts(database) == {"a": 2, "b": 2}
    assert len(stored(database)) == 2


def test_a_lock_that_is_never_free_is_given_up_with_its_state(database: Database) -> None:
    hasty = Database(database.url, "directory", lock_timeout_ms=30)
    with database.transaction() as holder:
        holder.execute(sa.text("LOCK TABLE thing"))
        attempts: list[int] = []

        def add(work: UnitOfWork) -> None:
            attempts.append(1)
            add_thing(work, "x")

        with pytest.raises(sa.exc.OperationalError) as refused:
            hasty.attempt(add)
    hasty.close()
    assert (sqlstate_of(refused.value), len(attempts)) == ("55P03", 4)


def test_an_error_that_will_not_pass_is_not_tried_again(database: Database) -> None:
    attempts: list[int] = []

    def add(work: UnitOfWork) -> None:
        attempts.append(1)
        add_thing(work, "x")
        add_thing(work, "x")

    with pytest.raises(sa.exc.IntegrityError):
        database.attempt(add)
    assert len(attempts) == 1


def test_copying_fails_like_any_statement_and_names_no_value(database: Database) -> None:
    thing = sa.Table("thing", sa.MetaData(), sa.Column("name", sa.Text), sa.Column("amount", sa.BigInteger))
    with pytest.raises(sa.exc.IntegrityError) as refused, database.transaction() as work:
        work.copy_rows(thing, ["name", "amount"], [["x", 1], ["x", 2]])
    assert sqlstate_of(refused.value) == "23505"
    with database.transaction() as work:
        work.copy_rows(thing, ["name", "amount"], [["x", 1], ["\t\\N\n", 2]])
        work.copy_rows(thing, ["name", "amount"], [])
    assert amounts(database) == {"x": 1, "\t\\N\n": 2}


def test_new_rows_are_copied_all_or_none_and_the_transaction_goes_on(database: Database) -> None:
    thing = sa.Table("thing", sa.MetaData(), sa.Column("name", sa.Text), sa.Column("amount", sa.BigInteger))
    with database.transaction() as work:
        assert work.copy_new_rows(thing, ["name", "amount"], [["x", 1], ["y", 2]])
        assert not work.copy_new_rows(thing, ["name", "amount"], [["z", 3], ["y", 4]])
        assert work.copy_new_rows(thing, ["name", "amount"], [["z", 5]])
    assert amounts(database) == {"x": 1, "y": 2, "z": 5}


def test_an_error_of_a_statement_tells_no_parameters(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError) as refused, database.transaction() as work:
        work.execute(sa.text("SELECT CAST(:canary AS text) FROM nothing"), {"canary": "canary-value"})
    assert "canary-value" not in str(refused.value)


def test_a_pool_in_use_is_waited_for_only_shortly(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.database.POOL_SECONDS", 0.05)
    small = Database(database.url, "directory", pool_size=1, overflow=0)
    with small.transaction(), pytest.raises(sa.exc.TimeoutError), small.transaction():
        pass
    small.close()


def test_a_lost_connection_is_replaced_at_the_next_use(database: Database) -> None:
    with database.transaction() as work:
        own = work.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    killer = Database(database.url, "directory")
    with killer.transaction() as work:
        assert work.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": own}).scalar_one()
    killer.close()
    with database.transaction() as work:
        add_thing(work, "x")
    assert amounts(database) == {"x": 0}


def test_a_use_that_only_reads_may_tell_no_event(database: Database) -> None:
    with pytest.raises(TypeError), database.reading() as work:
        tell(work, "x")
    assert stored(database) == []


def test_what_a_use_left_open_does_not_reach_the_next_one(database: Database) -> None:
    with database.reading() as work:
        work.execute(sa.text("BEGIN"))
        add_thing(work, "x")
    assert amounts(database) == {}


def test_one_trace_runs_from_the_caller_into_the_outbox(database: Database, serve: Any, signer: TokenSigner) -> None:
    def act(_: Any) -> Any:
        with database.transaction() as work:
            tell(work, "x")
        return pb.GetUnitResponse()

    probe = serve(act, database)
    with calling_as(probe.token), telemetry.span("click", {"traceparent": TRACE}):
        probe.client.call("GetUnit", pb.GetUnitRequest())
    assert stored(database)[0].headers["traceparent"].split("-")[1] == TRACE.split("-")[1]


def test_a_server_without_encryption_is_not_spoken_to_where_the_address_asks_for_it(database: Database) -> None:
    asking = Database(f"{database.url}?sslmode=require", "test")
    try:
        with pytest.raises(sa.exc.OperationalError, match="SSL"), asking.transaction() as work:
            work.execute(sa.text("SELECT 1"))
        with pytest.raises(sa.exc.OperationalError, match="SSL"), asking.reading() as work:
            work.execute(sa.text("SELECT 1"))
    finally:
        asking.close()
