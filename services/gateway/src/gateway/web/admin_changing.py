"""Changing a unit or a person by a form that may be old: what both changed is shown as before, theirs and mine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.responses import Response

from chassis.errors import RemoteError
from gateway.web.conflicts import make_conflict, settle_fields
from gateway.web.values import to_day
from gateway.web.visits import Visit

Values = Mapping[str, str]


@dataclass(frozen=True)
class Changing:
    """One form: `box` is the id of the element around it, `labels` its fields in words.

    `read` answers the etag and the values as stored now, `store` stores values read with an etag, `show` words a
    field's value for people.
    """

    box: str
    labels: Values
    read: Callable[[], tuple[str, Values]]
    store: Callable[[Values, str], None]
    show: Callable[[str, str], str]


def save_form(visit: Visit, form: Changing) -> Response | None:
    """Store what the form says; where others changed the same since, the choice instead. Errors: RemoteError."""
    mine = {name: _tidy(visit.field(name)) for name in form.labels if name in visit.form}
    before = {name: _tidy(visit.field(f"before.{name}")) for name in mine}
    try:
        form.store(mine, visit.field("etag"))
        return None
    except RemoteError as refusal:
        if refusal.reason != "STALE_ETAG":
            raise
    etag, stored = form.read()
    theirs = {name: stored[name] for name in mine}
    states = (before, theirs, mine)
    conflict = make_conflict(visit.request.url.path, etag, f"#{form.box}", form.labels, states, form.show)
    if conflict is None:
        form.store(settle_fields(*states)[0], etag)
        return None
    place = {"HX-Retarget": f"#{form.box}", "HX-Reswap": "innerHTML"}
    return visit.render("admin/clash.html", 409, place, conflict=conflict)


def show_day(visit: Visit, value: str) -> str:
    """A day of a form as people read it; what is none stays as it is written."""
    try:
        return visit.texts.date(date.fromisoformat(value)) if value else ""
    except ValueError:
        return value


def day_value(day: Any) -> str:
    """A day of the contract as a form posts it."""
    found = to_day(day)
    return found.isoformat() if found else ""


def _tidy(text: str) -> str:
    """Browsers end lines in two ways."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())
