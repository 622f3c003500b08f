"""A forecast sums open deals by the month in which they should close, weighted by their stages; a list has the same."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from crm.deals.v1 import deals_pb2 as pb
from services.deals.tests.desk import Desk, a_day, id_of, steward_of
from services.deals.tests.test_board import amounts_of, listed


def expect(desk: Desk, day: str, stage: str, amount: str = "", **more: Any) -> pb.Deal:
    """An open deal that should close on a day."""
    return desk.open(expected_close_date=a_day(day) if day else None, stage_name=stage, amount=amount or None, **more)


def forecast(desk: Desk, **fields: Any) -> list[tuple[str, str, int, list[str], list[str]]]:
    answer = desk.call("SumForecast", pb.SumForecastRequest(**fields))
    return [
        (
            one.month,
            one.stage.name,
            one.count,
            amounts_of(one),
            amounts_of(pb.ForecastSum(amounts=one.weighted_amounts)),
        )
        for one in answer.sums
    ]


def weighted(one: pb.ForecastSum) -> pb.ForecastSum:
    """The same with its weighted sums in the place of the plain ones."""
    return pb.ForecastSum(amounts=one.weighted_amounts)


def stage_of(desk: Desk, name: str) -> pb.Stage:
    [pipeline] = [one for one in desk.call("ListPipelines", pb.ListPipelinesRequest()).pipelines if one.is_default]
    found: pb.Stage = next(one for one in pipeline.stages if one.name == name)
    return found


def test_months_come_in_order_and_deals_without_one_last(desk: Desk) -> None:
    expect(desk, "2031-03-31", "Negotiation", "100 EUR")
    expect(desk, "2031-03-01", "Negotiation", "50.50 EUR")
    expect(desk, "2031-02-28", "Lead", "1000 RUB")
    expect(desk, "", "Lead")
    desk.move(expect(desk, "2031-03-05", "Lead", "7 EUR"), "Won")
    share, first = stage_of(desk, "Negotiation").probability, stage_of(desk, "Lead").probability
    assert (share, first) == (80, 20)
    assert forecast(desk) == [
        ("2031-02", "Lead", 1, ["1000 RUB"], ["200 RUB"]),
        ("2031-03", "Negotiation", 2, ["150.5 EUR"], ["120.4 EUR"]),
        ("", "Lead", 1, [], []),
    ]


def test_a_list_and_its_sums_have_the_deals_of_one_month_and_those_of_none(desk: Desk) -> None:
    march = expect(desk, "2031-03-31", "Lead", "100 EUR")
    none = expect(desk, "", "Lead")
    expect(desk, "2031-04-01", "Lead")
    month: dict[str, Any] = {
        "expected_from_date": a_day("2031-03-01"), "expected_before_date": a_day("2031-04-01"),
    }  # fmt: skip
    assert listed(desk, **month) == [march.id]
    assert amounts_of(desk.call("SumDeals", pb.SumDealsRequest(**month))) == ["100 EUR"]
    assert listed(desk, without_expected_date=True) == [none.id]
    order = pb.DEAL_ORDER_EXPECTED_CLOSE_DATE
    assert listed(desk, order=order, descending=True)[-1] == none.id


def test_only_deals_that_the_caller_sees_are_counted(desk: Desk) -> None:
    expect(desk, "2031-03-01", "Lead", unit_id=id_of("moscow"))
    expect(desk, "2031-03-01", "Lead", unit_id=id_of("tula"))
    with desk.as_caller(steward_of("moscow")):
        assert [one[2] for one in forecast(desk)] == [1]
    assert [one[2] for one in forecast(desk, unit_id=id_of("tula"))] == [1]


def test_the_day_is_told_can_be_changed_and_stays_when_the_deal_is_closed(desk: Desk) -> None:
    deal = expect(desk, "2031-03-01", "Lead")
    assert desk.told("DealOpened", deal.id)[-1].message.deal.expected_close_date == "2031-03-01"
    said = pb.Deal(id=deal.id, expected_close_date=a_day("2031-05-01"))
    mask = FieldMask(paths=["expected_close_date"])
    desk.call("UpdateDeal", pb.UpdateDealRequest(deal=said, update_mask=mask, etag=deal.etag))
    won = desk.move(desk.get(deal.id), "Won")
    assert won.expected_close_date == a_day("2031-05-01")


def test_the_probability_of_an_open_stage_can_be_set_and_weighs_at_once(desk: Desk) -> None:
    expect(desk, "2031-03-01", "Lead", "100 EUR")
    lead, won = stage_of(desk, "Lead"), stage_of(desk, "Won")
    assert won.probability == 100
    answer = desk.call("SetStageProbability", pb.SetStageProbabilityRequest(stage_id=lead.id, probability=35))
    told = desk.told("PipelineDefined", answer.pipeline.id)[-1]
    assert {one.id: one.probability for one in told.message.pipeline.stages}[lead.id] == 35
    assert str(told.version) == answer.pipeline.etag
    assert forecast(desk)[0][4] == ["35 EUR"]


@pytest.mark.parametrize(("stage", "percent"), [("Lead", 101), ("Lead", -1), ("Won", 50)])
def test_a_probability_that_cannot_be_is_refused(desk: Desk, stage: str, percent: int) -> None:
    request = pb.SetStageProbabilityRequest(stage_id=stage_of(desk, stage).id, probability=percent)
    assert desk.refusal("SetStageProbability", request).reason == "FIELD_INVALID"


def test_only_who_keeps_the_catalogue_sets_probabilities(desk: Desk) -> None:
    request = pb.SetStageProbabilityRequest(stage_id=stage_of(desk, "Lead").id, probability=10)
    with desk.as_caller(steward_of("moscow")):
        assert desk.refusal("SetStageProbability", request).reason == "NOT_PERMITTED"
