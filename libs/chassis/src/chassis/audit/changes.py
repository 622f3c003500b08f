"""Takes changes into the trail from the log of events: who changed which record, with its state before and after.

A change and its event are one transaction, so nothing is missed, and writers pay nothing for their trail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from chassis.audit.entries import CHANGE, Entry, write_entries
from chassis.audit.tables import audit_state
from chassis.audit.values import ensure_keys, lock_value
from chassis.database import Database, UnitOfWork
from chassis.prepared import Prepared

BATCH = 3_000
MANY = 20  # changes of one kind by one caller at once: an import or a hand-over, told as one entry without values
WORDS_BEFORE_UNIT = 6  # crm, service, aggregate, fact, major, partition
_STATE = sa.text("SELECT position FROM audit_state FOR UPDATE SKIP LOCKED")
# Gathered by the server into what one call made of one kind: of the thousands of an import only their ids come here.
_BEHIND = Prepared(
    sa.text(f"""
WITH behind AS MATERIALIZED (
  SELECT position, aggregate, aggregate_id, type, routing_key, create_time, headers ->> 'crm_actor' AS actor,
         headers ->> 'crm_session' AS session, headers ->> 'traceparent' AS trace, headers ->> 'crm_unit' AS unit,
         headers ->> 'crm_service' AS service
  FROM event_log WHERE position > :position ORDER BY position LIMIT {BATCH})
SELECT actor, coalesce(session, '') AS session, coalesce(min(unit), '') AS unit, coalesce(min(service), '') AS service,
       type, min(aggregate) AS aggregate, min(create_time) AS time, count(*) AS events, max(position) AS last_position,
       array_agg(DISTINCT routing_key) AS keys, array_agg(position) AS positions,
       string_agg(CAST(aggregate_id AS text), ',' ORDER BY position) AS ids
FROM behind GROUP BY actor, session, trace, type""")
)
_SINGLE = Prepared(
    sa.text("""
SELECT position, aggregate, CAST(aggregate_id AS text) AS aggregate_id, version, type, routing_key, headers, data,
       create_time
FROM event_log WHERE position = ANY(CAST(:positions AS bigint[])) ORDER BY position""")
)
# The newest state before a change, wherever it is kept.
_BEFORE = Prepared(
    sa.text("""
SELECT asked.position, earlier.data
FROM unnest(CAST(:positions AS bigint[]), CAST(:ids AS uuid[]), CAST(:versions AS bigint[]))
       AS asked(position, id, version)
CROSS JOIN LATERAL (
  SELECT data, version FROM event_log WHERE aggregate_id = asked.id AND version < asked.version
  UNION ALL
  SELECT data, version FROM event_snapshot WHERE aggregate_id = asked.id AND version < asked.version
  ORDER BY version DESC LIMIT 1) AS earlier""")
)


def take_changes(database: Database) -> int:
    """Take over what was logged since; answers how many events. Of several processes one does it."""
    taken = 0
    while True:
        with database.transaction() as work:
            position = work.execute(_STATE).scalar()
            groups = work.fetch(_BEHIND, {"position": position}) if position is not None else []
            if groups:
                write_entries(work, _entries(work, [one for one in groups if one.actor]))
                work.execute(sa.update(audit_state).values(position=max(one.last_position for one in groups)))
        count = sum(int(one.events) for one in groups)
        taken += count
        if count < BATCH:
            return taken


def _entries(work: UnitOfWork, groups: Sequence[Any]) -> list[Entry]:
    """Entries in the order of the first event of each."""
    many = [_entry_of_many(group) for group in groups if group.events > MANY]
    positions = sorted(one for group in groups if group.events <= MANY for one in group.positions)
    single = work.fetch(_SINGLE, {"positions": positions}) if positions else []
    keys = ensure_keys(work, (one.aggregate_id for one in single))
    before = _read_before(work, single)
    alone = [_entry(one)._replace(**_values(keys[one.aggregate_id], before.get(one.position), one)) for one in single]
    return sorted(many + alone, key=lambda one: one.time)


def _entry(event: Any) -> Entry:
    told = event.headers
    return Entry(
        time=event.create_time,
        actor_id=told["crm_actor"],
        actor_path=told.get("crm_unit", ""),
        session_id=told.get("crm_session", ""),
        origin="",
        service=told.get("crm_service", ""),
        action=CHANGE,
        method=event.type,
        records=event.aggregate,
        record_ids=[event.aggregate_id],
        unit_path=_unit_of(event.routing_key),
        record_count=1,
    )


def _entry_of_many(group: Any) -> Entry:
    paths = {_unit_of(key) for key in group.keys}
    return Entry(
        time=group.time,
        actor_id=group.actor,
        actor_path=group.unit,
        session_id=group.session,
        origin="",
        service=group.service,
        action=CHANGE,
        method=group.type,
        records=group.aggregate,
        record_ids=list(dict.fromkeys(group.ids.split(","))),
        unit_path=paths.pop() if len(paths) == 1 else "",
        record_count=group.events,
    )


def _values(key: bytes, before: bytes | None, event: Any) -> dict[str, Any]:
    return {
        "before": lock_value(key, before) if before is not None else None,
        "after": lock_value(key, bytes(event.data)),
    }


def _read_before(work: UnitOfWork, events: Iterable[Any]) -> dict[int, bytes]:
    asked = [one for one in events if one.version > 1]
    if not asked:
        return {}
    values = {
        "positions": [one.position for one in asked],
        "ids": [one.aggregate_id for one in asked],
        "versions": [one.version for one in asked],
    }
    return {row.position: bytes(row.data) for row in work.fetch(_BEFORE, values)}


def _unit_of(routing_key: str) -> str:
    """The unit path in a key; the last word closes it."""
    return ".".join(routing_key.split(".")[WORDS_BEFORE_UNIT:-1])
