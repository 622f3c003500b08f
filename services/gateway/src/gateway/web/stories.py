"""The line of time of a customer as a page shows it: what was said and how deals ended, newest first. Pure.

A page of interactions comes from contacts; deals are few and come all at once, so those between the page's ends are put
where they belong.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from chassis.dates import from_date
from chassis.money import from_money
from crm.deals.v1 import deals_pb2

ENDS = {deals_pb2.STAGE_KIND_WON: "won", deals_pb2.STAGE_KIND_LOST: "lost"}


@dataclass(frozen=True)
class Entry:
    """One thing that happened; exactly one of `said` (an interaction) and `deal` (one that ended) is set."""

    when: datetime
    said: Any = None
    deal: Any = None


@dataclass(frozen=True)
class Span:
    """What a page of the line covers: entries before `until`, not before `since`; None is open."""

    until: datetime | None = None
    since: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether an entry of that time belongs to the page."""
        return (self.until is None or moment < self.until) and (self.since is None or moment >= self.since)


def tell_story(interactions: Iterable[Any], deals: Iterable[Any], span: Span, zone: ZoneInfo) -> list[Entry]:
    """The entries of a page, newest first; a deal that ended on a day stands at that day's noon."""
    said = [Entry(one.occur_time.ToDatetime(UTC), said=one) for one in interactions]
    ended = [Entry(when, deal=one) for one, when in _ended(deals, zone) if span.holds(when)]
    return sorted(said + ended, key=lambda entry: entry.when, reverse=True)


def _ended(deals: Iterable[Any], zone: ZoneInfo) -> Iterable[tuple[Any, datetime]]:
    for deal in deals:
        day = from_date(deal.close_date, "close_date")
        if deal.status in ENDS and day:
            yield deal, datetime.combine(day, time(12), zone)


def deals_of(deals: Iterable[Any], owner_id: str, unit_id: str, year: int | None) -> list[Any]:
    """The deals that a filter of the line lets through."""
    return [
        deal
        for deal in deals
        if (not owner_id or deal.owner_id == owner_id)
        and (not unit_id or deal.unit_id == unit_id)
        and (year is None or deal.close_date.year == year)
    ]


def age_on(birth: date | None, today: date) -> int | None:
    """Full years; None where the birthday is unknown or not plausible for a living person."""
    if birth is None:
        return None
    age = today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
    return age if 0 <= age < 120 else None


def is_birthday(birth: date | None, day: date | None) -> bool:
    """Whether a day is a birthday of somebody born on `birth`."""
    return birth is not None and day is not None and (birth.month, birth.day) == (day.month, day.day)


def split_deals(deals: Sequence[Any]) -> dict[str, list[Any]]:
    """Deals by how they stand: open, won, lost."""
    found: dict[str, list[Any]] = {"open": [], "won": [], "lost": []}
    for deal in deals:
        found[ENDS.get(deal.status, "open")].append(deal)
    return found


def sums_of(deals: Sequence[Any]) -> list[tuple[str, Any]]:
    """The value of deals in each currency."""
    sums: dict[str, Any] = {}
    for deal in deals:
        if deal.HasField("amount") and deal.amount.currency_code:
            sums[deal.amount.currency_code] = sums.get(deal.amount.currency_code, 0) + from_money(deal.amount)[0]
    return sorted(sums.items())
