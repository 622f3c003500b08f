"""The line of time: notes and ended deals in one order, by pages, none twice and none lost; ages by the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from chassis.dates import to_date
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from gateway.web.customer_words import is_leading
from gateway.web.stories import Span, age_on, is_birthday, tell_story

MOSCOW = ZoneInfo("Europe/Moscow")


def said(summary: str, day: date) -> contacts.Interaction:
    one = contacts.Interaction(summary=summary)
    one.occur_time.FromDatetime(datetime(day.year, day.month, day.day, 15, tzinfo=UTC))
    return one


def ended(title: str, day: date | None, status: deals.StageKind.ValueType = deals.STAGE_KIND_WON) -> deals.Deal:
    return deals.Deal(title=title, status=status, close_date=to_date(day))


def told(span: Span, *entries: contacts.Interaction | deals.Deal) -> list[str]:
    notes = [one for one in entries if isinstance(one, contacts.Interaction)]
    sold = [one for one in entries if isinstance(one, deals.Deal)]
    return [entry.said.summary if entry.said else entry.deal.title for entry in tell_story(notes, sold, span, MOSCOW)]


def test_notes_and_ended_deals_stand_in_one_order_newest_first() -> None:
    lost = ended("lost", date(2023, 5, 18), deals.STAGE_KIND_LOST)
    still_open = ended("open", None, deals.STAGE_KIND_OPEN)
    notes = (said("first", date(2023, 1, 1)), said("last", date(2024, 5, 15)))
    assert told(Span(), lost, still_open, *notes) == ["last", "lost", "first"]


def test_a_deal_stands_on_one_page_of_the_line_and_on_no_other() -> None:
    cut = datetime(2023, 5, 18, 9, tzinfo=UTC)  # noon in Moscow, where the deal ended that day
    deal = ended("deal", date(2023, 5, 18))
    assert told(Span(since=cut), deal) == ["deal"]
    assert told(Span(until=cut), deal) == []


@pytest.mark.parametrize(
    ("birth", "today", "age"),
    [
        (date(1976, 3, 14), date(2024, 5, 20), 48),
        (date(1976, 3, 14), date(2024, 3, 13), 47),
        (date(2000, 2, 29), date(2023, 2, 28), 22),
        (date(2000, 2, 29), date(2023, 3, 1), 23),
        (date(1800, 1, 1), date(2024, 1, 1), None),
        (None, date(2024, 1, 1), None),
    ],
)
def test_an_age_is_in_full_years(birth: date | None, today: date, age: int | None) -> None:
    assert age_on(birth, today) == age


def test_a_birthday_is_known_by_day_and_month() -> None:
    assert is_birthday(date(1976, 3, 14), date(2021, 3, 14))
    assert not is_birthday(date(1976, 3, 14), date(2021, 3, 15))
    assert not is_birthday(None, date(2021, 3, 14))


@pytest.mark.parametrize(
    ("role", "leads"),
    [
        ("director", True), ("Генеральный директор", True), ("CEO", True), ("заместитель", False), ("مدير عام", True),
        ("代表取締役社長", True), ("architect", False), ("", False), ("accountant", False),
    ],
)  # fmt: skip
def test_who_heads_an_organization_is_told_by_the_role(role: str, leads: bool) -> None:
    assert is_leading(role) == leads
