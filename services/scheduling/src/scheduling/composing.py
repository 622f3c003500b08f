"""What a written activity means: a message of any door becomes facts, each field checked by its name."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis.access import Access
from chassis.database import UnitOfWork
from chassis.dates import from_date
from chassis.ids import is_id
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling import rules
from scheduling.errors import invalid
from scheduling.messages import KINDS, PRIORITIES, SIDES, UNITS
from scheduling.records import CUSTOMER, NORMAL, OWNER, TASK, USER, Due, Facts, Repetition, Waiting
from scheduling.rules import NO_REMINDER, check_text
from scheduling.tables import deal, organization, person
from scheduling.times import time_in
from units import records
from units.known import visible_known
from units.visibility import Unit

MAX_SUBJECT, MAX_TEXT, MAX_NOTE, MAX_WORD = 300, 10_000, 300, 100
MAX_GUESTS = 100


def compose_facts(said: pb.Activity, place: Unit, owner_id: str) -> Facts:
    """The facts of a new activity as said. Errors: FieldInvalid."""
    if said.kind not in KINDS:
        raise invalid("activity.kind", "is not given or unknown; use task, call or meeting")
    kind = KINDS[said.kind]
    due = compose_due(said, kind, said.time_zone or place.time_zone or "UTC")
    return Facts(
        kind=kind,
        subject=compose_subject(said.subject, kind),
        description=check_text("activity.description", said.description, MAX_TEXT),
        unit_id=place.id,
        owner_id=owner_id,
        participant_user_ids=compose_ids("activity.participant_user_ids", said.participant_user_ids),
        participant_person_ids=compose_ids("activity.participant_person_ids", said.participant_person_ids),
        due=due,
        person_id=compose_id("activity.person_id", said.person_id),
        organization_id=compose_id("activity.organization_id", said.organization_id),
        deal_id=compose_id("activity.deal_id", said.deal_id),
        priority=compose_priority(said),
        reminder_minutes=compose_reminder(said, kind),
        repetition=rules.check_repetition(compose_repetition(said), due),
    )


def compose_subject(text: str, kind: str) -> str:
    """What it is about, unchanged. Errors: FieldInvalid when too long, or when a task has none."""
    if kind == TASK and not text.strip():
        raise invalid("activity.subject", "is empty; say what is to be done")
    return check_text("activity.subject", text, MAX_SUBJECT)


def compose_due(said: pb.Activity, kind: str, zone: str) -> Due:
    """When it is due. Errors: FieldInvalid."""
    due = Due(
        time=time_in(said, "due_time", "activity."),
        day=from_date(said.due_date, "activity.due_date"),
        end=time_in(said, "end_time", "activity."),
        zone=rules.check_zone("activity.time_zone", zone),
    )
    return rules.check_due(due, kind)


def compose_priority(said: pb.Activity) -> str:
    """Its priority, normal unless said. Errors: FieldInvalid."""
    if said.priority and said.priority not in PRIORITIES:
        raise invalid("activity.priority", f"is {said.priority}; use low, normal or high")
    return PRIORITIES.get(said.priority, NORMAL)


def compose_reminder(said: pb.Activity, kind: str) -> int:
    """Minutes before the start, the kind's own unless said. Errors: FieldInvalid."""
    if not said.HasField("reminder_minutes"):
        return rules.REMINDER_MINUTES[kind]
    minutes = said.reminder_minutes
    if not NO_REMINDER <= minutes <= rules.MOST_REMINDER_MINUTES:
        most = rules.MOST_REMINDER_MINUTES
        raise invalid("activity.reminder_minutes", f"is {minutes}; use 0 to {most}, or {NO_REMINDER} for none")
    return minutes


def compose_repetition(said: pb.Activity) -> Repetition | None:
    """How it comes again, not yet checked. Errors: FieldInvalid for no unit and an impossible last day."""
    if not said.HasField("repetition"):
        return None
    one = said.repetition
    if one.unit not in UNITS:
        raise invalid("activity.repetition.unit", "is not given or unknown; use day, week or month")
    until = from_date(one.until_date, "activity.repetition.until_date")
    return Repetition(one.every, UNITS[one.unit], until, one.count)


def compose_waiting(work: UnitOfWork, said: pb.Waiting, owner_id: str, field: str = "waiting") -> Waiting:
    """Whose move it is from now on. Errors: FieldInvalid."""
    if said.side and said.side not in SIDES:
        raise invalid(f"{field}.side", f"is {said.side}; use owner, user or customer")
    side = SIDES.get(said.side, OWNER)
    note = check_text(f"{field}.note", said.note, MAX_NOTE)
    user_id = compose_id(f"{field}.user_id", said.user_id)
    if side == CUSTOMER:
        return Waiting(side, "", note, work.now)
    if side == USER and not user_id:
        raise invalid(f"{field}.user_id", "is empty; say whose move it is")
    if side == OWNER or user_id == owner_id:
        return Waiting(OWNER, owner_id, note, work.now)
    return Waiting(side, user_id, note, work.now)


def compose_id(field: str, text: str) -> str:
    """An id or nothing. Errors: FieldInvalid when it is no UUID in canonical form."""
    if text and not is_id(text):
        raise invalid(field, f"is {text[:60]!r}, which is no id; use one that a service has given")
    return text


def compose_ids(field: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Ids, each once. Errors: FieldInvalid."""
    if len(texts) > MAX_GUESTS:
        raise invalid(field, f"has {len(texts)} ids; use at most {MAX_GUESTS}")
    for number, text in enumerate(texts):
        if not is_id(text):
            raise invalid(f"{field}[{number}]", f"is {text[:60]!r}, which is no id; use one that a service has given")
    return tuple(dict.fromkeys(texts))


def require_links(work: UnitOfWork, facts: Facts, known: Facts | None = None) -> None:
    """Errors: FieldInvalid for a new link to a customer or deal that is known here and that the caller may not see.

    What is not known here yet is taken as it is: its news may still be on the way.
    """
    for name, table in (("person_id", person), ("organization_id", organization), ("deal_id", deal)):
        asked = getattr(facts, name)
        if asked and (known is None or getattr(known, name) != asked):
            _require_visible(work, table, name, [asked])
    new = set(facts.participant_person_ids) - set(known.participant_person_ids if known else ())
    if new:
        _require_visible(work, person, "participant_person_ids", sorted(new))


def _require_visible(work: UnitOfWork, table: sa.Table, name: str, ids: Sequence[str]) -> None:
    hidden = sa.select(table.c.id).where(table.c.id.in_(ids), sa.not_(_is_visible(work.access, name, table)))
    if work.execute(hidden.limit(1)).first() is not None:
        raise invalid(f"activity.{name}", "names a record that you may not see")


def _is_visible(access: Access, name: str, table: sa.Table) -> sa.ColumnElement[bool]:
    kind = records.DEAL if name == "deal_id" else records.CUSTOMER
    return sa.func.coalesce(visible_known(access, kind, table.c.unit_ids, table.c.owner_id), sa.false())
