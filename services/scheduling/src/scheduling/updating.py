"""Changing what is planned: fields by mask, and the time or the owner at once as a calendar does by dragging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from chassis.access import ASSIGN
from chassis.database import UnitOfWork
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling import composing, rules
from scheduling.composing import require_links
from scheduling.current_links import lead_links
from scheduling.errors import invalid
from scheduling.events import tell_reassigned, tell_updated
from scheduling.locking import open_for_change
from scheduling.planning import begin_series, touch
from scheduling.queries import get_activities
from scheduling.records import ASSIGNED, MOVED, OWNER, REASSIGNED, UPDATED, Activity, Due, Facts, Waiting
from scheduling.rules import check_text
from scheduling.storing import keep_history, notify, store_notifications, update_activities
from units.records import ACTIVITY
from units.visibility import get_unit

TIMES = ("due_time", "due_date", "end_time", "time_zone")
Change = Callable[[Facts, pb.Activity], Facts]


def update_activity(work: UnitOfWork, said: pb.Activity, paths: Sequence[str], etag: str) -> Activity:
    """Take the named fields of `said`; what changes nothing makes no new version.

    Errors: ActivityNotFound, ActivityClosed, NotPermitted, StaleEtag, FieldInvalid, UnitNotKnown.
    """
    if not etag:
        raise invalid("etag", "is empty; send the etag of the activity you read, so that no change is overwritten")
    known, _ = open_for_change(work, said.id, etag)
    facts = lead_links(work, _changed_facts(known.facts, said, paths), known.facts)
    require_links(work, facts, known.facts)
    return store_change(work, known, facts, UPDATED)


def move_activity(
    work: UnitOfWork,
    activity_id: str,
    etag: str,
    time: datetime | None,
    day: date | None,
    end: datetime | None,
    owner_id: str,
) -> Activity:
    """Put an activity to another time, owner or both; without an end it stays as long as it was.

    Errors: ActivityNotFound, ActivityClosed, NotPermitted, StaleEtag, FieldInvalid.
    """
    known, _ = open_for_change(work, activity_id, etag)
    facts = known.facts
    due = _moved_due(facts.due, time, day, end)
    rules.check_due(due, facts.kind, "move")
    owner = composing.compose_id("owner_id", owner_id) or facts.owner_id
    return store_change(work, known, replace(facts, due=due, owner_id=owner), MOVED)


def _moved_due(known: Due, time: datetime | None, day: date | None, end: datetime | None) -> Due:
    if time is None and day is None:
        return replace(known, end=end or known.end)
    length = known.end - known.time if known.end and known.time else None
    return replace(known, time=time, day=day, end=end or (time + length if time and length else None))


def store_change(work: UnitOfWork, known: Activity, facts: Facts, change: str, note: str = "") -> Activity:
    """Write changed facts with their history, event and notification, reminders set anew where the time moved.

    Errors: UnitNotKnown, NotPermitted for a unit that the caller may not write in.
    """
    changed = _mask_of(known.facts, facts)
    if not changed:
        return known
    place = get_unit(work, facts.unit_id)
    if {"unit_id", "owner_id"}.intersection(changed):
        for one in {place.path, get_unit(work, known.facts.unit_id).path}:
            work.access.require(ASSIGN, one, known.facts.owner_id, ACTIVITY)
    updated = touch(known, work, **_following(work, known, facts, changed))
    given = "owner_id" in changed
    update_activities(work, [updated])
    keep_history(work, [updated], REASSIGNED if given else change, note, changed)
    if given:
        tell_reassigned(work, updated, place.path, known.facts.owner_id)
        store_notifications(work, notify(work, [facts.owner_id], ASSIGNED, updated, note))
    else:
        tell_updated(work, updated, place.path, changed)
    return get_activity_as_changed(work, updated)


def get_activity_as_changed(work: UnitOfWork, changed: Activity) -> Activity:
    """The activity as stored with its present names; as it is where its change hid it from the caller."""
    return next(iter(get_activities(work, [changed.id])), changed)


def _following(work: UnitOfWork, known: Activity, facts: Facts, changed: Sequence[str]) -> dict[str, Any]:
    """What follows from changed facts: reminders, the rhythm, and whose move it is when the owner's was."""
    values: dict[str, Any] = {"facts": facts}
    if {*TIMES, "reminder_minutes"} & set(changed):
        remind, lapse = rules.tell_times(facts, work.now)
        values |= {"remind_time": remind, "lapse_time": lapse}
    if "repetition" in changed:
        values["series"] = begin_series(facts)
    if "owner_id" in changed:
        values["waiting"] = hand_waiting(work, known.waiting, facts.owner_id)
    return values


def hand_waiting(work: UnitOfWork, known: Waiting, owner_id: str) -> Waiting:
    """Whose move it is when the owner changes: the owner's move becomes the new owner's."""
    if known.side == OWNER or known.user_id == owner_id:
        return Waiting(OWNER, owner_id, known.note, work.now)
    return known


def _mask_of(known: Facts, facts: Facts) -> list[str]:
    """The names of changed facts as the contract's field names."""
    names = [name for name in Facts.__slots__ if name != "due" and getattr(known, name) != getattr(facts, name)]
    parts = (("due_time", "time"), ("due_date", "day"), ("end_time", "end"), ("time_zone", "zone"))
    return names + [name for name, part in parts if getattr(known.due, part) != getattr(facts.due, part)]


def _changed_facts(facts: Facts, said: pb.Activity, paths: Sequence[str]) -> Facts:
    wanted = list(dict.fromkeys(path.split(".")[0] for path in paths))
    if not wanted:
        raise invalid("update_mask", f"is empty; name the fields to change: {', '.join(CHANGES)}")
    for path in wanted:
        if path not in CHANGES:
            raise invalid("update_mask", f"{path[:60]!r} cannot be changed here; these can: {', '.join(CHANGES)}")
        facts = CHANGES[path](facts, said)
    rules.check_due(facts.due, facts.kind)
    composing.compose_subject(facts.subject, facts.kind)
    if "repetition" in wanted or set(TIMES) & set(wanted):
        rules.check_repetition(facts.repetition, facts.due)
    return facts


def _take_text(name: str, most: int) -> Change:
    return lambda facts, said: _with(facts, name, check_text(f"activity.{name}", getattr(said, name), most))


def _take_id(name: str) -> Change:
    return lambda facts, said: _with(facts, name, composing.compose_id(f"activity.{name}", getattr(said, name)))


def _take_ids(name: str) -> Change:
    return lambda facts, said: _with(facts, name, composing.compose_ids(f"activity.{name}", getattr(said, name)))


def _take_needed_id(name: str) -> Change:
    def take(facts: Facts, said: pb.Activity) -> Facts:
        return _with(facts, name, composing.compose_id(f"activity.{name}", getattr(said, name)) or getattr(facts, name))

    return take


def _take_due(facts: Facts, said: pb.Activity) -> Facts:
    return replace(facts, due=composing.compose_due(said, facts.kind, said.time_zone or facts.due.zone))


def _with(facts: Facts, name: str, value: Any) -> Facts:
    return replace(facts, **{name: value})


CHANGES: dict[str, Change] = {
    "subject": _take_text("subject", composing.MAX_SUBJECT),
    "description": _take_text("description", composing.MAX_TEXT),
    "unit_id": _take_needed_id("unit_id"),
    "owner_id": _take_needed_id("owner_id"),
    "participant_user_ids": _take_ids("participant_user_ids"),
    "participant_person_ids": _take_ids("participant_person_ids"),
    "person_id": _take_id("person_id"),
    "organization_id": _take_id("organization_id"),
    "deal_id": _take_id("deal_id"),
    "priority": lambda facts, said: replace(facts, priority=composing.compose_priority(said)),
    "reminder_minutes": lambda facts, said: replace(
        facts, reminder_minutes=composing.compose_reminder(said, facts.kind)
    ),
    "repetition": lambda facts, said: replace(facts, repetition=composing.compose_repetition(said)),
    **dict.fromkeys(TIMES, _take_due),
}
