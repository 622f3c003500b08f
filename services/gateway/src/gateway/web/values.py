"""How values of the contracts look on a page: the filters that templates use."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from markupsafe import Markup, escape

from chassis.dates import from_date
from chassis.money import from_money
from gateway.web.texts import current_texts
from values.phones import format_phone


def to_datetime(value: Any) -> datetime | None:
    """An aware instant from a Timestamp or datetime; None for one that is not set."""
    if isinstance(value, Timestamp):
        return value.ToDatetime(UTC) if value.seconds or value.nanos else None
    return value if isinstance(value, datetime) else None


def to_day(value: Any) -> date | None:
    """A day from a google.type.Date, an instant or a date; None for one that is not set."""
    if isinstance(value, (datetime, Timestamp)):
        moment = to_datetime(value)
        return moment.astimezone(current_texts().zone).date() if moment else None
    if value is None or isinstance(value, date):
        return value
    return from_date(value, "date")


def show_day(value: Any) -> str:
    """A day as people say it; empty when there is none."""
    day = to_day(value)
    return current_texts().day(day) if day else ""


def show_date(value: Any, form: str = "medium") -> str:
    """A day with its year; empty when there is none."""
    day = to_day(value)
    return current_texts().date(day, form) if day else ""


def show_moment(value: Any) -> str:
    """Day and time; empty when there is none."""
    moment = to_datetime(value)
    return current_texts().moment(moment) if moment else ""


def show_time(value: Any) -> str:
    """Time of day; empty when there is none."""
    moment = to_datetime(value)
    return current_texts().time(moment) if moment else ""


def show_stamp(value: Any) -> Markup:
    """A `<time>` element: near in words, exact to machines and on hover."""
    moment = to_datetime(value)
    if moment is None:
        return Markup("")
    spoken = current_texts()
    exact = f"{spoken.date(moment)} {spoken.time(moment)}"
    near = escape(spoken.moment(moment))
    # Not Markup.format, which reads the pattern anew each time: a line of time has fifty of these.
    return Markup(f'<time datetime="{moment.isoformat()}" title="{escape(exact)}">{near}</time>')  # noqa: S704


def show_number(value: Any, digits: int | None = None) -> str:
    """A number; empty for None."""
    return "" if value is None else current_texts().number(value, digits)


def show_money(value: Any, currency: str = "") -> str:
    """A google.type.Money, or an amount with its currency; empty when there is none."""
    if value is None or (hasattr(value, "currency_code") and not value.currency_code):
        return ""
    amount = value if isinstance(value, (Decimal, int)) else from_money(value)[0]
    return current_texts().money(Decimal(amount), currency or value.currency_code)


def show_short_money(value: Any, currency: str = "") -> str:
    """A sum in few letters; empty when there is none."""
    if value is None or (hasattr(value, "currency_code") and not value.currency_code):
        return ""
    amount = value if isinstance(value, (Decimal, int)) else from_money(value)[0]
    return current_texts().short_money(Decimal(amount), currency or value.currency_code)


def show_json(value: Any) -> str:
    """A value as JSON for a `data-` attribute; the template escapes it."""
    return json.dumps(value, ensure_ascii=False)


def show_initials(name: str) -> str:
    """Two letters for a person's round sign; the first alone where a script has no words."""
    words = name.split()
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper() if words else "?"


FILTERS = {
    "as_day": to_day,
    "phone": format_phone,
    "day": show_day,
    "date": show_date,
    "moment": show_moment,
    "time": show_time,
    "stamp": show_stamp,
    "number": show_number,
    "money": show_money,
    "short_money": show_short_money,
    "json": show_json,
    "initials": show_initials,
}
