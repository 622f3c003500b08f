"""Saved reports come by the bell once a period, to those who have them, with the period of their day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from chassis.database import Database
from gateway.tables import saved_view
from gateway.web.report_sending import last_turn
from gateway.web.visits import Visit
from services.gateway.tests.web.test_saved_reports import cards, save

CAME = re.compile(r'href="(/reports/[^"]*came=[^"]*)">A report has come: <bdi>([^<]*)')
Now = Callable[[int], None]
ASKED = "/reports/won?period=last-week&group_by=person"


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    """Sets the day of March 2031 on which everybody reads; the 3rd, 10th and 17th are Mondays."""

    def on(day: int) -> None:
        monkeypatch.setattr(Visit, "now", property(lambda self: datetime(2031, 3, day, 12, tzinfo=self.texts.zone)))

    return on


def came(visitor: Any) -> dict[str, str]:
    """What has come by the bell: addresses by name."""
    return {name: path.replace("&amp;", "&") for path, name in CAME.findall(visitor.part("/notifications").text)}


def begin(platform: Any, path: str, since: str) -> None:
    """Let a report have been set to come on a day."""
    view_id = parse_qs(urlsplit(path).query)["saved"][0]
    moment = datetime.fromisoformat(f"{since}T12:00:00+00:00")
    change = sa.update(saved_view).where(saved_view.c.id == view_id).values(send_since=moment)
    database = Database(platform.settings.database_url, "gateway")
    with database.transaction() as work:
        assert work.execute(change).rowcount == 1
    database.close()


@pytest.mark.parametrize(
    ("every", "today", "turn"),
    [
        ("week", date(2031, 3, 3), date(2031, 3, 3)),
        ("week", date(2031, 3, 9), date(2031, 3, 3)),
        ("month", date(2031, 3, 31), date(2031, 3, 1)),
        ("month", date(2031, 3, 1), date(2031, 3, 1)),
        ("", date(2031, 3, 1), None),
    ],
)
def test_a_turn_is_the_last_monday_or_first_of_the_month(every: str, today: date, turn: date | None) -> None:
    assert last_turn(every, today) == turn


def test_every_day_has_one_turn_a_week_and_they_follow_each_other() -> None:
    days = [date(2031, 1, 1) + timedelta(days=number) for number in range(400)]
    turns = sorted({last_turn("week", day) or day for day in days})
    assert {(after - before).days for before, after in zip(turns, turns[1:], strict=False)} == {7}


def test_a_report_comes_each_week_once_to_those_who_have_it_and_asks_for_the_week_before(
    platform: Any, a_visitor: Any, a_branch: Any, now: Now
) -> None:
    unit = a_branch()
    head, seller, stranger = a_visitor(unit, "head"), a_visitor(unit), a_visitor(a_branch())
    path = save(head, ASKED, "Week", sharing=unit["id"], send_every="week")
    begin(platform, path, "2031-03-05")
    now(9)
    assert came(seller) == {}  # the first Monday after it was set is the 10th
    now(12)
    assert [list(came(one)) for one in (head, seller, stranger)] == [["Week"], ["Week"], []]
    assert "1 unread notification" in seller.part("/notifications/bell").text
    asked = parse_qs(urlsplit(came(seller)["Week"]).query)
    assert (asked["from"], asked["to"], asked["group_by"]) == (["2031-03-03"], ["2031-03-09"], ["person"])
    assert seller.get(came(seller)["Week"]).status_code == 200
    assert (came(seller), list(came(head))) == ({}, ["Week"])
    now(17)
    assert list(came(seller)) == ["Week"]
    assert "every Monday" in seller.get("/reports").text


def test_nothing_comes_any_more_when_its_owner_has_left_or_takes_it_back(
    platform: Any, a_visitor: Any, a_branch: Any, admin: Any, now: Now
) -> None:
    unit = a_branch()
    head, leaver, seller = a_visitor(unit, "head"), a_visitor(unit, "head"), a_visitor(unit)
    kept, left = (
        save(one, ASKED, name, sharing=unit["id"], send_every="month")
        for one, name in ((head, "Kept"), (leaver, "Left"))
    )
    for path in (kept, left):
        begin(platform, path, "2031-03-01")
    now(2)
    assert came(seller) == {}  # set on the first itself, they come a month later
    for path in (kept, left):
        begin(platform, path, "2031-02-10")
    assert sorted(came(seller)) == ["Kept", "Left"]
    admin.patch(f"/users/{leaver.user['id']}", {"active": False}, headers={"If-Match": leaver.user["etag"]})
    other = a_visitor(unit)
    assert list(came(other)) == ["Kept"]
    saved = parse_qs(urlsplit(kept).query)["saved"][0]
    head.post("/lists/reports/views", {"change": "delete", "saved": saved})
    assert came(other) == {}
    assert cards(other) == ["Left"]


def test_only_reports_come_and_only_as_often_as_there_are_words_for(
    platform: Any, a_visitor: Any, a_branch: Any
) -> None:
    visitor = a_visitor(a_branch())
    rest = platform.rest(visitor.login)
    wrong = [
        {"list": "deals", "name": "D", "query": "view=table", "send_every": "week"},
        {"list": "reports", "name": "R", "query": "report=won", "send_every": "hour"},
    ]
    answers = [rest.ask("POST", "/views", json=body) for body in wrong]
    assert [one.status_code for one in answers] == [400, 400]
    assert rest.post("/views", {**wrong[1], "send_every": "month"})["send_every"] == "month"
