"""Callers with every mixture of rights, and what each may do said a second way: for matrices that look for leaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from chassis.access import ALL, OWN, READ, SUBTREE, TEAM, WRITE, Access, Denial, Grant
from units.visibility import Sight


def some_accesses(records: str, paths: Sequence[str], people: Sequence[str], unit_id: str, count: int) -> list[Access]:
    """Callers who may read something, with grants on these and other kinds of records; the same in every run.

    Some have restrictions, some stand in for a colleague; all may write what they may read, or less.
    """
    choose = Random(20_260_401)
    made = []
    for number in range(count):
        grants = [_a_grant(choose, records, paths) for _ in range(choose.randint(1, 3))]
        denials = [Denial(choose.choice(paths), choose.choice((READ, WRITE)), choose.choice(("", records, "other")))]
        made.append(
            Access(
                user_id=people[number % len(people)],
                user_name=f"Caller {number}",
                unit_id=unit_id,
                grants=(*grants, *(Grant(WRITE, one.scope, one.unit_path, one.records) for one in grants[:1])),
                denials=tuple(denials) if choose.random() < 0.4 else (),
                stands_in_for=(choose.choice(people),) if choose.random() < 0.3 else (),
            )
        )
    return made


def _a_grant(choose: Random, records: str, paths: Sequence[str]) -> Grant:
    scope = choose.choice((OWN, TEAM, SUBTREE, SUBTREE, ALL))
    path = choose.choice(paths) if scope in (TEAM, SUBTREE) else ""
    return Grant(READ, scope, path, choose.choice(("", records, records, "other")))


def may(access: Access, action: str, records: str, path: str, owner_id: str) -> bool:
    """Whether a caller may do it with a record, by reading the rules one after another and nothing else."""
    return not any(_forbids(one, action, records, path) for one in access.denials) and any(
        _reaches(access, one, path, owner_id)
        for one in access.grants
        if one.action in _meant(action) and one.records in ("", records)
    )


def _meant(action: str) -> Iterator[str]:
    yield action
    if action in ("create", "change", "assign"):
        yield WRITE


def _forbids(denial: Denial, action: str, records: str, path: str) -> bool:
    about = denial.action == READ or denial.action in _meant(action)
    return about and denial.records in ("", records) and _lies_below(path, denial.unit_path)


def _reaches(access: Access, grant: Grant, path: str, owner_id: str) -> bool:
    if grant.scope == OWN:
        return bool(owner_id) and owner_id in (access.user_id, *access.stands_in_for)
    if grant.scope == TEAM:
        return path == grant.unit_path
    return grant.scope == ALL or _lies_below(path, grant.unit_path)


def _lies_below(path: str, top: str) -> bool:
    return path.split(".")[: top.count(".") + 1] == top.split(".")


def open_to_all(*_asked: object, **_more: object) -> tuple[Sight, dict[str, object]]:
    """In the place of `sight_of`: a service whose own filter lets everything through."""
    return Sight(everything=True), {}
