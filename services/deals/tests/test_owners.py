"""Open deals of a leaver go to a colleague by one operation that can be looked at first; every change stays known."""

from __future__ import annotations

from google.protobuf.field_mask_pb2 import FieldMask

from crm.deals.v1 import deals_pb2 as pb
from services.deals.tests.desk import ADMIN, Desk, a_row, id_of, steward_of

LEAVER, HEIR = id_of("leaver"), id_of("heir")


def hand_over(desk: Desk, **more: object) -> pb.HandOverDealsResponse:
    request = pb.HandOverDealsRequest(**{"from_owner_id": LEAVER, "to_owner_id": HEIR, **more})  # type: ignore[arg-type]
    return desk.call("HandOverDeals", request)  # type: ignore[no-any-return]


def changes(desk: Desk, deal: pb.Deal) -> list[tuple[str, str, str, str]]:
    found = desk.call("GetDealOwnerHistory", pb.GetDealOwnerHistoryRequest(deal_id=deal.id)).changes
    return [(one.from_owner_id, one.to_owner_id, one.changer_id, one.note) for one in found]


def test_open_deals_go_and_closed_ones_stay_with_who_closed_them(desk: Desk) -> None:
    first, second = (desk.open(title=name, owner_id=LEAVER, amount="100 EUR") for name in ("Vega", "Altair"))
    lost = desk.move(desk.open(title="Deneb", owner_id=LEAVER), "Lost", loss_reason="Price")
    seen = hand_over(desk, to_owner_id="", dry_run=True)
    assert [(one.unit_id, one.deals) for one in seen.units] == [(id_of("moscow"), 2)]
    assert (seen.deals, seen.remaining, desk.get(first.id).owner_id) == (0, 2, LEAVER)
    done = hand_over(desk, note="left")
    assert (done.deals, done.remaining) == (2, 0)
    assert [desk.get(one.id).owner_id for one in (first, second, lost)] == [HEIR, HEIR, LEAVER]
    assert desk.get(first.id).amount == first.amount
    told = desk.told("DealUpdated", first.id)[-1]
    assert (list(told.message.changed.paths), told.message.deal.owner_id) == (["owner_id"], HEIR)
    assert str(told.version) == desk.get(first.id).etag
    assert changes(desk, first) == [(LEAVER, HEIR, ADMIN.user_id, "left")]


def test_only_deals_that_the_caller_may_assign_go(desk: Desk) -> None:
    here, there = (desk.open(title=unit, unit_id=id_of(unit), owner_id=LEAVER) for unit in ("moscow", "tula"))
    with desk.as_caller(steward_of("moscow")):
        assert hand_over(desk).deals == 1
    assert [desk.get(one.id).owner_id for one in (here, there)] == [HEIR, LEAVER]
    with desk.as_caller(steward_of("moscow")):
        request = pb.GetDealOwnerHistoryRequest(deal_id=there.id)
        assert desk.refusal("GetDealOwnerHistory", request).reason == "DEAL_NOT_FOUND"


def test_changes_by_hand_and_by_a_file_are_kept_too(desk: Desk) -> None:
    [fate] = desk.take([a_row("D-1", title="Vega", owner_id=LEAVER)])
    desk.take([a_row("D-1", run_id="run-2", title="Vega", owner_id=HEIR)])
    known = desk.get(fate.record_id)
    change = pb.UpdateDealRequest(
        deal=pb.Deal(id=known.id, owner_id=id_of("third")), update_mask=FieldMask(paths=["owner_id"]), etag=known.etag
    )
    desk.call("UpdateDeal", change)
    assert [one[:2] for one in changes(desk, known)] == [(HEIR, id_of("third")), (LEAVER, HEIR)]
