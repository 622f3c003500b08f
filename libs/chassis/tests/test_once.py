"""The same request id gives one effect and one answer, however often and however parallel it comes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from chassis.access import Access, service_access
from chassis.database import Database
from chassis.errors import FieldInvalid, NotPermitted, RequestIdReused
from chassis.ids import new_id
from chassis.once import answer_once
from chassis.schema import idempotency
from crm.directory.events.v1 import directory_events_pb2 as events
from crm.directory.v1 import directory_pb2 as pb

ADA, BOB = Access("ada"), Access("bob")


def create(database: Database, request: pb.CreateUnitRequest, access: Access = ADA) -> pb.CreateUnitResponse:
    """A create as a servicer does it: the effect is one more thing, the answer has a new id."""
    with database.transaction(access) as work:

        def act() -> pb.CreateUnitResponse:
            made = new_id()
            work.execute(sa.text("INSERT INTO thing (name) VALUES (:name)"), {"name": made})
            return pb.CreateUnitResponse(unit=pb.Unit(id=made, name=request.unit.name))

        return answer_once(work, request, pb.CreateUnitResponse, act)


def a_request(key: str = "k", name: str = "Orel") -> pb.CreateUnitRequest:
    return pb.CreateUnitRequest(request_id=key, unit=pb.Unit(name=name))


def count(database: Database, table: str = "thing") -> int:
    with database.transaction() as work:
        return int(work.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_two_hundred_calls_at_once_have_one_effect_and_one_answer(database: Database) -> None:
    together = threading.Barrier(16)

    def call(number: int) -> bytes:
        if number < 16:
            together.wait()
        return create(database, a_request()).SerializeToString()

    with ThreadPoolExecutor(16) as pool:
        answers = set(pool.map(call, range(200)))
    assert (len(answers), count(database)) == (1, 1)


def test_a_repeat_after_the_answer_was_lost_on_its_way_gets_it_again(database: Database) -> None:
    """Killed between commit and answer, a server has stored the answer with the effect; another process gives it."""
    first = create(database, a_request())
    restarted = Database(database.url, "directory")
    assert create(restarted, a_request()) == first
    assert count(restarted) == 1
    restarted.close()


def test_another_body_under_the_same_id_is_refused_and_has_no_effect(database: Database) -> None:
    create(database, a_request(name="Orel"))
    with pytest.raises(RequestIdReused):
        create(database, a_request(name="Tula"))
    assert count(database) == 1


def test_an_id_belongs_to_its_caller_and_its_method(database: Database) -> None:
    answers = {create(database, a_request(), access).unit.id for access in (ADA, BOB, service_access("imports"))}
    assert len(answers) == 3
    with database.transaction(ADA) as work:
        made = pb.CreateUserResponse(user=pb.User(id=new_id()))
        assert answer_once(work, pb.CreateUserRequest(request_id="k"), pb.CreateUserResponse, lambda: made) == made


def test_a_failure_leaves_the_id_free(database: Database) -> None:
    def refuse() -> pb.CreateUnitResponse:
        raise NotPermitted("no")

    with pytest.raises(NotPermitted), database.transaction(ADA) as work:
        answer_once(work, a_request(), pb.CreateUnitResponse, refuse)
    assert count(database, "idempotency") == 0
    assert create(database, a_request()).unit.name == "Orel"


def test_without_an_id_each_call_has_its_effect(database: Database) -> None:
    assert create(database, a_request("")).unit.id != create(database, a_request("")).unit.id
    assert (count(database), count(database, "idempotency")) == (2, 0)


@pytest.mark.parametrize("key", ["x" * 256, "a\0b"])
def test_an_id_that_cannot_be_kept_is_refused_by_name(database: Database, key: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        create(database, a_request(key))
    assert refused.value.violations[0].field == "request_id"


@pytest.mark.parametrize("key", ["x" * 255, "ё" * 255, "'; DROP TABLE thing; --", "\u202e\ufeff 🙂"])
def test_any_other_text_is_an_id(database: Database, key: str) -> None:
    assert create(database, a_request(key)) == create(database, a_request(key))
    with database.transaction() as work:
        assert work.execute(sa.select(idempotency.c.key)).scalar_one() == key


@pytest.mark.parametrize("asks", ["writes", "savepoint", "copies", "nothing"])
def test_a_repeated_call_changes_nothing_whatever_its_act_begins_with(database: Database, asks: str) -> None:
    def call() -> pb.CreateUnitResponse:
        with database.transaction(ADA) as work:

            def act() -> pb.CreateUnitResponse:
                name = new_id()
                work.add_event(events.UnitCreated(unit=events.UnitState(id=name)), "unit", name, 1)
                if asks == "writes":
                    work.execute(sa.text("INSERT INTO thing (name) VALUES (:name)"), {"name": name})
                elif asks == "savepoint":
                    with work.connection.begin_nested():
                        work.execute(sa.text("INSERT INTO thing (name) VALUES (:name)"), {"name": name})
                elif asks == "copies":
                    work.copy_rows(sa.Table("thing", sa.MetaData()), ("name",), [(name,)])
                return pb.CreateUnitResponse(unit=pb.Unit(id=name))

            return answer_once(work, a_request(), pb.CreateUnitResponse, act)

    first = call()
    assert call() == first
    assert count(database) == (0 if asks == "nothing" else 1)
    assert (count(database, "outbox"), count(database, "idempotency")) == (1, 1)


def test_what_the_first_call_brought_about_does_not_refuse_its_repetition(database: Database) -> None:
    """As an update would be refused that comes again with the version it has made stale."""

    def call() -> pb.CreateUnitResponse:
        with database.transaction(ADA) as work:

            def act() -> pb.CreateUnitResponse:
                if work.execute(sa.text("SELECT count(*) FROM thing")).scalar_one():
                    raise NotPermitted("there is one already")
                work.execute(sa.text("INSERT INTO thing (name) VALUES ('one')"))
                return pb.CreateUnitResponse(unit=pb.Unit(id="one"))

            return answer_once(work, a_request(), pb.CreateUnitResponse, act)

    assert call() == call()
