"""How the tree is reorganized: units move, merge, split and close, today or on a planned day; who planned it decides no
more than on the day he may.

A merged unit lies below the one it became part of, closed: its records keep their unit, are seen from there by every
filter, and its history stays. Of a split, `UnitUserMoved` tells the services whose open records go along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from chassis.audit.entries import ACT, write_entry
from chassis.clock import now
from chassis.database import Database, UnitOfWork
from chassis.errors import DomainError, NotPermitted
from chassis.ids import is_id, new_id
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from directory import moving_people, rules, units
from directory.errors import (
    ReorganizationDecided,
    ReorganizationNotFound,
    UnitClosed,
    UnitCodeTaken,
    UnitNotEmpty,
    UserNotFound,
)
from directory.foreseeing import Preview, foresee
from directory.queries import day_in_unit
from directory.signing_in import access_of
from directory.tables import reorganization, unit
from directory.visibility import below

MOVE, MERGE, SPLIT, CLOSE = "move", "merge", "split", "close"
KINDS = (MOVE, MERGE, SPLIT, CLOSE)
PLANNED, DONE, CANCELLED, REFUSED = "planned", "done", "cancelled", "refused"
MOST_NOTE, MOST_USERS, MOST_AT_ONCE = 300, 500, 100


@dataclass(frozen=True)
class Asked:
    """A reorganization as asked for; without a day it is done at once."""

    kind: str
    unit_id: str
    into_id: str = ""
    code: str = ""
    name: str = ""
    user_ids: tuple[str, ...] = ()
    day: date | None = None
    note: str = ""


def reorganize_unit(work: UnitOfWork, asked: Asked, dry_run: bool) -> tuple[Any, Preview]:
    """Do it, plan it, or with `dry_run` only say what would follow; answers its row (None after a dry run).

    Errors: UnitNotFound, UserNotFound, UnitCycle, UnitCodeTaken, UnitClosed, UnitNotEmpty, FieldInvalid, NotPermitted.
    """
    units.lock_tree(work)
    row, into = _check(work, asked)
    today = _today(work, row)
    day = asked.day or today
    if day < today:
        raise rules.invalid("reorganization.day", f"{day} is over; history stays as it was")
    note = rules.check_text("reorganization.note", asked.note, MOST_NOTE)
    preview = foresee(work, asked.kind, row, into, asked.code, asked.user_ids)
    if dry_run:
        return None, preview
    values = {
        "id": new_id(), "kind": asked.kind, "unit_id": row.id, "into_id": into.id if into else None,
        "code": asked.code, "name": asked.name, "user_ids": list(asked.user_ids), "day": day, "note": note,
        "state": PLANNED, "requester_id": work.access.user_id, "create_time": work.now,
    }  # fmt: skip
    stored = work.execute(sa.insert(reorganization).values(values).returning(reorganization)).one()
    said = f"{asked.kind} {preview.path_before} {preview.path_after} from {day}"
    write_entry(work, ACT, "directory/ReorganizeUnit", "unit", [row.id, stored.id], reason=said)
    return (_carry_out(work, stored) if day <= today else stored), preview


def cancel_reorganization(work: UnitOfWork, reorganization_id: str) -> Any:
    """Take back what is planned; answers its row. Errors: ReorganizationNotFound, ReorganizationDecided."""
    c = reorganization.c
    found = sa.select(reorganization, unit.c.path).join(unit, unit.c.id == c.unit_id).where(c.id == reorganization_id)
    row = work.execute(found.with_for_update(of=reorganization)).one_or_none() if is_id(reorganization_id) else None
    if row is None:
        raise ReorganizationNotFound(reorganization_id)
    units.require_administration(work, row.path)
    if row.state != PLANNED:
        raise ReorganizationDecided(row.state)
    write_entry(work, ACT, "directory/CancelReorganization", "unit", [row.unit_id, row.id])
    return _decide(work, row.id, CANCELLED)


def list_reorganizations(work: UnitOfWork, after: str, limit: int) -> Sequence[Any]:
    """The latest first, beyond the one named `after`. Errors: NotPermitted for whoever does not run the company."""
    units.require_administration(work, None)
    found = sa.select(reorganization).order_by(reorganization.c.id.desc()).limit(limit)
    return work.execute(found.where(reorganization.c.id < after) if after else found).all()


def carry_out_planned(database: Database) -> None:
    """Do what is planned for a day that has come in the unit's zone, one in a transaction; a timer's work."""
    c = reorganization.c
    local = day_in_unit(now())
    due = sa.select(c.id).join(unit, unit.c.id == c.unit_id).where(c.state == PLANNED, c.day <= local)
    with database.reading() as work:
        ids = list(work.execute(due.order_by(c.day, c.id).limit(MOST_AT_ONCE)).scalars())
    for one in ids:
        _carry_out_due(database, one)


def _carry_out_due(database: Database, reorganization_id: str) -> None:
    """Done with the rights that who planned it has now; what is refused changes nothing but its own row."""
    mine = sa.select(reorganization).where(reorganization.c.id == reorganization_id)
    try:
        with database.transaction() as work:
            row = work.execute(mine.with_for_update(skip_locked=True)).one_or_none()
            if row is None or row.state != PLANNED:
                return
            access = access_of(work, row.requester_id)
        with database.transaction(access) as work:
            units.lock_tree(work)
            row = work.execute(mine.with_for_update()).one()
            if row.state == PLANNED:
                _carry_out(work, row)
    except DomainError as refusal:
        with database.transaction() as work:
            _decide(work, reorganization_id, REFUSED, str(refusal)[:MOST_NOTE])


def _carry_out(work: UnitOfWork, row: Any) -> Any:
    """Do a stored reorganization now."""
    asked = Asked(row.kind, row.unit_id, row.into_id or "", row.code, row.name, tuple(row.user_ids))
    place, into = _check(work, asked)
    made = into
    if row.kind == MOVE:
        units.update_unit(work, place.id, {"parent_id": into.id}, "")
    elif row.kind == CLOSE:
        units.update_unit(work, place.id, {"end_date": row.day}, "")
    elif row.kind == MERGE:
        changes = {"parent_id": into.id, "end_date": row.day, "merged_into_id": into.id}
        units.update_unit(work, place.id, changes, "")
        moving_people.move_positions(work, place.id, into.id, row.day)
        moving_people.move_seats(work, place.id, into.id)
    else:
        made = _split(work, row, place)
    return _decide(work, row.id, DONE, into_id=made.id if made else None)


def _split(work: UnitOfWork, row: Any, place: Any) -> Any:
    """Make the new unit beside the old one, and tell who goes there with what."""
    own: dict[str, Any] = {name: getattr(place, f"own_{name}") or "" for name in units.CHECKS}
    made = units.create_unit(
        work, units.NewUnit(place.parent_id, place.kind, row.code, row.name, start_date=row.day, **own)
    )
    moving_people.move_positions(work, place.id, made.id, row.day, row.user_ids)
    version = made.version + len(row.user_ids)
    work.execute(sa.update(unit).where(unit.c.id == made.id).values(version=version))
    for at, user_id in enumerate(row.user_ids, made.version + 1):
        event = events_pb.UnitUserMoved(unit_id=made.id, from_unit_id=place.id, user_id=user_id)
        work.add_event(event, "unit", made.id, at, made.path)
    return made


def _check(work: UnitOfWork, asked: Asked) -> tuple[Any, Any]:
    """The unit and the one it comes to, where both may take part. Errors: those of `reorganize_unit`."""
    if asked.kind not in KINDS:
        raise rules.invalid("reorganization.kind", f"is missing or unknown; name one of {', '.join(KINDS)}")
    row = units.find_unit(work, asked.unit_id)
    units.require_administration(work, row.path)
    if row.parent_id is None:
        raise rules.invalid("reorganization.unit_id", "is the company, which stays what it is")
    if row.merged_into_id or (row.end_date and row.end_date <= _today(work, row)):
        raise UnitClosed(row.path)
    if asked.kind == CLOSE:
        _require_empty(work, row)
        return row, None
    if asked.kind == SPLIT:
        _check_split(work, row, asked)
        return row, None
    into = units.find_unit(work, asked.into_id)
    units.require_administration(work, into.path)
    if into.end_date and into.end_date <= _today(work, into):
        raise UnitClosed(into.path)
    if asked.kind == MERGE and into.kind != row.kind:
        raise rules.invalid("reorganization.into_unit_id", f"is a {into.kind}; merge units of one kind")
    units.check_place(work, row, {"parent_id": into.id})
    return row, into


def _today(work: UnitOfWork, row: Any) -> date:
    """The day that a unit has."""
    return work.now.astimezone(ZoneInfo(row.time_zone)).date()


def _check_split(work: UnitOfWork, row: Any, asked: Asked) -> None:
    if not 1 <= len(set(asked.user_ids)) == len(asked.user_ids) <= MOST_USERS:
        raise rules.invalid(
            "reorganization.user_ids", f"names {len(asked.user_ids)} users; name 1 to {MOST_USERS}, each once"
        )
    missing = set(asked.user_ids) - moving_people.holders_in(work, row.id)
    if missing:
        raise UserNotFound(min(missing))
    rules.check_text("reorganization.name", asked.name, rules.MAX_NAME, required=True)
    path = rules.check_path(f"{row.path.rpartition('.')[0]}.{rules.check_code(asked.code, 'reorganization.code')}")
    if work.execute(sa.select(unit.c.id).where(unit.c.path == path)).first() is not None:
        raise UnitCodeTaken(path)
    if not work.access.allows_in("administer", row.path.rpartition(".")[0]):
        raise NotPermitted(f"your positions do not allow to make a unit beside {row.path}")


def _require_empty(work: UnitOfWork, row: Any) -> None:
    inside = sa.and_(below(row.path), unit.c.id != row.id, unit.c.end_date.is_(None))
    open_units = work.execute(sa.select(sa.func.count()).select_from(unit).where(inside)).scalar_one()
    held = len(moving_people.positions_in(work, row.id))
    if open_units or held:
        raise UnitNotEmpty(row.path, held, open_units)


def _decide(work: UnitOfWork, reorganization_id: str, state: str, refusal: str = "", into_id: str | None = None) -> Any:
    values: dict[str, Any] = {"state": state, "decide_time": work.now, "refusal": refusal}
    if into_id is not None:
        values["into_id"] = into_id
    mine = reorganization.c.id == reorganization_id
    return work.execute(sa.update(reorganization).where(mine).values(values).returning(reorganization)).one()
