"""The clock of the browser's tests: a zone in which it is day now, so that no midnight falls between two steps."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

# A zone of Russia for every hour: one of them has between 5 and 19 o'clock whenever it is.
_ZONES = ("Europe/Moscow", "Europe/Kaliningrad", "Asia/Yekaterinburg", "Asia/Irkutsk", "Asia/Kamchatka")


def _choose_zone(now: datetime) -> str:
    def from_noon(name: str) -> float:
        there = now.astimezone(ZoneInfo(name))
        return abs(there.hour + there.minute / 60 - 12)

    return min(_ZONES, key=from_noon)


ZONE_NAME = _choose_zone(datetime.now(UTC))
ZONE = ZoneInfo(ZONE_NAME)


def today() -> date:
    """The day the people of the tests have."""
    return datetime.now(ZONE).date()


def at_hour(hour: int, minute: int = 0) -> datetime:
    """A moment of today on their clock."""
    return datetime.now(ZONE).replace(hour=hour, minute=minute, second=0, microsecond=0)
