"""Giving activities to another user: one, named ones, or all of a leaver's, with their history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from chassis.access import ASSIGN, READ
from chassis.database import UnitOfWork
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling.composing import MAX_NOTE, compose_id
from scheduling.errors import ActivityNotFound, invalid
from scheduling.events import tell_reassigned
from scheduling.locking import open_for_change, require_open
from scheduling.planning import touch
from scheduling.queries import get_activities, paths_of
from scheduling.records import ASSIGNED, OPEN, REASSIGNED, Activity
from scheduling.rules import check_text
from scheduling.storing import keep_history, notify, store_notifications, update_activities
from scheduling.tables import activity
from scheduling.updating import hand_waiting, store_change
from units.owners import HandOver, count_by_unit, read_hand_over
from units.records import ACTIVITY
from units.visibility import Unit, get_unit, unit_ids_below, visible

MAX_AT_ONCE = 500


def reassign_activity(
    work: UnitOfWork, activity_id: str, etag: str, owner_id: str, unit_id: str, note: str
) -> Activity:
    """Give an open activity to another user, in another unit too where one is named.

    Errors: ActivityNotFound, ActivityClosed, NotPermitted, StaleEtag, FieldInvalid, UnitNotKnown.
    """
    new_owner = _needed_owner(owner_id)
    check_text("note", note, MAX_NOTE)
    known, _ = open_for_change(work, activity_id, etag)
    unit = compose_id("unit_id", unit_id) or known.facts.unit_id
    return store_change(work, known, replace(known.facts, owner_id=new_owner, unit_id=unit), REASSIGNED, note)


def reassign_activities(
    work: UnitOfWork, activity_ids: Sequence[str], owner_id: str, unit_id: str, note: str
) -> list[Activity]:
    """Give many open activities to another user, all or none; the new owner is told once. In the order asked.

    Errors: ActivityNotFound, ActivityClosed, NotPermitted, FieldInvalid, UnitNotKnown.
    """
    wanted = list(dict.fromkeys(activity_ids))
    if not 1 <= len(wanted) <= MAX_AT_ONCE:
        raise invalid("activity_ids", f"has {len(wanted)} ids; give 1 to {MAX_AT_ONCE}")
    new_owner = _needed_owner(owner_id)
    check_text("note", note, MAX_NOTE)
    target = get_unit(work, unit_id) if unit_id else None
    known = {one.id: one for one in get_activities(work, wanted, lock=True)}
    _require_all(work, wanted, known, target)
    handed = [_hand(work, known[one], new_owner, target) for one in wanted]
    changed = [one for one in handed if one is not known[one.id]]
    _store(work, changed, known, note)
    return _as_stored(work, handed)


def hand_over_activities(work: UnitOfWork, request: pb.HandOverActivitiesRequest) -> pb.HandOverActivitiesResponse:
    """Give open activities of a user to another one, at most 500 in a call; a dry run only counts.

    Errors: FieldInvalid, UnitNotKnown.
    """
    asked = read_hand_over(work, request)
    handed = 0 if request.dry_run else _hand_over(work, asked)
    units = _count(work, asked, ASSIGN)
    left = sum(units.values())
    return pb.HandOverActivitiesResponse(
        activities=handed,
        remaining=left,
        not_allowed=sum(_count(work, asked, READ).values()) - left,
        units=[pb.ActivitiesOfUnit(unit_id=unit_id, activities=count) for unit_id, count in sorted(units.items())],
    )


def _hand_over(work: UnitOfWork, asked: HandOver) -> int:
    wanted = sa.select(activity.c.id).where(*_theirs(work, asked, ASSIGN)).order_by(activity.c.id).limit(asked.most)
    known = {one.id: one for one in get_activities(work, list(work.execute(wanted).scalars()), lock=True)}
    theirs = [one for one in known.values() if one.facts.owner_id == asked.from_id and one.state == OPEN]
    handed = [_hand(work, one, asked.to_id, None) for one in theirs]
    _store(work, handed, known, asked.note)
    return len(handed)


def _theirs(work: UnitOfWork, asked: HandOver, action: str) -> list[sa.ColumnElement[bool]]:
    """Open activities of that user with which the caller may do this."""
    may = visible(work.access, ACTIVITY, activity.c.unit_id, activity.c.owner_id, action)
    of_user = [*([activity.c.owner_id == asked.from_id] if asked.from_id else []), activity.c.state == OPEN, may]
    return of_user if asked.path is None else [*of_user, activity.c.unit_id.in_(unit_ids_below(asked.path))]


def _count(work: UnitOfWork, asked: HandOver, action: str) -> dict[str, int]:
    return count_by_unit(work, activity.c.unit_id, *_theirs(work, asked, action))


def _needed_owner(owner_id: str) -> str:
    if not owner_id:
        raise invalid("owner_id", "is empty; say who is to do it from now on")
    return compose_id("owner_id", owner_id)


def _require_all(work: UnitOfWork, wanted: Sequence[str], known: dict[str, Activity], target: Unit | None) -> None:
    for one in wanted:
        if one not in known:
            raise ActivityNotFound(one)
        require_open(known[one])
    for unit_id in {known[one].facts.unit_id for one in wanted}:
        place = get_unit(work, unit_id)
        for owner_id in {one.facts.owner_id for one in known.values() if one.facts.unit_id == unit_id}:
            work.access.require(ASSIGN, place.path, owner_id, ACTIVITY)
            if target is not None:
                work.access.require(ASSIGN, target.path, owner_id, ACTIVITY)


def _hand(work: UnitOfWork, known: Activity, owner_id: str, target: Unit | None) -> Activity:
    facts = replace(known.facts, owner_id=owner_id, unit_id=target.id if target else known.facts.unit_id)
    if facts == known.facts:
        return known
    return touch(known, work, facts=facts, waiting=hand_waiting(work, known.waiting, owner_id))


def _store(work: UnitOfWork, changed: Sequence[Activity], known: dict[str, Activity], note: str) -> None:
    if not changed:
        return
    update_activities(work, changed)
    keep_history(work, changed, REASSIGNED, note, ["owner_id"])
    paths = paths_of(work, {one.facts.unit_id for one in changed})
    for one in changed:
        tell_reassigned(work, one, paths[one.facts.unit_id], known[one.id].facts.owner_id)
    store_notifications(work, notify(work, [changed[0].facts.owner_id], ASSIGNED, changed[0], note, len(changed)))


def _as_stored(work: UnitOfWork, handed: Sequence[Activity]) -> list[Activity]:
    stored = {one.id: one for one in get_activities(work, [one.id for one in handed])}
    return [stored.get(one.id, one) for one in handed]
