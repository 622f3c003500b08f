"""A head's day: what each of the people of a unit did, short enough for a phone, and who has entered nothing.

Counts come summed by the services; a unit leads to the units below it, a person to the day's every entry, an entry to
its card. People on leave are not called silent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from starlette.responses import Response

from chassis.access import READ
from chassis.dates import from_date, to_date
from chassis.ids import is_id
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from crm.directory.v1 import directory_pb2 as directory
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from gateway.web import customer_words as words
from gateway.web.mounting import Page
from gateway.web.names import list_units
from gateway.web.search import customer_names
from gateway.web.visits import Away, Visit

NEWEST = 5  # summaries of each person; C6 reads five
SHOWN = 60  # people with entries; a larger unit is looked at by the units below it
MOST_USERS = 1_000
LETTERS = 140  # of a summary, so that sixty people's stay below 50 KB
DAY_LINES = 100
FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True)
class Doing:
    """What one person did on the day."""

    user_id: str
    name: str
    counts: dict[str, int] = field(default_factory=dict)
    newest: list[Any] = field(default_factory=list)
    deals: Any = None  # deals' MoverSummary

    @property
    def entries(self) -> int:
        """How much there is in all."""
        moved = self.deals.opened_count + self.deals.moved_count if self.deals else 0
        return sum(self.counts.values()) + moved


@dataclass(frozen=True)
class Digest:
    """A unit's day."""

    day: date
    unit: Any
    below: list[Any]
    above: Any
    doing: list[Doing]
    silent: list[Any]
    on_leave: list[Any]
    names: dict[str, str]
    away: list[str]
    more: int = 0

    @property
    def before(self) -> date:
        """The day before."""
        return self.day - timedelta(days=1)

    @property
    def after(self) -> date:
        """The day after."""
        return self.day + timedelta(days=1)

    @property
    def topics(self) -> str:
        """What the digest listens to: its people, and the unit with those right below it."""
        people = (*(one.user_id for one in self.doing), *(one.id for one in self.silent))
        unit = [f"unit:{self.unit.id}"] if self.unit else []
        return " ".join([*unit, *(f"user:{one}" for one in people)])


def show_people(visit: Visit) -> Response:
    """The digest as a part, or as a page of its own."""
    template = "today/people.html" if visit.is_part else "today/people_page.html"
    return visit.render(template, digest=read_digest(visit), words=words, help="today")


def show_person(visit: Visit) -> Response:
    """Everything one person entered on the day, each line a link to its card."""
    day, user_id = read_day(visit), visit.path["id"]
    start, end = span_of(visit, day)
    calls: dict[str, Any] = {
        "lines": ("contacts", "ListInteractions", contacts.ListInteractionsRequest(
            author_id=user_id, occur_from_time=start, occur_before_time=end, page_size=DAY_LINES)),
        "moves": ("deals", "ListDealMoves", deals.ListDealMovesRequest(
            user_id=user_id, change_from_time=start, change_before_time=end, page_size=DAY_LINES)),
        "user": ("directory", "GetUser", directory.GetUserRequest(user_id=user_id)),
    }  # fmt: skip
    found = visit.gather(**calls)
    lines = list(found["lines"].interactions) if found["lines"] else []
    moves = list(found["moves"].moves) if found["moves"] else []
    names = customer_names(visit, ((one.person_id, one.organization_id) for one in (*lines, *moves)))
    away = [one.service for one in found.values() if isinstance(one, Away)]
    return visit.render(
        "today/person.html", day=day, user=found["user"] and found["user"].user, lines=lines, moves=moves, names=names,
        away=away, words=words, help="today", before=day - timedelta(days=1), after=day + timedelta(days=1),
    )  # fmt: skip


def read_digest(visit: Visit) -> Digest:
    """The day and the unit that the address names, by default today and the person's own unit."""
    day, units = read_day(visit), list_units(visit)
    unit = units.get(visit.query.get("unit", "")) or visit.home
    unit_id = unit.id if unit else ""
    found = visit.gather(**_questions(visit, day, unit_id))
    people = [one for one in found["users"].users if _works_on(one, day)] if found["users"] else []
    users = {one.id: one for one in people}
    doing = _read_doing(users, found)
    busy = {one.user_id for one in doing}
    absent = {one.user_id: one for one in found["absences"].absences} if found["absences"] else {}
    idle = [one for one in people if one.id not in busy and one.id != visit.user_id]
    away = [one.service for one in found.values() if isinstance(one, Away)]
    lines = [line for one in doing[:SHOWN] for line in one.newest]
    return Digest(
        day=day,
        unit=unit,
        below=[one for one in units.values() if unit and one.parent_id == unit.id],
        above=_above(visit, units.get(unit.parent_id)) if unit else None,
        doing=doing[:SHOWN],
        # Whoever could not be asked about is not called silent.
        silent=[] if "contacts" in away else [one for one in idle if one.id not in absent],
        on_leave=[(one, absent[one.id]) for one in idle if one.id in absent],
        names=customer_names(visit, ((one.person_id, one.organization_id) for one in lines)),
        away=away,
        more=max(len(doing) - SHOWN, 0),
    )


def read_day(visit: Visit) -> date:
    """The day that the address names, else today; never one to come, nor before there were days to look at."""
    try:
        return max(min(date.fromisoformat(visit.query.get("day", "")), visit.today), FIRST_DAY)
    except ValueError:
        return visit.today


def span_of(visit: Visit, day: date) -> tuple[Timestamp, Timestamp]:
    """Begin and end of a day in the person's zone."""
    ends = []
    for one in (day, day + timedelta(days=1)):
        stamp = Timestamp()
        stamp.FromDatetime(datetime.combine(one, time(), visit.texts.zone).astimezone(UTC))
        ends.append(stamp)
    return ends[0], ends[1]


def _questions(visit: Visit, day: date, unit_id: str) -> dict[str, Any]:
    start, end = span_of(visit, day)
    return {
        "users": ("directory", "ListUsers", directory.ListUsersRequest(unit_id=unit_id, page_size=MOST_USERS)),
        "said": ("contacts", "SummarizeInteractions", contacts.SummarizeInteractionsRequest(
            unit_id=unit_id, occur_from_time=start, occur_before_time=end, newest_count=NEWEST)),
        "moved": ("deals", "SummarizeDealMoves", deals.SummarizeDealMovesRequest(
            unit_id=unit_id, change_from_time=start, change_before_time=end)),
        "absences": ("scheduling", "ListAbsences", scheduling.ListAbsencesRequest(
            start_date=to_date(day), end_date=to_date(day + timedelta(days=1)), unit_id=unit_id, page_size=1000)),
    }  # fmt: skip


def _read_doing(users: dict[str, Any], found: dict[str, Any]) -> list[Doing]:
    """Who did something, the busiest first."""
    said = {one.author_id: one for one in found["said"].authors} if found["said"] else {}
    moved = {one.user_id: one for one in found["moved"].movers} if found["moved"] else {}
    doing = []
    for user_id in _known(dict.fromkeys((*said, *moved))):
        author = said.get(user_id)
        name = users[user_id].display_name if user_id in users else (author.author_name if author else "")
        counts = {words.kind_name(one.kind): one.count for one in author.counts} if author else {}
        doing.append(Doing(user_id, name, counts, list(author.newest) if author else [], moved.get(user_id)))
    return sorted((one for one in doing if one.name), key=lambda one: (-one.entries, one.name))


def _above(visit: Visit, unit: Any) -> Any:
    """The unit above, for those who may read it whole."""
    return unit if unit and visit.session.access.allows_in(READ, unit.path) else None


def _known(ids: Iterable[str]) -> list[str]:
    return [one for one in ids if is_id(one)]


def _works_on(user: Any, day: date) -> bool:
    """Whether a user holds a position on the day."""
    left = from_date(user.leave_date, "leave_date")
    if not user.active or (left and left < day):
        return False
    for position in user.positions:
        start, end = from_date(position.start_date, "start_date"), from_date(position.end_date, "end_date")
        if (start is None or start <= day) and (end is None or day < end):
            return True
    return False


PAGES = (
    Page("GET", "/today/people", show_people),
    Page("GET", "/today/people/{id}", show_person),
)
