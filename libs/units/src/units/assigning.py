"""What a call to give named records to users asks for, and what becomes of each: pure, the same in every service."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id
from units.owners import MOST_NOTE

MOST_AT_ONCE = 200
NOT_PERMITTED, STALE = "NOT_PERMITTED", "STALE_ETAG"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A record goes from one user to another, "" is nobody; `kind` tells whose id it is where a call has several."""

    record_id: str
    from_id: str
    to_id: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a record: `refusal` says why it stays, `unchanged` that it is with that user already."""

    record_id: str
    refusal: str = ""
    unchanged: bool = False


def check_assignments(asked: Sequence[Assignment], note: str) -> None:
    """Errors: FieldInvalid for too many, a record named twice or what is no id."""
    if not 1 <= len(asked) <= MOST_AT_ONCE:
        raise _invalid("assignments", f"are {len(asked)}; name 1 to {MOST_AT_ONCE} records")
    if len({one.record_id for one in asked}) < len(asked):
        raise _invalid("assignments", "name a record twice; name each once")
    for number, one in enumerate(asked):
        at = f"assignments[{number}]"
        if not is_id(one.record_id):
            raise _invalid(at, "names no record by its id")
        for name, user in (("from_owner_id", one.from_id), ("to_owner_id", one.to_id)):
            if user and not is_id(user):
                raise _invalid(f"{at}.{name}", "is not an id")
    if len(note) > MOST_NOTE or "\0" in note:
        raise _invalid("note", f"has more than {MOST_NOTE} characters, or one that cannot be kept")


def decide_fate(one: Assignment, owner_id: str | None, may: Collection[str], missing: str) -> Fate:
    """What becomes of a record whose user is `owner_id`, None where the caller sees none; `may` are ids to be given."""
    if owner_id is None:
        return Fate(one.record_id, missing)
    if one.record_id not in may:
        return Fate(one.record_id, NOT_PERMITTED)
    if owner_id == one.to_id:
        return Fate(one.record_id, unchanged=True)
    return Fate(one.record_id, "" if owner_id == one.from_id else STALE)


def _invalid(field: str, says: str) -> FieldInvalid:
    return FieldInvalid(FieldViolation(field, says))
