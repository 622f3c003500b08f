"""The one filter a second time, as policies of PostgreSQL: what `units.visibility` and `units.known` say, by settings.

A policy is made once, by a migration; what a caller sees comes with every statement, as JSON in `branchline.sight`: for
each kind of records `all`, or `most` (all but the denied), `paths` and `denied` as patterns, `teams` and `owners`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.access import Access
from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from chassis.wall import POLICY, Wall
from units.visibility import sight_of


def wall_of(*kinds: str) -> Wall:
    """The wall of a service that keeps records of these kinds."""
    return Wall(lambda access: tell_sight(access, kinds))


def tell_sight(access: Access, kinds: Sequence[str]) -> str:
    """What a caller sees of each kind, as the policies read it; what is not said is not seen.

    Nothing for who sees everything: from such a caller the wall would keep nothing back, and it costs each reading.
    """
    told = {kind: _told(access, kind) for kind in kinds}
    if all(one == {"all": True} for one in told.values()):
        return ""
    return json.dumps(told, ensure_ascii=False)


def _told(access: Access, kind: str) -> dict[str, Any]:
    sight, values = sight_of(access, kind)
    if sight.everything:
        return {"all": True}
    owners = [access.user_id, *(access.stands_in_for if sight.others else ())] if sight.own else []
    told = {
        "most": sight.all,
        "paths": [_pattern(path) for path in values["seen_paths"]],
        "teams": values.get("seen_teams", []),
        "denied": [_pattern(path) for path in values.get("denied_paths", [])],
        "owners": owners,
    }
    return {name: value for name, value in told.items() if value}


def _pattern(path: str) -> str:
    """A LIKE pattern for `path.` of the unit at a path and of those below it; `_` is a letter of paths."""
    return path.replace("_", r"\_") + ".%"


def policy_of_unit(table: str, kind: str, unit: str = "unit_id", owner: str = "owner_id") -> tuple[str, ...]:
    """The statements that filter a table whose records belong to one unit each."""
    known = f"SELECT FROM unit AS place WHERE place.id = {unit}"
    granted = f"EXISTS ({known} AND {_granted(kind)} AND NOT {_denied(kind)})"
    others = f"({_flag(kind, 'most')} OR {_owned(kind, owner)}) AND NOT EXISTS ({known} AND {_denied(kind)})"
    return _policy(table, f"{_flag(kind, 'all')} OR {granted} OR ({others})")


def policy_of_known(table: str, kind: str, units: str = "unit_ids", owner: str = "owner_id") -> tuple[str, ...]:
    """The statements that filter a table whose records several units know: denied ones take their knowledge away."""
    known = f"SELECT FROM unit AS place WHERE place.id = ANY ({units})"
    granted = f"EXISTS ({known} AND {_granted(kind)} AND NOT {_denied(kind)})"
    each = f"SELECT FROM unnest({units}) AS one (id) LEFT JOIN unit AS place ON place.id = one.id"
    elsewhere = f"EXISTS ({each} WHERE NOT coalesce({_denied(kind)}, false))"
    others = f"({_flag(kind, 'most')} OR {_owned(kind, owner)}) AND {elsewhere}"
    return _policy(table, f"{_flag(kind, 'all')} OR {granted} OR ({others})")


def _policy(table: str, seen: str) -> tuple[str, ...]:
    return (
        f"CREATE POLICY {POLICY} ON {table} FOR SELECT USING ({seen})",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    )


# What is told stands in sub-queries of its own, so that it is read once a statement and not once a row.
def _told_of(kind: str, name: str) -> str:
    return f"current_setting('branchline.sight', true)::jsonb -> '{kind}' -> '{name}'"


def _flag(kind: str, name: str) -> str:
    return f"(SELECT coalesce(({_told_of(kind, name)})::boolean, false))"


def _list(kind: str, name: str) -> str:
    return f"(ARRAY(SELECT jsonb_array_elements_text({_told_of(kind, name)})))"


def _owned(kind: str, owner: str) -> str:
    return f"{owner}::text = ANY {_list(kind, 'owners')}"


def _granted(kind: str) -> str:
    return f"({_lies_below(kind, 'paths')} OR place.path = ANY {_list(kind, 'teams')})"


def _denied(kind: str) -> str:
    return _lies_below(kind, "denied")


def _lies_below(kind: str, name: str) -> str:
    return f"place.path || '.' LIKE ANY {_list(kind, name)}"


def confirm_seen(work: UnitOfWork, table: sa.Table, ids: Sequence[str]) -> set[str]:
    """Those of the records that the wall lets through; what was found without it is told only when it is among them."""
    return {row.id for row in work.fetch(_confirm(table), {"ids": list(ids)})} if ids else set()


@lru_cache(maxsize=16)
def _confirm(table: sa.Table) -> Prepared:
    asked = sa.bindparam("ids", type_=ARRAY(table.c.id.type))
    return Prepared(sa.select(table.c.id).where(table.c.id == sa.any_(asked)))
