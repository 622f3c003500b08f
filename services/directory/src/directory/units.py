"""How the organization's tree grows and changes: new units, new facts of a unit, moves of whole subtrees."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask

from chassis.access import ADMINISTER, AUDIT
from chassis.database import UnitOfWork
from chassis.errors import NotPermitted, StaleEtag
from chassis.ids import is_id, new_id
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from directory import rules
from directory.errors import UnitCodeTaken, UnitCycle, UnitNotFound
from directory.events import unit_state
from directory.tables import unit, unit_history
from directory.visibility import below, visible_units
from values.names import fold_name

TREE_LOCK = 0x7472_6565  # one change of the tree at a time: two moves at once could make a ring
MOST_REASON = 300
# What a unit takes from the unit above it where it says nothing itself. The area code is handed down inside a branch
# only: a region's local numbers say nothing about its branches' ones.
INHERITED = {
    "country_code": rules.check_country,
    "time_zone": rules.check_zone,
    "currency_code": rules.check_currency,
}
CHECKS: dict[str, Callable[[str], str]] = {**INHERITED, "area_code": rules.check_area}


@dataclass(frozen=True)
class NewUnit:
    """A unit as asked for; empty country, zone and currency are inherited."""

    parent_id: str
    kind: str
    code: str
    name: str
    country_code: str = ""
    area_code: str = ""
    time_zone: str = ""
    currency_code: str = ""
    start_date: date | None = None
    end_date: date | None = None


def create_unit(work: UnitOfWork, new: NewUnit) -> Any:
    """Add a unit below its parent and answer its row.

    A unit without a parent is the company; there is one. Errors: UnitNotFound (parent), UnitCodeTaken, FieldInvalid,
    NotPermitted.
    """
    lock_tree(work)
    parent = find_unit(work, new.parent_id) if new.parent_id else None
    require_administration(work, parent.path if parent else None)
    _check_kind(new.kind)
    if (parent is None) != (new.kind == "company"):
        raise rules.invalid("unit.parent_id", "is needed for every unit but the company, which has none")
    rules.check_period(new.start_date, new.end_date, "unit.end_date")
    rules.check_code(new.code)
    path = rules.check_path(f"{parent.path}.{new.code}" if parent else new.code)
    _refuse_taken(work, new.parent_id or None, new.code, path)
    own = {name: check(getattr(new, name)) for name, check in CHECKS.items() if getattr(new, name)}
    in_force = {name: own.get(name) or _inherited(parent, name, new.kind) for name in CHECKS}
    if parent is None:
        _require_all(in_force)
    row = work.execute(
        sa.insert(unit)
        .values(
            id=new_id(),
            parent_id=new.parent_id or None,
            kind=new.kind,
            code=new.code,
            path=path,
            start_date=new.start_date,
            end_date=new.end_date,
            create_time=work.now,
            **_named(new.name),
            **{f"own_{name}": value for name, value in own.items()},
            **in_force,
        )
        .returning(unit)
    ).one()
    places = keep_places(work, [row])
    work.add_event(events_pb.UnitCreated(unit=unit_state(row, places[row.id])), "unit", row.id, row.version, row.path)
    return row


def update_unit(work: UnitOfWork, unit_id: str, changes: dict[str, Any], etag: str) -> Any:
    """Change the named fields of a unit and all that follows below it; answers its row.

    `changes` has values by field: parent_id, code, name, kind, start_date, end_date, merged_into_id, area_code, and
    country_code, time_zone, currency_code, of which empty ones are inherited. Errors: UnitNotFound, StaleEtag,
    UnitCycle, UnitCodeTaken, FieldInvalid, NotPermitted.
    """
    lock_tree(work)
    row = find_unit(work, unit_id)
    require_administration(work, row.path)
    if etag and etag != str(row.version):
        raise StaleEtag(f"unit {row.path} changed since you read it", metadata={"current": str(row.version)})
    values = _checked(work, row, changes)
    if not values:
        return row
    work.execute(sa.update(unit).where(unit.c.id == row.id).values(values))
    return _carry_down(work, row.id, sorted(changes))


def freeze_unit(work: UnitOfWork, unit_id: str, reason: str) -> Any:
    """Stop exports, mass reading and mass changes in a unit and below, or with no reason let them go on.

    Answers the unit's row. Errors: UnitNotFound, FieldInvalid, NotPermitted.
    """
    row = find_unit(work, unit_id)
    work.access.require_in(AUDIT, row.path)
    kept = rules.check_text("reason", reason, MOST_REASON)
    values = {"freeze_reason": kept, "version": unit.c.version + 1}
    changed = work.execute(sa.update(unit).where(unit.c.id == row.id).values(values).returning(unit)).one()
    state = unit_state(changed, _places_of(work, [row.id])[row.id])
    event = events_pb.UnitUpdated(unit=state, changed=FieldMask(paths=["freeze_reason"]))
    work.add_event(event, "unit", row.id, changed.version, row.path)
    return changed


def find_unit(work: UnitOfWork, unit_id: str) -> Any:
    """The row of a visible unit. Errors: UnitNotFound."""
    found = sa.select(unit).where(unit.c.id == unit_id, visible_units(work.access))
    row = work.execute(found).one_or_none() if is_id(unit_id) else None
    if row is None:
        raise UnitNotFound(unit_id)
    return row


def keep_places(work: UnitOfWork, rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Keep where units are now and what they are called, for those who ask later; answers their whole history."""
    names = ("version", "parent_id", "kind", "code", "name", "path", "merged_into_id")
    kept = [{"unit_id": row.id, "change_time": work.now, **{one: getattr(row, one) for one in names}} for row in rows]
    if kept:
        work.execute(sa.insert(unit_history), kept)
    return _places_of(work, [row.id for row in rows])


def lock_tree(work: UnitOfWork) -> None:
    """Let other changes of the tree wait until this transaction ends."""
    work.execute(sa.select(sa.func.pg_advisory_xact_lock(TREE_LOCK)))


def _places_of(work: UnitOfWork, unit_ids: Sequence[str]) -> dict[str, list[Any]]:
    """The rows of units' histories, oldest first."""
    h = unit_history.c
    found: dict[str, list[Any]] = {one: [] for one in unit_ids}
    for row in work.execute(sa.select(unit_history).where(h.unit_id.in_(unit_ids)).order_by(h.unit_id, h.version)):
        found[row.unit_id].append(row)
    return found


def _checked(work: UnitOfWork, row: Any, changes: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name in CHECKS:
            values[f"own_{name}"] = CHECKS[name](value) if value else None
        elif name == "name":
            values |= _named(value)
        elif name == "code":
            values["code"] = rules.check_code(value)
        elif name == "kind" and (_check_kind(value) == "company") != (row.parent_id is None):
            raise rules.invalid("unit.kind", "is company for the topmost unit and for no other one")
        else:
            values[name] = value
    if row.parent_id is None:
        _require_all({name: values.get(f"own_{name}", "kept") for name in INHERITED})
    start, end = (values.get(name, getattr(row, name)) for name in ("start_date", "end_date"))
    rules.check_period(start, end, "unit.end_date")
    check_place(work, row, values)
    return {name: value for name, value in values.items() if value != getattr(row, name)}


def check_place(work: UnitOfWork, row: Any, values: dict[str, Any]) -> None:
    """Errors: UnitNotFound, UnitCycle, UnitCodeTaken, FieldInvalid where a unit cannot lie below `values`' parent."""
    parent_id, code = values.get("parent_id", row.parent_id) or None, values.get("code", row.code)
    if (parent_id, code) == (row.parent_id, row.code):
        return
    if (parent_id is None) != (row.parent_id is None):
        raise rules.invalid("unit.parent_id", "can be neither given to the company nor taken from another unit")
    path = code
    if parent_id:
        parent = find_unit(work, parent_id)
        require_administration(work, parent.path)
        if (parent.path + ".").startswith(row.path + "."):
            raise UnitCycle(row.path)
        path = f"{parent.path}.{code}"
    longest = sa.select(sa.func.max(sa.func.length(unit.c.path))).where(below(row.path))
    deepest = work.execute(longest).scalar() or len(row.path)
    rules.check_path(path + "." * (deepest - len(row.path)))
    _refuse_taken(work, parent_id, code, path)


# One statement for a move, a new code and inherited facts alike: what each unit of the subtree now is, worked out from
# the top down; only rows that differ are written.
_CARRY_DOWN = """
WITH RECURSIVE tree AS (
  SELECT u.id, concat_ws('.', p.path, u.code) AS path,
         coalesce(u.own_country_code, p.country_code) AS country_code,
         coalesce(u.own_time_zone, p.time_zone) AS time_zone,
         coalesce(u.own_currency_code, p.currency_code) AS currency_code,
         coalesce(u.own_area_code, CASE WHEN u.kind IN ('department', 'team') THEN p.area_code END, '') AS area_code
  FROM unit u LEFT JOIN unit p ON p.id = u.parent_id WHERE u.id = :id
  UNION ALL
  SELECT c.id, t.path || '.' || c.code, coalesce(c.own_country_code, t.country_code),
         coalesce(c.own_time_zone, t.time_zone), coalesce(c.own_currency_code, t.currency_code),
         coalesce(c.own_area_code, CASE WHEN c.kind IN ('department', 'team') THEN t.area_code END, '')
  FROM unit c JOIN tree t ON c.parent_id = t.id
)
UPDATE unit SET path = tree.path, country_code = tree.country_code, time_zone = tree.time_zone,
  currency_code = tree.currency_code, area_code = tree.area_code, version = version + 1
FROM tree
WHERE unit.id = tree.id AND (unit.id = :id OR
  (unit.path, unit.country_code, unit.time_zone, unit.currency_code, unit.area_code)
  IS DISTINCT FROM (tree.path, tree.country_code, tree.time_zone, tree.currency_code, tree.area_code))
RETURNING unit.*
"""
_FOLLOWING = ["path", "country_code", "time_zone", "currency_code", "area_code"]


def _carry_down(work: UnitOfWork, unit_id: str, changed: list[str]) -> Any:
    statement = sa.text(_CARRY_DOWN).columns(*unit.c)
    rows = sorted(work.execute(statement, {"id": unit_id}).all(), key=lambda row: row.path)
    places = keep_places(work, rows)
    for row in rows:
        fields = FieldMask(paths=changed if row.id == unit_id else _FOLLOWING)
        event = events_pb.UnitUpdated(unit=unit_state(row, places[row.id]), changed=fields)
        work.add_event(event, "unit", row.id, row.version, row.path)
    return next(row for row in rows if row.id == unit_id)


def _named(name: str) -> dict[str, str]:
    kept = rules.check_text("unit.name", name, rules.MAX_NAME, required=True)
    return {"name": kept, "name_key": fold_name(kept)}


def _check_kind(kind: str) -> str:
    if kind not in rules.KINDS:
        raise rules.invalid("unit.kind", f"is missing or unknown; name one of {', '.join(rules.KINDS)}")
    return kind


def _inherited(parent: Any, name: str, kind: str) -> str:
    if parent is None or (name == "area_code" and kind not in ("department", "team")):
        return ""
    return str(getattr(parent, name))


def _require_all(facts: Mapping[str, str | None]) -> None:
    for name in INHERITED:
        if not facts[name]:
            raise rules.invalid(
                f"unit.{name}", "is needed for the company, since there is nothing above to inherit from"
            )


def require_administration(work: UnitOfWork, path: str | None) -> None:
    """Errors: NotPermitted unless the caller runs the unit at a path; without a path, the company."""
    if path is None:
        work.access.require_everywhere(ADMINISTER)
    elif not work.access.allows_in(ADMINISTER, path):
        raise NotPermitted(f"your positions do not allow to change units in {path}", metadata={"unit": path})


def _refuse_taken(work: UnitOfWork, parent_id: str | None, code: str, path: str) -> None:
    twin = sa.select(unit.c.id).where(unit.c.parent_id.is_not_distinct_from(parent_id), unit.c.code == code)
    if work.execute(twin).first() is not None:
        raise UnitCodeTaken(path)
