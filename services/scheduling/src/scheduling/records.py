"""Activities, notifications and absences as plain values, the way rules see them; knows no table and no message."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

TASK, CALL, MEETING = "task", "call", "meeting"
OPEN, DONE, CANCELLED = "open", "done", "cancelled"
LOW, NORMAL, HIGH = "low", "normal", "high"
DAY, WEEK, MONTH = "day", "week", "month"
OWNER, USER, CUSTOMER = "owner", "user", "customer"
CREATED, UPDATED, MOVED, REASSIGNED = "created", "updated", "moved", "reassigned"
WAITING_SET, REMINDED, COMPLETED = "waiting_set", "reminded", "completed"
REMINDER, OVERDUE, NUDGE, ASSIGNED = "reminder", "overdue", "nudge", "assigned"
CUSTOMER_NEWS = "customer_news"
NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # where an activity without a time stands in lists


@dataclass(frozen=True, slots=True)
class Due:
    """When: a moment with or without an end, or a whole day, or nothing; `zone` is IANA."""

    time: datetime | None
    day: date | None
    end: datetime | None
    zone: str

    @property
    def is_set(self) -> bool:
        """Tell whether there is a time or a day."""
        return self.time is not None or self.day is not None


@dataclass(frozen=True, slots=True)
class Repetition:
    """Every so many units (day, week, month), to a last day or a number of occurrences; 0 means without end."""

    every: int
    unit: str
    until: date | None
    count: int


@dataclass(frozen=True, slots=True)
class Series:
    """Where an occurrence stands in its repetition.

    `first` is the wall clock of occurrence 1 in the zone of the activity, midnight where it is for a whole day.
    """

    id: str
    occurrence: int
    first: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Whose move it is: `side` is owner, user or customer; `user_id` is empty for the customer."""

    side: str
    user_id: str
    note: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of an activity. Empty text and None mean: nothing is said. `reminder_minutes` -1 means none."""

    kind: str
    subject: str
    description: str
    unit_id: str
    owner_id: str
    participant_user_ids: tuple[str, ...]
    participant_person_ids: tuple[str, ...]
    due: Due
    person_id: str
    organization_id: str
    deal_id: str
    priority: str
    reminder_minutes: int
    repetition: Repetition | None


@dataclass(frozen=True, slots=True)
class Closing:
    """How an activity ended."""

    outcome: str
    summary: str
    time: datetime
    user_id: str


@dataclass(frozen=True, slots=True)
class Names:
    """Names of what an activity points to, as far as known here; for showing only."""

    owner: str = ""
    waiting: str = ""
    person: str = ""
    organization: str = ""
    deal: str = ""


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity as recorded: one occurrence where it repeats.

    `version` counts every change and orders events, `revision` only what people change: it is the etag.
    `remind_time` and `lapse_time` are when the reminder and the alert are due, None where they came or never will.
    """

    id: str
    version: int
    revision: int
    facts: Facts
    state: str
    waiting: Waiting
    closing: Closing | None
    series: Series | None
    remind_time: datetime | None
    lapse_time: datetime | None
    creator_id: str
    create_time: datetime
    update_time: datetime
    names: Names = field(default=Names(), compare=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of an activity's history: what was done, by whom, and how it stood after it."""

    change_time: datetime
    user_id: str
    change: str
    changed_fields: tuple[str, ...]
    owner_id: str
    waiting_side: str
    waiting_user_id: str
    state: str
    note: str
    due_time: datetime | None


@dataclass(frozen=True, slots=True)
class Holding:
    """A time during which one side had the move; `end` None while it lasts."""

    side: str
    user_id: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Absence:
    """A user does not work in [start_date, end_date)."""

    id: str
    version: int
    user_id: str
    unit_id: str
    start_date: date
    end_date: date
    reason: str
    user_name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """Work on a day of the week, 1 (Monday) to 7, from one minute after midnight to another one."""

    weekday: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class WorkingWeek:
    """The working week of a unit; `unit_id` is empty for the one that holds where nobody has set any."""

    id: str
    version: int
    unit_id: str
    hours: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day on which a unit and all below it do not work, or (`works`) do although a unit above does not."""

    id: str
    version: int
    unit_id: str
    day: date
    name: str
    works: bool


@dataclass(frozen=True, slots=True)
class CustomerNews:
    """The newest interaction with the customer of an open deal; the deal is empty where it is not to be seen."""

    interaction_id: str
    interaction_kind: str
    person_id: str
    organization_id: str
    deal_id: str
    person_name: str = ""
    organization_name: str = ""
    deal_title: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a user is told of an activity or, with `news`, of a customer; `count` is of how many of them."""

    id: str
    user_id: str
    kind: str
    activity_id: str
    actor_id: str
    note: str
    count: int
    create_time: datetime
    read_time: datetime | None
    actor_name: str = field(default="", compare=False)
    news: CustomerNews | None = None
