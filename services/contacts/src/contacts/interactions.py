"""Contacts with customers: recorded by people, taken over from files, and read as one line of time, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from chassis.access import CREATE
from chassis.database import UnitOfWork
from chassis.ids import new_id
from contacts.errors import OrganizationNotFound, PersonNotFound, invalid
from contacts.events import interaction_logged, timestamp_of
from contacts.fields import NAME, ROLE, read_id, read_text
from contacts.lists import merged_or
from contacts.tables import interaction, organization, person
from contacts.visibility import acting_unit, visible_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import INTERACTION

KINDS = {
    pb.INTERACTION_KIND_CALL: "call",
    pb.INTERACTION_KIND_MEETING: "meeting",
    pb.INTERACTION_KIND_EMAIL: "email",
    pb.INTERACTION_KIND_CHAT: "chat",
    pb.INTERACTION_KIND_NOTE: "note",
}
NUMBERS = {name: number for number, name in KINDS.items()}
SUMMARY = 10_000
FIRST = datetime(1900, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)  # clocks differ; what lies further ahead has not taken place


def log_interaction(work: UnitOfWork, request: pb.LogInteractionRequest) -> pb.LogInteractionResponse:
    """Record an interaction.

    Errors: PersonNotFound, OrganizationNotFound, CustomerMerged, FieldInvalid, UnitNotKnown, NotPermitted.
    """
    asked = request.interaction
    unit = acting_unit(work, asked.unit_id, CREATE, INTERACTION)
    row = read_interaction(asked, work.now)
    row |= {"id": new_id(), "unit_id": unit.id, "create_time": work.now}
    if not row["author_id"]:
        row |= {"author_id": work.access.user_id, "author_name": row["author_name"] or work.access.user_name}
    _require_visible(work, person, row["person_id"], PersonNotFound)
    _require_visible(work, organization, row["organization_id"], OrganizationNotFound)
    work.execute(sa.insert(interaction).values(row))
    say_logged(work, [row | {"unit_path": unit.path}])
    return pb.LogInteractionResponse(interaction=interaction_message(row))


def read_interaction(asked: pb.Interaction, now: datetime, field: str = "interaction") -> dict[str, Any]:
    """The values of an interaction as asked for. Errors: FieldInvalid."""
    if asked.kind not in KINDS:
        raise invalid(f"{field}.kind", "is not a kind of interaction", "UNKNOWN")
    person_id, organization_id = (
        read_id(f"{field}.{name}", getattr(asked, name)) or None for name in ("person_id", "organization_id")
    )
    if not (person_id or organization_id):
        raise invalid(f"{field}.person_id", "is empty, and so is organization_id; name a customer", "MISSING")
    return {
        "version": 1,
        "kind": KINDS[asked.kind],
        "occur_time": _read_time(asked, now, field),
        "author_id": read_id(f"{field}.author_id", asked.author_id),
        "author_name": read_text(f"{field}.author_name", asked.author_name, NAME),
        "person_id": person_id,
        "organization_id": organization_id,
        "summary": _read_summary(asked, field),
        "outcome": read_text(f"{field}.outcome", asked.outcome, ROLE),
        "source": "",
        "external_id": "",
    }


def _read_summary(asked: pb.Interaction, field: str) -> str:
    """What was said, as written. An interaction that says nothing tells the next reader nothing."""
    if not asked.summary.strip():
        raise invalid(f"{field}.summary", "is empty; say in a few words what it was about", "MISSING")
    return read_text(f"{field}.summary", asked.summary, SUMMARY, exact=True)


def _read_time(asked: pb.Interaction, now: datetime, field: str) -> datetime:
    if not asked.HasField("occur_time"):
        return now
    stamp = asked.occur_time
    inside = FIRST.timestamp() <= stamp.seconds <= (now + AHEAD).timestamp() and 0 <= stamp.nanos < 1_000_000_000
    if not inside:
        raise invalid(f"{field}.occur_time", "is before 1900 or still to come", "OUT_OF_RANGE")
    return stamp.ToDatetime(tzinfo=UTC)


def _require_visible(work: UnitOfWork, table: sa.Table, card_id: str | None, missing: Any) -> None:
    if card_id is None:
        return
    seen = sa.select(table.c.id).where(table.c.id == card_id, visible_cards(work.access, table))
    # Shared, so that the card does not become part of another one before this is committed.
    seen = seen.with_for_update(read=True, key_share=True, of=table)
    if work.execute(seen).first() is None:
        raise merged_or(work, table, card_id, missing(card_id))


def say_logged(work: UnitOfWork, rows: Sequence[dict[str, Any]]) -> None:
    """Add the event of each row, which also has the path of its unit; its subject is the person."""
    for row in rows:
        work.add_event(
            interaction_logged(row), "interaction", row["id"], row["version"], row["unit_path"], row["person_id"]
        )


def interaction_message(row: Any) -> pb.Interaction:
    """An interaction on the wire."""
    return pb.Interaction(
        id=row["id"],
        etag=str(row["version"]),
        kind=NUMBERS[row["kind"]],
        occur_time=timestamp_of(row["occur_time"]),
        author_id=row["author_id"],
        author_name=row["author_name"],
        unit_id=row["unit_id"],
        person_id=row["person_id"] or "",
        organization_id=row["organization_id"] or "",
        summary=row["summary"],
        outcome=row["outcome"],
        create_time=timestamp_of(row["create_time"]),
    )
