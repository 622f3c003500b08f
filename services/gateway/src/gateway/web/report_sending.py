"""Saved reports that come by the bell, every Monday or on the first of each month, to everybody who has them.

Nothing is sent ahead: whose turn it is follows from the calendar, and what somebody has opened is kept with the person.
So a report comes once a period however often processes stop, it shows what its reader may see when it is read, and one
who loses it, or whose owner has left, gets it no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from gateway import saved_views
from gateway.saved_views import MONTH, WEEK
from gateway.web.names import look_up_names
from gateway.web.report_questions import PERIODS, span_of
from gateway.web.report_words import SHAPES
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

REPORTS = "reports"
OPENED = "reports_opened"  # the person's setting: the last day opened, by report
LATELY = timedelta(days=31)  # as long as one that nobody opened stands behind the bell


@dataclass(frozen=True)
class SentReport:
    """A report that has come and was not opened; `path` asks for the period as it was on its day."""

    id: str
    name: str
    owner_name: str
    day: date
    path: str


def sending_words() -> dict[str, str]:
    """When a saved report comes."""
    return {"": _("never"), WEEK: _("every Monday"), MONTH: _("on the first of each month")}


def last_turn(every: str, today: date) -> date | None:
    """The last day, not after today, on which what comes so often was due; None for what never comes."""
    if every == WEEK:
        return today - timedelta(days=today.weekday())
    return today.replace(day=1) if every == MONTH else None


def find_sent(visit: Visit) -> list[SentReport]:
    """What has come to the viewer and was not opened yet, the latest first; nothing of owners who have left."""
    opened, rows = _opened(visit), []
    for row in _sent_views(visit):
        turn = last_turn(row.send_every, visit.today)
        began = row.send_since.astimezone(visit.texts.zone).date()
        if turn is not None and max(began, visit.today - LATELY) < turn and opened.get(str(row.id), "") < str(turn):
            rows.append((turn, row))
    owners = look_up_names(visit, [str(row.owner_id) for _turn, row in rows]).users if rows else {}
    found = []
    for turn, row in sorted(rows, key=lambda one: (-one[0].toordinal(), one[1].name)):
        owner = owners.get(str(row.owner_id))
        if owner is not None and owner.active:
            found.append(SentReport(str(row.id), row.name, owner.name, turn, _path_on(row, turn)))
    return found


def note_opened(visit: Visit, view_id: str) -> None:
    """Keep that the viewer has opened what came last of a report."""
    rows = {str(row.id): row for row in _sent_views(visit)}
    turn = last_turn(rows[view_id].send_every, visit.today) if view_id in rows else None
    opened = {id: day for id, day in _opened(visit).items() if id in rows}
    if turn is not None and opened.get(view_id, "") < str(turn):
        visit.save_setting(OPENED, {**opened, view_id: str(turn)})


def _sent_views(visit: Visit) -> list[Any]:
    with visit.sessions.database.transaction() as work:
        rows = saved_views.list_views(work, visit.session.access, visit.units_above, REPORTS)
    return [row for row in rows if row.send_every and row.send_since]


def _opened(visit: Visit) -> dict[str, str]:
    kept = visit.setting(OPENED)
    return {str(id): str(day) for id, day in kept.items()} if isinstance(kept, dict) else {}


def _path_on(row: Any, day: date) -> str:
    """The address of the question with the days that its period had on a day."""
    values = dict(parse_qsl(row.query))
    name = values.pop("report", "")
    period = values.get("period", "") or (SHAPES[name].period if name in SHAPES else "")
    span = span_of(period, day) if period in PERIODS else None
    if span is not None and span.first and span.last:
        values |= {"period": "own", "from": span.first.isoformat(), "to": span.last.isoformat()}
    return f"/{REPORTS}/{name}?{urlencode({**values, 'came': row.id})}"
