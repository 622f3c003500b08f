"""Activities done elsewhere as interactions: a call, a meeting, what came of a task; each once on the line of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import UnitOfWork
from chassis.ids import new_id
from chassis.naming import binding
from contacts.interactions import say_logged
from contacts.queries import ids
from contacts.tables import interaction, organization, person
from crm.scheduling.events.v1 import scheduling_events_pb2 as events
from units.merges import find_survivors
from units.tables import unit
from units.visibility import UnitNotKnown

SOURCE = "scheduling"  # whose number the activity's id is: what makes each become one interaction only
ACTIVITY_BINDING = binding("scheduling", "activity", "completed")
KINDS = {"call": "call", "meeting": "meeting", "task": "note"}
_INSERT = (
    insert(interaction)
    .on_conflict_do_nothing(
        index_elements=["source", "external_id"], index_where=interaction.c.external_id != sa.literal_column("''")
    )
    .returning(interaction.c.external_id)
)


class Delivered(Protocol):
    """What the handler needs to know of a delivered event."""

    @property
    def message(self) -> Any: ...


def log_done_activities(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of ActivityCompleted. Without a customer known here, or a task of which nothing came, there is none.

    Errors: UnitNotKnown while news of the unit is on its way; the event is tried again then.
    """
    done = {one.message.activity.id: one.message.activity for one in deliveries}
    told = [one for one in done.values() if one.kind in KINDS and (one.kind != "task" or one.personal.summary)]
    persons = _known(work, person, {one.person_id for one in told})
    organizations = _known(work, organization, {one.organization_id for one in told})
    rows = [_row(work, one, persons, organizations) for one in told]
    rows = [row for row in rows if row["person_id"] or row["organization_id"]]
    if not rows:
        return
    paths = _paths(work, {row["unit_id"] for row in rows})
    written = set(work.execute(_INSERT.values(rows)).scalars())
    say_logged(work, [row | {"unit_path": paths[row["unit_id"]]} for row in rows if row["external_id"] in written])


def _row(
    work: UnitOfWork, one: events.ActivityState, persons: dict[str, str], organizations: dict[str, str]
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "version": 1,
        "kind": KINDS[one.kind],
        "occur_time": one.close_time.ToDatetime(UTC),
        "author_id": one.closer_id,
        "author_name": one.personal.closer_name,
        "unit_id": one.unit_id,
        "person_id": persons.get(one.person_id),
        "organization_id": organizations.get(one.organization_id),
        "summary": _summary(one),
        "outcome": one.outcome,
        "create_time": work.now,
        "source": SOURCE,
        "external_id": one.id,
    }


def _summary(one: events.ActivityState) -> str:
    """What came of it; for a task after what it was about, and what a talk was about where nothing else is said."""
    parts = (one.personal.subject, one.personal.summary) if one.kind == "task" else (one.personal.summary,)
    return "\n".join(parts) if any(parts) else one.personal.subject


def _known(work: UnitOfWork, table: sa.Table, wanted: set[str]) -> dict[str, str]:
    """Those of these ids that mean a card here, and which: that of a merged card means its survivor."""
    asked = wanted - {""}
    if not asked:
        return {}
    led = dict.fromkeys(asked) | find_survivors(work, asked)
    current = {one: survivor or one for one, survivor in led.items()}
    # Shared, so that none of them becomes part of another card before this is committed.
    found = (
        sa.select(table.c.id)
        .where(table.c.id == sa.any_(ids(current.values())))
        .with_for_update(read=True, key_share=True)
    )
    here = set(work.execute(found).scalars())
    return {one: card_id for one, card_id in current.items() if card_id in here}


def _paths(work: UnitOfWork, wanted: set[str]) -> dict[str, str]:
    rows = work.execute(sa.select(unit.c.id, unit.c.path).where(unit.c.id == sa.any_(ids(wanted))))
    found = {row.id: row.path for row in rows}
    for one in sorted(wanted - set(found)):
        raise UnitNotKnown(one)
    return found
