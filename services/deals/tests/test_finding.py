"""Deals are found by what people type, and their steps by day: what the workplace's search and digest ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.dates import to_time
from chassis.ids import new_id
from crm.deals.v1 import deals_pb2 as pb
from services.deals.tests.desk import Desk, id_of, seller_of, steward_of

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def titles(desk: Desk, query: str = "", **fields: Any) -> list[str]:
    found = desk.call("SearchDeals", pb.SearchDealsRequest(query=query, **fields)).deals
    return [one.title for one in found]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("fa", True), ("facade", True), ("FACADE epo", True), ("epoch", True), ("bureau", True), ("poch", False),
        ("facade tula", False), ("%", False), ("100%", True), ("a_", False), ("\\\\", False),
        (".*", False), ("(bur", True), ("fa|x", False), ("[e", False), ("fac.de", False),
    ],
)  # fmt: skip
def test_a_deal_is_found_by_beginnings_of_words_of_its_title(desk: Desk, query: str, found: bool) -> None:
    desk.open(title='Facade for "Epoch" (bureau) 100%')
    if len(query) < 2:
        assert desk.refusal("SearchDeals", pb.SearchDealsRequest(query=query)).reason == "FIELD_INVALID"
        return
    assert bool(titles(desk, query)) is found


@pytest.mark.parametrize("title", ["हिन्दी छत", "№ 7 ὅ", "👩‍👩‍👧 roof", "a\\b [c] {d} ^$.*+?|", "٣٤ سقف", "é é"])
def test_a_title_of_any_signs_is_found_by_its_words(desk: Desk, title: str) -> None:
    desk.open(title=title)
    assert titles(desk, title) == [title]


def test_a_deal_is_found_by_its_number_and_by_its_customer(desk: Desk) -> None:
    company, person = new_id(), new_id()
    desk.open(title="Numbered", external_id="D-2024-17")
    desk.open(title="Of a company", organization_id=company)
    desk.open(title="Of a person", person_id=person)
    assert titles(desk, "d-2024") == ["Numbered"]
    assert titles(desk, organization_ids=[company], person_ids=[person]) == ["Of a person", "Of a company"]
    assert titles(desk, "numbered", organization_ids=[company]) == ["Of a company", "Numbered"]
    assert desk.refusal("SearchDeals", pb.SearchDealsRequest()).reason == "FIELD_INVALID"


def test_open_deals_come_first_and_only_visible_ones(desk: Desk) -> None:
    open_one = desk.open(title="Roof one")
    won = desk.move(desk.open(title="Roof two", amount="5 RUB"), "Won")
    desk.open(title="Roof three", unit_id=id_of("tula"))
    with desk.as_caller(steward_of("moscow")):
        assert titles(desk, "roof") == [open_one.title, won.title]
        assert titles(desk, "roof", page_size=1) == [open_one.title]
    with desk.as_caller(seller_of("moscow", "Nobody")):
        assert titles(desk, "roof") == []


def span(**fields: Any) -> dict[str, Any]:
    return {"change_from_time": to_time(NOW - DAY), "change_before_time": to_time(NOW + DAY), **fields}


def test_steps_of_a_day_are_listed_and_counted_by_who_made_them(desk: Desk) -> None:
    with desk.as_caller(steward_of("moscow")):
        deal = desk.open(title="Stairs", amount="5 RUB")
        desk.move(deal, "Won")
        steps: list[pb.DealMove] = []
        token = ""
        while True:
            answer = desk.call("ListDealMoves", pb.ListDealMovesRequest(page_size=1, page_token=token, **span()))
            steps += answer.moves
            token = answer.next_page_token
            if not token:
                break
        assert [(one.title, bool(one.from_stage_name)) for one in steps] == [("Stairs", True), ("Stairs", False)]
        assert steps[0].stage_kind == pb.STAGE_KIND_WON
        (mover,) = desk.call("SummarizeDealMoves", pb.SummarizeDealMovesRequest(**span())).movers
        assert (mover.opened_count, mover.moved_count, mover.won_count, mover.lost_count) == (1, 1, 1, 0)
        assert mover.user_id == steward_of("moscow").user_id
    with desk.as_caller(steward_of("tula")):
        assert not desk.call("SummarizeDealMoves", pb.SummarizeDealMovesRequest(**span())).movers
        assert not desk.call("ListDealMoves", pb.ListDealMovesRequest(**span())).moves


def test_a_span_that_is_none_is_refused(desk: Desk) -> None:
    for start, end in ((NOW, NOW), (NOW, NOW - DAY), (NOW - 500 * DAY, NOW)):
        asked = pb.SummarizeDealMovesRequest(change_from_time=to_time(start), change_before_time=to_time(end))
        assert desk.refusal("SummarizeDealMoves", asked).reason == "FIELD_INVALID"
