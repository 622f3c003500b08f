"""One filter decides what a caller sees, the same as going through the rows one by one would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.access import ALL, CHANGE, OWN, READ, SUBTREE, TEAM, WRITE, Access, Denial, Grant
from chassis.database import Database, UnitOfWork
from chassis.errors import NotPermitted
from chassis.ids import new_id
from chassis.prepared import Prepared
from units.known import seen_known, visible_known
from units.tables import metadata, unit
from units.visibility import (
    UnitNotKnown,
    get_unit,
    seen_among,
    seen_in,
    sight_of,
    unit_ids_below,
    unit_ids_under,
    units_seen,
    visible,
)

record = metadata.tables["record"]  # of this folder's conftest
# `a_b` and `axb` differ only where LIKE has a wildcard; `a1` begins like `a`.
CODES = ["a", "a_b", "axb", "a1", "b", "_"]
PEOPLE = [f"0198c0de-0000-7000-8000-00000000000{n}" for n in range(3)]


@dataclass(frozen=True)
class World:
    """Paths of units, and records as (index of the unit, owner)."""

    paths: tuple[str, ...]
    records: tuple[tuple[int, str | None], ...]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A random tree: each unit hangs below one before it."""
    paths = ["hq"]
    for _ in range(draw(st.integers(0, 12))):
        found = f"{draw(st.sampled_from(paths))}.{draw(st.sampled_from(CODES))}"
        if found not in paths:
            paths.append(found)
    records = draw(st.lists(st.tuples(st.integers(0, len(paths) - 1), st.sampled_from([None, *PEOPLE])), max_size=15))
    return World(tuple(paths), tuple(records))


PATH = st.lists(st.sampled_from(CODES), max_size=3).map(lambda words: ".".join(["hq", *words]))
KINDS = st.sampled_from(["", "deal", "plan"])


@st.composite
def accesses(draw: st.DrawFn) -> Access:
    action = st.sampled_from([READ, WRITE, CHANGE])
    grant = st.one_of(
        st.builds(Grant, action, st.just(SUBTREE), PATH | st.just(""), KINDS),
        st.builds(Grant, action, st.just(TEAM), PATH | st.just(""), KINDS),
        st.builds(Grant, action, st.just(OWN), st.just(""), KINDS),
        st.builds(Grant, action, st.just(ALL), st.just(""), KINDS),
    )
    denial = st.builds(Denial, PATH, action, KINDS)
    return Access(
        draw(st.sampled_from([*PEOPLE, ""])),
        grants=tuple(draw(st.lists(grant, max_size=4))),
        denials=tuple(draw(st.lists(denial, max_size=2))),
        stands_in_for=tuple(draw(st.lists(st.sampled_from(PEOPLE), max_size=1))),
    )


def sees(access: Access, action: str, path: str, owner: str | None) -> bool:
    """What the filter means, for one record that is a deal."""
    return not denied(access, action, path) and any(
        grants(access, grant, path, owner)
        for grant in access.grants
        if grant.records in ("", "deal") and (grant.action == action or (grant.action, action) == (WRITE, CHANGE))
    )


def grants(access: Access, grant: Grant, path: str, owner: str | None) -> bool:
    words, top = path.split("."), grant.unit_path.split(".")
    if grant.scope == OWN:
        return bool(access.user_id and owner) and owner in (access.user_id, *access.stands_in_for)
    if grant.scope == TEAM:
        return words == top
    return grant.scope == ALL or words[: len(top)] == top


def denied(access: Access, action: str, path: str) -> bool:
    return any(
        path.split(".")[: len(one.unit_path.split("."))] == one.unit_path.split(".")
        for one in access.denials
        if one.records in ("", "deal") and (one.action in (READ, action) or (one.action, action) == (WRITE, CHANGE))
    )


def store(work: UnitOfWork, world: World) -> list[str]:
    """Store the world; returns the units' ids in order of its paths."""
    ids = [new_id() for _ in world.paths]
    work.execute(sa.delete(unit))
    work.execute(sa.delete(record))
    work.execute(sa.insert(unit), [unit_row(i, path) for i, path in zip(ids, world.paths, strict=True)])
    rows = [{"n": n, "unit_id": ids[at], "owner_id": owner} for n, (at, owner) in enumerate(world.records)]
    if rows:
        work.execute(sa.insert(record), rows)
    return ids


def unit_row(unit_id: str, path: str) -> dict[str, object]:
    texts = dict.fromkeys(("country_code", "area_code", "time_zone", "currency_code"), "")
    named = {"kind": "branch", "code": path.split(".")[-1], "name": path, "path": path}
    return {"id": unit_id, **named, **texts, "epoch": 1, "version": 1}


@given(world=worlds(), access=accesses(), action=st.sampled_from([READ, WRITE, CHANGE]))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_filter_shows_what_looking_at_each_row_would(
    database: Database, world: World, access: Access, action: str
) -> None:
    with database.transaction() as work:
        store(work, world)
        where = visible(access, "deal", record.c.unit_id, record.c.owner_id, action)
        shown = set(work.execute(sa.select(record.c.n).where(where)).scalars())
        prepared = {row.n for row in work.fetch(*prepared_filter(access, action))}
        among = among_units(work, access, action)
    expected = {n for n, (at, owner) in enumerate(world.records) if sees(access, action, world.paths[at], owner)}
    assert (shown, prepared, among) == (expected, expected, expected)


def among_units(work: UnitOfWork, access: Access, action: str) -> set[int]:
    """The same question as a statement that is given the units."""
    sight, values = sight_of(access, "deal", action)
    where = seen_among(sight, record.c.unit_id, record.c.owner_id)
    values["seen_units"] = units_seen(work, sight, values)
    return {row.n for row in work.fetch(Prepared(sa.select(record.c.n).where(where)), values)}


@given(world=worlds(), access=accesses(), others=st.lists(st.integers(0, 12), max_size=2))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_several_units_know_is_seen_through_any_of_them(
    database: Database, world: World, access: Access, others: list[int]
) -> None:
    known = [sorted({at, *(other % len(world.paths) for other in others)}) for at, _ in world.records]
    with database.transaction() as work:
        ids = store(work, world)
        for n, units in enumerate(known):
            work.execute(sa.update(record).where(record.c.n == n).values(unit_ids=[ids[at] for at in units]))
        where = visible_known(access, "deal", record.c.unit_ids, record.c.owner_id)
        shown = set(work.execute(sa.select(record.c.n).where(where)).scalars())
        sight, values = sight_of(access, "deal")
        statement = Prepared(sa.select(record.c.n).where(seen_known(sight, record.c.unit_ids, record.c.owner_id)))
        prepared = {row.n for row in work.fetch(statement, values)}
    expected = {
        n
        for n, (units, (_, owner)) in enumerate(zip(known, world.records, strict=True))
        if any(sees(access, READ, world.paths[at], owner) for at in units)
    }
    assert (shown, prepared) == (expected, expected)


@given(access=accesses(), path=PATH, owner=st.sampled_from(["", *PEOPLE]), action=st.sampled_from([READ, CHANGE]))
def test_the_access_itself_decides_as_the_filter_does(access: Access, path: str, owner: str, action: str) -> None:
    assert access.allows(action, path, owner, "deal") == sees(access, action, path, owner)


def prepared_filter(access: Access, action: str) -> tuple[Prepared, dict[str, Any]]:
    """The same question as a statement that knows no user, and its values."""
    sight, values = sight_of(access, "deal", action)
    return Prepared(sa.select(record.c.n).where(seen_in(sight, record.c.unit_id, record.c.owner_id))), values


TREE = World(("hq", "hq.a_b", "hq.axb", "hq.a_b.c", "hq.axb.c"), ((1, None), (2, PEOPLE[1]), (3, PEOPLE[1]), (4, None)))


def test_a_branch_whose_code_differs_by_an_underscore_is_another_branch(database: Database) -> None:
    with database.transaction() as work:
        ids = store(work, TREE)
        below = set(work.execute(unit_ids_below("hq.a_b")).scalars())
    assert below == {ids[1], ids[3]}


def test_without_an_owner_column_own_records_are_not_shown(database: Database) -> None:
    access = Access(PEOPLE[1], grants=(Grant(READ, OWN),))
    with database.transaction() as work:
        store(work, TREE)
        own = work.execute(
            sa.select(record.c.n).where(visible(access, "deal", record.c.unit_id, record.c.owner_id))
        ).all()
        none = work.execute(sa.select(record.c.n).where(visible(access, "deal", record.c.unit_id))).all()
    assert (len(own), none) == (2, [])


def test_a_subtree_is_found_by_the_index(database: Database) -> None:
    access = Access("u", grants=(Grant(READ, SUBTREE, "hq.u7_7"),))
    rows = [unit_row(new_id(), f"hq.u{n // 10}_{n % 10}.team") for n in range(3_000)]
    with database.transaction() as work:
        work.execute(sa.insert(unit), rows)
        work.execute(sa.text("ANALYZE unit"))
        query = sa.select(unit.c.name).where(visible(access, "deal", unit.c.id))
        text = query.compile(work.connection, compile_kwargs={"literal_binds": True}).string
        plan = "\n".join(work.connection.exec_driver_sql("EXPLAIN " + text.replace("%", "%%")).scalars())
        assert work.execute(query).scalars().all() == ["hq.u7_7.team"]
        prepared = unit_ids_under("paths").compile(work.connection)
        values = {"paths": ["hq.u7_7"], **{name: value for name, value in prepared.params.items() if value is not None}}
        prepared_plan = "\n".join(work.connection.exec_driver_sql(f"EXPLAIN {prepared}", values).scalars())
    for one in (plan, prepared_plan):
        assert "unit_path" in one
        assert "Seq Scan" not in one


def get(database: Database, access: Access, at: int, action: str = READ) -> str:
    with database.transaction(access) as work:
        return get_unit(work, store(work, TREE)[at], action).path


def test_a_unit_in_reach_is_known_and_so_are_those_above_it(database: Database) -> None:
    reader = Access("u", grants=(Grant(READ, SUBTREE, "hq.a_b"),))
    assert [get(database, reader, at) for at in (0, 1, 3)] == ["hq", "hq.a_b", "hq.a_b.c"]


def test_a_unit_out_of_reach_is_as_unknown_as_one_that_is_not_there(database: Database) -> None:
    reader = Access("u", grants=(Grant(READ, SUBTREE, "hq.a_b"),))
    for at in (2, 4):
        with pytest.raises(UnitNotKnown):
            get(database, reader, at)
    for unit_id in (new_id(), "", "x", "hq", "\0"):
        with pytest.raises(UnitNotKnown) as refused, database.transaction(reader) as work:
            get_unit(work, unit_id)
        assert refused.value.metadata == {"unit": unit_id}


def test_a_unit_that_may_be_read_but_not_written_is_not_permitted(database: Database) -> None:
    reader = Access("u", grants=(Grant(READ, ALL), Grant(WRITE, SUBTREE, "hq.a_b")))
    assert get(database, reader, 3, WRITE) == "hq.a_b.c"
    with pytest.raises(NotPermitted):
        get(database, reader, 2, WRITE)
    with database.transaction(reader) as work, pytest.raises(UnitNotKnown):
        get_unit(work, new_id(), WRITE)
