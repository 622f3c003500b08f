"""What every write begins with: the activity, locked, that the caller may change and has seen as it is."""

from __future__ import annotations

from google.protobuf import json_format

from chassis.access import CHANGE
from chassis.database import UnitOfWork
from chassis.errors import StaleEtag
from scheduling.errors import ActivityClosed
from scheduling.messages import activity_message
from scheduling.queries import get_activity, place_of
from scheduling.records import OPEN, Activity
from units.records import ACTIVITY
from units.visibility import Unit


def open_for_change(work: UnitOfWork, activity_id: str, etag: str) -> tuple[Activity, Unit]:
    """The open activity, locked, which the caller may write, with its unit.

    Errors: ActivityNotFound, NotPermitted, StaleEtag, ActivityClosed.
    """
    known = get_activity(work, activity_id, lock=True)
    place = place_of(work, known)
    work.access.require(CHANGE, place.path, known.facts.owner_id, ACTIVITY)
    check_etag(work, known, etag)
    require_open(known)
    return known, place


def lock_for_part(work: UnitOfWork, activity_id: str) -> tuple[Activity, Unit]:
    """The activity, locked, in which the caller has a part or which the caller may write, with its unit.

    A part has who takes part, whose move it is, and who planned it. Errors: ActivityNotFound, NotPermitted.
    """
    known = get_activity(work, activity_id, lock=True)
    place = place_of(work, known)
    if work.access.user_id not in {*known.facts.participant_user_ids, known.waiting.user_id, known.creator_id} - {""}:
        work.access.require(CHANGE, place.path, known.facts.owner_id, ACTIVITY)
    return known, place


def require_open(known: Activity) -> None:
    """Errors: ActivityClosed when it is done or cancelled."""
    if known.state != OPEN:
        raise ActivityClosed(known.id, known.state)


def check_etag(work: UnitOfWork, known: Activity, etag: str) -> None:
    """Errors: StaleEtag with the current values when a caller saw another version; an empty etag is not checked."""
    if etag and etag != str(known.revision):
        current = json_format.MessageToJson(activity_message(known, work.now), indent=None)
        raise StaleEtag("the activity has changed since you read it; look at it again", metadata={"current": current})
