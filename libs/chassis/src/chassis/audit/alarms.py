"""Notices who reads far more records than they usually do, and says so in the trail of the service."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from chassis.audit.entries import ALARM, Entry, write_entries
from chassis.database import Database, UnitOfWork
from chassis.prepared import Prepared

log = logging.getLogger(__name__)
LEAST = 500  # different records within ten minutes: fewer are a busy time at boards and lists
TIMES_USUAL = 3  # of what all but one in twenty of the own windows had
HISTORY = timedelta(days=30)
MOST_TOLD = 500  # records that the alarm names


@dataclass(frozen=True)
class Look:
    """What counts as mass reading: `least` different records within `window`; `quiet` between two alarms on one."""

    window: timedelta
    least: int
    quiet: timedelta
    words: str


# Who stays below the limit of minutes for hours is seen by the day.
AT_ONCE = Look(timedelta(minutes=10), LEAST, timedelta(hours=1), "10 minutes")
BY_THE_DAY = Look(timedelta(days=1), 3_000, timedelta(days=1), "a day")
_LOCK = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended('audit alarms', 0))")
# Who read much comes first: looking for an alarm beside each entry read took seconds of every minute.
_SUSPECTS = Prepared(
    sa.text("""
SELECT actor_id, shown
FROM (SELECT actor_id, sum(record_count) AS shown FROM audit_entry
      WHERE time > :start AND action IN ('read', 'list', 'search') AND actor_id <> ''
      GROUP BY actor_id HAVING sum(record_count) > :least) AS busy
WHERE NOT EXISTS (SELECT 1 FROM audit_entry AS told
                  WHERE told.actor_id = busy.actor_id AND told.action = 'alarm' AND told.time > :quiet)""")
)
_DIFFERENT = Prepared(
    sa.text("""
SELECT count(DISTINCT record_id) AS records, min(time) AS first_time, max(actor_path) AS actor_path,
       max(session_id) AS session_id, array_agg(DISTINCT CAST(record_id AS text)) AS ids
FROM audit_entry, unnest(record_ids) AS record_id
WHERE actor_id = :actor AND time > :start AND action IN ('read', 'list', 'search')""")
)
# What the person saw in windows of the same length before this one; windows without anything do not count.
_USUAL = Prepared(
    sa.text("""
SELECT coalesce(percentile_disc(0.95) WITHIN GROUP (ORDER BY shown), 0) AS usual
FROM (SELECT sum(record_count) AS shown FROM audit_entry
      WHERE actor_id = :actor AND time > :oldest AND time <= :start AND action IN ('read', 'list', 'search')
      GROUP BY date_bin(CAST(:window AS interval), time, timestamptz 'epoch')) AS windows""")
)


def notice_mass_reading(database: Database, look: Look = AT_ONCE) -> int:
    """Raise an alarm about whoever reads far more than usual; answers how many. Of several processes one looks."""
    with database.transaction() as work:
        if not work.execute(_LOCK).scalar():
            return 0
        asked = {"start": work.now - look.window, "quiet": work.now - look.quiet, "least": look.least}
        alarms = [found for one in work.fetch(_SUSPECTS, asked) if (found := _look_at(work, one, look))]
        write_entries(work, alarms)
    for one in alarms:
        log.warning("mass reading", extra={"service": database.service, "user": one.actor_id, "told": one.reason})
    return len(alarms)


def _look_at(work: UnitOfWork, suspect: Any, look: Look) -> Entry | None:
    start = work.now - look.window
    [seen] = work.fetch(_DIFFERENT, {"actor": suspect.actor_id, "start": start})
    asked = {"actor": suspect.actor_id, "oldest": work.now - HISTORY, "start": start, "window": look.window}
    usual = int(work.fetch(_USUAL, asked)[0].usual)
    if seen.records <= look.least or suspect.shown <= TIMES_USUAL * usual:
        return None
    return Entry(
        time=work.now,
        actor_id=suspect.actor_id,
        actor_path=seen.actor_path,
        session_id=seen.session_id,
        origin="",
        service="",
        action=ALARM,
        method="audit/MassReading",
        record_ids=seen.ids[:MOST_TOLD],
        record_count=seen.records,
        reason=f"{seen.records} records within {look.words}; usually at most {usual}",
    )
