"""Whose move it is: said by those who take part, and the one who has the move reminded by hand."""

from __future__ import annotations

from dataclasses import replace

from chassis.database import UnitOfWork
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling.composing import MAX_NOTE, compose_waiting
from scheduling.errors import NobodyToRemind
from scheduling.events import tell_nudged, tell_updated
from scheduling.locking import check_etag, lock_for_part, require_open
from scheduling.planning import touch
from scheduling.records import CUSTOMER, NUDGE, REMINDED, WAITING_SET, Activity
from scheduling.rules import check_text
from scheduling.storing import keep_history, notify, store_notifications, update_activities
from scheduling.updating import get_activity_as_changed


def set_waiting(work: UnitOfWork, activity_id: str, etag: str, said: pb.Waiting) -> Activity:
    """Say whose move it is from now on; the same side again keeps the time since when.

    Errors: ActivityNotFound, ActivityClosed, NotPermitted, StaleEtag, FieldInvalid.
    """
    known, place = lock_for_part(work, activity_id)
    require_open(known)
    check_etag(work, known, etag)
    waiting = compose_waiting(work, said, known.facts.owner_id)
    if (waiting.side, waiting.user_id) == (known.waiting.side, known.waiting.user_id):
        waiting = replace(waiting, since=known.waiting.since)
    if waiting == known.waiting:
        return known
    changed = touch(known, work, waiting=waiting)
    update_activities(work, [changed])
    keep_history(work, [changed], WAITING_SET, waiting.note, ["waiting"])
    tell_updated(work, changed, place.path, ["waiting"])
    store_notifications(work, notify(work, [waiting.user_id], NUDGE, changed, waiting.note))
    return get_activity_as_changed(work, changed)


def remind_now(work: UnitOfWork, activity_id: str, note: str) -> str:
    """Remind the user whose move it is and answer who that is. Nobody's open form becomes stale by it.

    Errors: ActivityNotFound, ActivityClosed, NotPermitted, NobodyToRemind, FieldInvalid.
    """
    check_text("note", note, MAX_NOTE)
    known, place = lock_for_part(work, activity_id)
    require_open(known)
    if known.waiting.side == CUSTOMER:
        raise NobodyToRemind
    reminded = replace(known, version=known.version + 1)
    update_activities(work, [reminded])
    keep_history(work, [reminded], REMINDED, note)
    tell_nudged(work, reminded, place.path, known.waiting.user_id)
    store_notifications(work, notify(work, [known.waiting.user_id], NUDGE, reminded, note))
    return known.waiting.user_id
