"""The last day of somebody is a day where they work, not in Greenwich."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from crm.directory.v1 import directory_pb2 as pb
from directory.employment import is_gone
from directory.tables import position as position_row
from directory.tables import user

LAST = date(2026, 3, 5)
# By the clock of Greenwich: the last minute of 5 March in a zone, and the first of the 6th.
ENDS = {
    "Asia/Vladivostok": ("2026-03-05T13:59", "2026-03-05T14:00"),
    "Europe/Berlin": ("2026-03-05T22:59", "2026-03-05T23:00"),
    "America/Los_Angeles": ("2026-03-06T07:59", "2026-03-06T08:00"),
}


def gone(directory: Any, user_id: str, minute: str) -> bool:
    """Whether a user has left by a minute in Greenwich."""
    with directory.database.reading() as work:
        asked = sa.select(is_gone(datetime.fromisoformat(minute).replace(tzinfo=UTC))).where(user.c.id == user_id)
        found: bool = work.execute(asked).scalar_one()
    return found


def a_leaver(directory: Any, *zones: str, starts: date | None = None) -> str:
    """Somebody with a position in a unit of each zone whose last day is 5 March; the id."""
    units = [directory.a_unit(f"u{at}", time_zone=zone) for at, zone in enumerate(zones)]
    made = directory.a_user("Leo Leaver", login="leo")
    for one in units:
        position = pb.Position(user_id=made.id, unit_id=one.id, title="Seller", role_code="seller")
        directory.call("AddPosition", pb.AddPositionRequest(position=position))
    with directory.database.transaction() as work:
        work.execute(sa.update(user).where(user.c.id == made.id).values(leave_date=LAST))
        work.execute(sa.update(position_row).where(position_row.c.user_id == made.id).values(start_date=starts))
    return str(made.id)


@pytest.mark.parametrize("zone", ENDS)
def test_the_last_day_ends_where_the_unit_is(directory: Any, zone: str) -> None:
    leaver = a_leaver(directory, zone)
    assert [gone(directory, leaver, minute) for minute in ENDS[zone]] == [False, True]


def test_who_works_in_two_zones_is_there_until_both_days_have_ended(directory: Any) -> None:
    leaver = a_leaver(directory, "Asia/Vladivostok", "America/Los_Angeles")
    assert [gone(directory, leaver, minute) for minute in ENDS["America/Los_Angeles"]] == [False, True]


def test_a_position_that_would_begin_later_says_nothing_of_the_last_day(directory: Any) -> None:
    leaver = a_leaver(directory, "America/Los_Angeles", starts=date(2026, 3, 6))
    assert [gone(directory, leaver, one) for one in ("2026-03-05T23:59", "2026-03-06T00:00")] == [False, True]


def test_without_a_position_the_day_is_that_of_greenwich_and_closed_access_is_closed(directory: Any) -> None:
    leaver = a_leaver(directory)
    assert [gone(directory, leaver, one) for one in ("2026-03-05T23:59", "2026-03-06T00:00")] == [False, True]
    stays = directory.a_user("Stella Stays").id
    assert not gone(directory, stays, "2036-01-01T00:00")
    with directory.database.transaction() as work:
        work.execute(sa.update(user).where(user.c.id == stays).values(active=False))
    assert gone(directory, stays, "2016-01-01T00:00")


def test_who_left_yesterday_signs_in_no_more(directory: Any, refused: Any) -> None:
    leaver = directory.a_user("Leo Leaver", login="leo")
    position = pb.Position(user_id=leaver.id, unit_id=directory.a_unit("u0").id, title="Seller", role_code="seller")
    directory.call("AddPosition", pb.AddPositionRequest(position=position))
    directory.sign_in("leo")
    with directory.database.transaction() as work:
        work.execute(sa.update(user).where(user.c.id == leaver.id).values(leave_date=LAST))
    refused("SIGN_IN_REFUSED", lambda: directory.sign_in("leo"))
