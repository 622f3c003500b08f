"""When a delivery is tried again, when it is given up, and what an answer means: decisions on plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

DELIVERED, GONE = "delivered", "gone"
REFUSED, REDIRECTED, THROTTLED = "refused", "redirected", "throttled"
TIMED_OUT, UNREACHABLE, BROKEN, FORBIDDEN = "timed_out", "unreachable", "broken", "address_forbidden"
UNREADABLE = "unreadable"  # ours: the event is kept no longer, or its contract is not known here

# The schedule of the Standard Webhooks specification, 1.0.0: ten tries within 75 hours and 35 minutes.
PAUSES = tuple(
    timedelta(seconds=one)
    for one in (5, 300, 1_800, 2 * 3_600, 5 * 3_600, 10 * 3_600, 14 * 3_600, 20 * 3_600, 24 * 3_600)
)
JITTER = 0.1  # a pause is longer by up to this share, so that those who failed together do not come back together
FALLS_BEFORE_REST = 3  # one bad event is its own trouble; after as many in a row it is the receiver's
LONGEST_WISH = timedelta(hours=24)  # of a receiver that says when to come again
THROTTLING = (429, 502, 503, 504)


@dataclass(frozen=True)
class Outcome:
    """What became of one try. `status` is 0 where there was no answer, `answer` the beginning of its body."""

    result: str
    status: int = 0
    answer: str = ""
    millis: int = 0
    wish: timedelta | None = None  # how long the receiver asked to be left alone

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has it."""
        return self.result == DELIVERED


@dataclass(frozen=True)
class Next:
    """What follows a failure: the event's next try (None: it waits for a person), and the receiver's rest."""

    try_at: datetime | None
    rest_until: datetime | None  # None: the receiver is not asked again before a person says so


def result_of(status: int) -> str:
    """What a status means: only 2xx has delivered; nothing is followed to another address."""
    if 200 <= status < 300:
        return DELIVERED
    if status == 410:
        return GONE
    if 300 <= status < 400:
        return REDIRECTED
    return THROTTLED if status in THROTTLING else REFUSED


def pause_after(tries: int, chance: float) -> timedelta | None:
    """How long to wait after so many failures; None when it was the last. `chance` is 0 to 1."""
    if tries > len(PAUSES):
        return None
    return PAUSES[max(tries, 1) - 1] * (1 + JITTER * chance)


def after_failure(outcome: Outcome, tries: int, failures: int, now: datetime, chance: float) -> Next:
    """What follows: `tries` of this event, and `failures` of the receiver in a row, both with this one."""
    pause = pause_after(tries, chance)
    rest: timedelta | None = timedelta(0)
    if failures >= FALLS_BEFORE_REST:
        rest = pause_after(failures - FALLS_BEFORE_REST + 1, chance)
    wish = min(outcome.wish or timedelta(0), LONGEST_WISH)
    return Next(
        try_at=None if pause is None else now + max(pause, wish),
        rest_until=None if rest is None else now + max(rest, wish),
    )


def read_wish(retry_after: str, now: datetime) -> timedelta | None:
    """What `Retry-After` asks for: seconds or a date (RFC 9110 section 10.2.3); None where it says nothing readable."""
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 8:
        return timedelta(seconds=int(retry_after))
    try:
        return max(parsedate_to_datetime(retry_after) - now, timedelta(0))
    except (ValueError, TypeError):
        return None
