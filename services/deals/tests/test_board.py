"""A board shows every stage with its count and sums, and the same deals as lists and sums of the same question."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import Access
from chassis.errors import RemoteError
from chassis.money import from_money
from chassis.testing.plans import plan_of, rows_read
from crm.deals.v1 import deals_pb2 as pb
from deals import board
from services.deals.tests.desk import ADMIN, Desk, a_day, id_of, seller_of, some_money, steward_of
from services.deals.tests.test_lists import fill
from units.visibility import sight_of


def columns_of(desk: Desk, **fields: Any) -> dict[str, pb.BoardColumn]:
    answer = desk.call("GetBoard", pb.GetBoardRequest(**fields))
    return {one.stage.name: one for one in answer.columns}


def amounts_of(answer: Any) -> list[str]:
    return [f"{amount.normalize():f} {currency}" for amount, currency in map(from_money, answer.amounts)]


def listed(desk: Desk, size: int = 3, **fields: Any) -> list[str]:
    found: list[str] = []
    request = pb.ListDealsRequest(page_size=size, **fields)
    while True:
        answer = desk.call("ListDeals", request)
        found.extend(one.id for one in answer.deals)
        request.page_token = answer.next_page_token
        if not request.page_token:
            return found


def test_a_board_has_a_column_for_each_stage_in_its_order(desk: Desk) -> None:
    answer = desk.call("GetBoard", pb.GetBoardRequest())
    assert [one.stage.name for one in answer.columns] == [stage.name for stage in answer.pipeline.stages]
    assert [one.count for one in answer.columns] == [0] * len(answer.columns)
    assert answer.pipeline.is_default


def test_a_column_counts_and_sums_each_currency_by_itself(desk: Desk) -> None:
    for amount in ("10.50 EUR", "1000 RUB", "0.25 EUR"):
        desk.open(stage_name="Proposal", amount=amount)
    desk.open(stage_name="Proposal")
    column = columns_of(desk)["Proposal"]
    assert (column.count, amounts_of(column)) == (4, ["10.75 EUR", "1000 RUB"])
    assert columns_of(desk)["Lead"].count == 0


def test_a_board_of_some_stages_has_their_columns_as_the_whole_board_has_them(desk: Desk) -> None:
    for name in ("Lead", "Lead", "Proposal", "Won"):
        desk.open(stage_name=name, amount="5 EUR")
    whole = columns_of(desk)
    wanted = [whole[name].stage.id for name in ("Won", "Lead")]
    answer = desk.call("GetBoard", pb.GetBoardRequest(stage_ids=[*wanted, id_of("no stage")]))
    assert list(answer.columns) == [whole["Lead"], whole["Won"]]
    assert len(answer.pipeline.stages) == len(whole)
    too_many = pb.GetBoardRequest(stage_ids=[id_of(str(number)) for number in range(51)])
    assert desk.refusal("GetBoard", too_many).violations[0].field == "stage_ids"


def test_the_deal_that_entered_a_stage_last_stands_first_and_the_list_goes_on_after_the_column(desk: Desk) -> None:
    made = [desk.open(stage_name="Lead").id for _ in range(7)]
    again = desk.move(desk.get(made[0]), "Qualified")
    desk.move(again, "Lead")
    expected = [made[0], *reversed(made[1:])]
    column = columns_of(desk, column_size=3)["Lead"]
    assert [one.id for one in column.deals] == expected[:3]
    rest = pb.ListDealsRequest(
        page_token=column.next_page_token,
        pipeline_id=column.deals[0].pipeline_id,
        stage_id=column.stage.id,
        order=pb.DEAL_ORDER_STAGE_TIME,
        descending=True,
    )
    answer = desk.call("ListDeals", rest)
    assert [one.id for one in answer.deals] == expected[3:]
    assert answer.next_page_token == ""


def test_a_deal_says_since_when_it_is_in_its_stage(desk: Desk) -> None:
    opened = desk.open(stage_name="Lead")
    assert opened.stage_time == opened.stage_history[-1].change_time
    moved = desk.move(opened, "Qualified")
    assert desk.get(moved.id).stage_time == moved.stage_history[-1].change_time


def test_a_filter_of_a_board_is_the_filter_of_lists_and_sums(desk: Desk) -> None:
    for number in range(12):
        desk.open(
            unit_id=id_of("arbat" if number % 3 else "tula"),
            owner_id=id_of("Anna" if number % 2 else "Boris"),
            organization_id=id_of("Acme" if number % 4 else "Initech"),
            stage_name="Lead",
            amount=f"{number}.10 EUR",
        )
    filters: tuple[dict[str, Any], ...] = (
        {},
        {"unit_id": id_of("moscow")},
        {"owner_id": id_of("Anna")},
        {"organization_id": id_of("Acme"), "unit_id": id_of("tula")},
        {"owner_id": id_of("nobody")},
    )
    for fields in filters:
        column = columns_of(desk, **fields)["Lead"]
        deals = listed(desk, **fields)
        sums = desk.call("SumDeals", pb.SumDealsRequest(**fields))
        assert {one.id for one in column.deals} == set(deals)
        assert column.count == sums.count == len(deals)
        assert amounts_of(column) == amounts_of(sums)


def test_what_was_closed_before_a_day_is_left_out_and_what_is_open_stays(desk: Desk) -> None:
    open_one = desk.open(stage_name="Lead").id
    old = desk.open(stage_name="Won", open_date="2020-01-01", close_date="2020-02-01", amount="5 EUR").id
    new = desk.open(stage_name="Won", open_date="2020-01-01", close_date="2024-02-01", amount="7 EUR").id
    day = a_day("2024-02-01")
    columns = columns_of(desk, closed_from_date=day)
    assert ([one.id for one in columns["Won"].deals], columns["Won"].count) == ([new], 1)
    assert amounts_of(columns["Won"]) == ["7 EUR"]
    assert columns["Lead"].count == 1
    assert set(listed(desk, closed_from_date=day)) == {open_one, new}
    assert desk.call("SumDeals", pb.SumDealsRequest(closed_from_date=day)).count == 2
    assert set(listed(desk)) == {open_one, old, new}


def test_a_board_shows_nobody_more_than_a_list_does(desk: Desk) -> None:
    for unit in ("tula", "arbat", "moscow"):
        desk.open(unit_id=id_of(unit), owner_id=id_of("Anna"), amount="1 EUR")
        desk.open(unit_id=id_of(unit), amount="100 EUR")
    for access, count, amounts in (
        (steward_of("moscow"), 4, ["202 EUR"]),
        (seller_of("tula", "Anna"), 3, ["3 EUR"]),
        (seller_of("tula", "Boris"), 0, []),
    ):
        with desk.as_caller(access):
            column = columns_of(desk)["Lead"]
            sums = desk.call("SumDeals", pb.SumDealsRequest())
            assert (column.count, len(column.deals), amounts_of(column)) == (count, count, amounts)
            assert (sums.count, amounts_of(sums)) == (count, amounts)
            assert len(listed(desk, order=pb.DEAL_ORDER_AMOUNT)) == count


def test_hidden_amounts_are_neither_shown_nor_summed_nor_sorted_by(desk: Desk) -> None:
    made = desk.open(amount="777 EUR").id
    with desk.as_caller(replace(steward_of("moscow"), hidden=("deal.amount",))):
        assert not desk.call("GetDeal", pb.GetDealRequest(deal_id=made)).deal.HasField("amount")
        column = columns_of(desk)["Lead"]
        assert (column.count, amounts_of(column)) == (1, [])
        assert list(column.deals[0].hidden_fields) == ["amount"]
        assert amounts_of(desk.call("SumDeals", pb.SumDealsRequest())) == []
        with pytest.raises(RemoteError) as refused:
            listed(desk, order=pb.DEAL_ORDER_AMOUNT)
    assert refused.value.metadata == {"field": "deal.amount"}


SORTS: dict[pb.DealOrder.ValueType, Callable[[pb.Deal], Any]] = {
    pb.DEAL_ORDER_TITLE: lambda deal: deal.title.lower(),
    pb.DEAL_ORDER_AMOUNT: lambda deal: from_money(deal.amount)[0] if deal.HasField("amount") else Decimal("-1e15"),
    pb.DEAL_ORDER_STAGE: lambda deal: ["Lead", "Qualified", "Won"].index(deal.stage_name),
    pb.DEAL_ORDER_STAGE_TIME: lambda deal: deal.stage_time.ToNanoseconds(),
    pb.DEAL_ORDER_OPEN_DATE: lambda deal: (deal.open_date.year, deal.open_date.month, deal.open_date.day),
    pb.DEAL_ORDER_CLOSE_DATE: lambda deal: (deal.close_date.year, deal.close_date.month, deal.close_date.day),
}


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", SORTS)
def test_a_list_in_any_order_has_every_deal_once_over_all_pages(
    desk: Desk, order: pb.DealOrder.ValueType, descending: bool
) -> None:
    made = []
    for number in range(11):
        fields: dict[str, Any] = {"stage_name": ("Lead", "Qualified", "Won")[number % 3]}
        if number % 4:
            fields["amount"] = f"{number % 5} EUR"
        if number % 3 == 2:
            fields["close_date"] = f"2024-0{1 + number % 4}-01"
        made.append(
            desk.open(title=f"{'bA'[number % 2]}{number % 4}", open_date=f"2023-0{1 + number % 3}-01", **fields)
        )
    expected = sorted(made, key=lambda deal: (SORTS[order](deal), deal.id), reverse=descending)
    assert listed(desk, order=order, descending=descending) == [one.id for one in expected]


def test_a_token_of_one_order_is_none_of_another(desk: Desk) -> None:
    for _ in range(2):
        desk.open(amount="1 EUR")
    token = desk.call("ListDeals", pb.ListDealsRequest(page_size=1, order=pb.DEAL_ORDER_AMOUNT)).next_page_token
    others = ((pb.DEAL_ORDER_AMOUNT, True), (pb.DEAL_ORDER_TITLE, False), (pb.DEAL_ORDER_UNSPECIFIED, False))
    for order, descending in others:
        request = pb.ListDealsRequest(page_token=token, order=order, descending=descending)
        assert desk.refusal("ListDeals", request).reason == "PAGE_TOKEN_INVALID"


def test_a_board_of_nothing_known_is_refused(desk: Desk) -> None:
    assert desk.refusal("GetBoard", pb.GetBoardRequest(pipeline_id=id_of("none"))).reason == "PIPELINE_NOT_FOUND"
    assert desk.refusal("GetBoard", pb.GetBoardRequest(unit_id=id_of("none"))).reason == "UNIT_NOT_KNOWN"
    wrong: tuple[dict[str, Any], ...] = ({"column_size": 51}, {"column_size": -1}, {"owner_id": "x"})
    for fields in wrong:
        assert [desk.refusal("GetBoard", pb.GetBoardRequest(**fields)).violations[0].field] == list(fields)


def test_the_cards_of_a_board_are_found_without_reading_the_columns(desk: Desk) -> None:
    desk.work(lambda work: fill(work, desk.stages))
    desk.work(lambda work: work.execute(sa.text("ANALYZE deal")))
    for access in (ADMIN, steward_of("moscow"), seller_of("moscow", "seller 7")):
        plan = cards_plan(desk, access)
        assert rows_read(plan) <= 500, json.dumps(plan, indent=1)


def cards_plan(desk: Desk, access: Access) -> dict[str, Any]:
    """How the database finds the first twenty cards of every column."""
    with desk.database.transaction(access) as work:
        sight, seen = sight_of(access, "deal")
        values = {**seen, "stages": list(desk.stages.values()), "size": 20}
        return plan_of(work, board.last_entered(sight, ()), values)


def test_money_of_a_board_is_exact(desk: Desk) -> None:
    for amount in ("0.100001 EUR", "0.200002 EUR", "99999999999.999999 EUR"):
        desk.open(stage_name="Lead", amount=amount)
    assert columns_of(desk)["Lead"].amounts[0] == some_money("100000000000.300002 EUR")
