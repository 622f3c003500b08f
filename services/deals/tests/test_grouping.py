"""Deals are counted and summed by what they share, and the list of each group has as many."""

from __future__ import annotations

from typing import Any

from crm.deals.v1 import deals_pb2 as pb
from services.deals.tests.desk import Desk, id_of, seller_of, steward_of
from services.deals.tests.test_board import amounts_of, listed

FIELDS = {
    pb.DEAL_GROUPING_STAGE: "stage_id",
    pb.DEAL_GROUPING_OWNER: "owner_id",
    pb.DEAL_GROUPING_UNIT: "exact_unit_id",
}


def grouped(desk: Desk, grouping: Any, **fields: Any) -> list[tuple[str, int, list[str]]]:
    request = pb.GroupDealsRequest(grouping=grouping, question=pb.SumDealsRequest(**fields))
    return [(one.key, one.count, amounts_of(one)) for one in desk.call("GroupDeals", request).groups]


def fill(desk: Desk) -> None:
    desk.open(owner_id=id_of("anna"), amount="100 EUR", stage_name="Proposal")
    desk.open(owner_id=id_of("anna"), amount="50 RUB", unit_id=id_of("arbat"))
    desk.open(amount="7 EUR", unit_id=id_of("tula"))


def test_groups_add_up_to_the_whole_and_each_is_its_list(desk: Desk) -> None:
    fill(desk)
    whole = desk.call("SumDeals", pb.SumDealsRequest())
    for grouping, field in FIELDS.items():
        found = grouped(desk, grouping)
        assert sum(count for _, count, _ in found) == whole.count == 3
        for key, count, _ in found:
            assert len(listed(desk, **({field: key} if key else {"without_owner": True}))) == count


def test_owners_come_by_size_and_stages_in_their_order(desk: Desk) -> None:
    fill(desk)
    assert grouped(desk, pb.DEAL_GROUPING_OWNER) == [(id_of("anna"), 2, ["100 EUR", "50 RUB"]), ("", 1, ["7 EUR"])]
    stages = [key for key, _, _ in grouped(desk, pb.DEAL_GROUPING_STAGE)]
    assert stages == [desk.stages["Lead"], desk.stages["Proposal"]]


def test_only_what_the_caller_sees_is_counted(desk: Desk) -> None:
    fill(desk)
    with desk.as_caller(steward_of("moscow")):
        assert sorted(count for _, count, _ in grouped(desk, pb.DEAL_GROUPING_UNIT)) == [1, 1]
        assert grouped(desk, pb.DEAL_GROUPING_UNIT, exact_unit_id=id_of("tula")) == []
    with desk.as_caller(seller_of("tula", "anna")):
        assert [count for _, count, _ in grouped(desk, pb.DEAL_GROUPING_OWNER)] == [2]


def test_a_grouping_by_nothing_is_refused(desk: Desk) -> None:
    assert desk.refusal("GroupDeals", pb.GroupDealsRequest()).reason == "FIELD_INVALID"
