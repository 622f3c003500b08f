"""A deal is opened, moved and changed, and everybody is told in full."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis import clock
from chassis.errors import Kind
from crm.deals.v1 import deals_pb2 as pb
from deals.tables import deal
from services.deals.tests.desk import ADMIN, Desk, a_day, a_deal, a_line, id_of, seller_of, some_money, steward_of

NOON = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)  # half past noon in Moscow


def change(desk: Desk, known: pb.Deal, *paths: str, etag: str | None = None, **fields: object) -> pb.Deal:
    request = pb.UpdateDealRequest(
        deal=pb.Deal(id=known.id, **fields),  # type: ignore[arg-type]
        update_mask=FieldMask(paths=paths),
        etag=known.etag if etag is None else etag,
    )
    return desk.call("UpdateDeal", request).deal  # type: ignore[no-any-return]


def test_a_deal_begins_today_in_the_first_stage_and_is_told_in_full(desk: Desk) -> None:
    with clock.at(NOON):
        opened = desk.open(title="Ten desks", amount="1200.50 EUR", owner_id=id_of("Anna"), attributes={"room": "7"})
    assert (opened.stage_name, opened.status, opened.etag) == ("Lead", pb.STAGE_KIND_OPEN, "1")
    assert opened.open_date == a_day("2026-03-10")
    assert [(step.stage_name, step.change_time.ToDatetime(UTC), step.user_id) for step in opened.stage_history] == [
        ("Lead", NOON, ADMIN.user_id)
    ]
    assert desk.get(opened.id) == opened
    (fact,) = desk.told("DealOpened")
    state = fact.message.deal
    assert (state.title, state.status, state.open_date) == ("Ten desks", "open", "2026-03-10")
    assert (state.unit_id, state.owner_id, state.creator_id) == (id_of("moscow"), id_of("Anna"), ADMIN.user_id)
    assert state.amount == some_money("1200.50 EUR")
    assert fact.routing_key.startswith("crm.deals.deal.opened.v1.p")
    assert fact.routing_key.endswith(".hq.moscow.e")


def test_a_deal_is_moved_with_who_and_when(desk: Desk) -> None:
    with clock.at(NOON):
        opened = desk.open(open_date="2026-03-01")
        with desk.as_caller(steward_of("moscow")):
            moved = desk.move(opened, "Proposal", change_date=a_day("2026-03-05"), etag=opened.etag)
            won = desk.move(moved, "Won")
    assert [(step.stage_name, step.change_time.ToDatetime(UTC).day, step.user_id) for step in won.stage_history] == [
        ("Lead", 1, ADMIN.user_id),
        ("Proposal", 5, id_of("steward of moscow")),
        ("Won", 10, id_of("steward of moscow")),
    ]
    assert [step.from_stage_id for step in won.stage_history] == ["", desk.stages["Lead"], desk.stages["Proposal"]]
    assert (won.status, won.close_date, won.etag) == (pb.STAGE_KIND_WON, a_day("2026-03-10"), "3")
    facts = desk.told("DealStageChanged", opened.id)
    assert [fact.version for fact in facts] == [2, 3]
    assert facts[-1].message.from_stage_id == desk.stages["Proposal"]
    assert facts[-1].message.deal.close_date == "2026-03-10"
    assert len(facts[-1].message.deal.stage_history) == 3


def test_a_loss_needs_a_reason_of_the_list_and_a_reopened_deal_has_none(desk: Desk) -> None:
    opened = desk.open()
    missing = desk.refusal("MoveDeal", pb.MoveDealRequest(deal_id=opened.id, stage_id=desk.stages["Lost"]))
    assert (missing.kind, missing.reason) == (Kind.PRECONDITION, "LOSS_REASON_REQUIRED")
    assert "competitor" in missing.metadata["reasons"]
    unknown = pb.MoveDealRequest(deal_id=opened.id, stage_id=desk.stages["Lost"], loss_reason="bad karma")
    assert desk.refusal("MoveDeal", unknown).violations[0].field == "deal.loss_reason"
    lost = desk.move(opened, "Lost", loss_reason="Цена", loss_comment="20 % dearer")
    assert (lost.loss_reason, lost.loss_comment, lost.status) == ("price", "20 % dearer", pb.STAGE_KIND_LOST)
    again = desk.move(lost, "Negotiation")
    assert (again.loss_reason, again.loss_comment, again.HasField("close_date")) == ("", "", False)
    assert [step.stage_name for step in again.stage_history] == ["Lead", "Lost", "Negotiation"]
    created = desk.refusal("CreateDeal", pb.CreateDealRequest(deal=a_deal(stage_name="Lost")))
    assert created.reason == "LOSS_REASON_REQUIRED"


def test_moving_to_the_present_stage_changes_nothing(desk: Desk) -> None:
    opened = desk.open()
    assert desk.move(opened, "Lead") == opened
    assert desk.told("DealStageChanged") == []


@pytest.mark.parametrize(("day", "trouble"), [("2026-02-27", "before"), ("2026-03-11", "still to come")])
def test_a_move_is_not_dated_before_the_last_step_nor_after_today(desk: Desk, day: str, trouble: str) -> None:
    with clock.at(NOON):
        opened = desk.open(open_date="2026-03-01")
        request = pb.MoveDealRequest(deal_id=opened.id, stage_id=desk.stages["Won"], change_date=a_day(day))
        refused = desk.refusal("MoveDeal", request)
    assert refused.violations[0].field == "change_date"
    assert trouble in refused.violations[0].description


def test_a_stage_is_found_by_alias_in_any_language_and_an_unknown_one_is_named(desk: Desk) -> None:
    assert desk.open(stage_name="engaging").stage_name == "Qualified"
    assert desk.open(stage_name="В РАБОТЕ").stage_name == "Qualified"
    refused = desk.refusal("CreateDeal", pb.CreateDealRequest(deal=a_deal(stage_name="Limbo")))
    assert (refused.reason, refused.metadata["stage"]) == ("STAGE_NOT_FOUND", "Limbo")
    refused = desk.refusal("CreateDeal", pb.CreateDealRequest(deal=a_deal(stage_id=id_of("no stage"))))
    assert refused.reason == "STAGE_NOT_FOUND"
    refused = desk.refusal("CreateDeal", pb.CreateDealRequest(deal=a_deal(pipeline_id=id_of("no pipeline"))))
    assert refused.reason == "PIPELINE_NOT_FOUND"


def test_the_amount_is_the_exact_sum_of_the_lines(desk: Desk) -> None:
    tea = desk.product("Tea", unit_of_measure="kg", fraction_allowed=True)
    cup = desk.product("Cup", unit_of_measure="piece")
    opened = desk.open(
        line_items=[
            a_line(tea, quantity="0.333", unit_price="19.99 EUR", discount="0.15"),
            a_line(cup, quantity="-2", unit_price="3.5 EUR"),
            a_line(product_name="Delivery", amount="10 EUR"),
        ]
    )
    assert [some_amount(line) for line in opened.line_items] == ["5.65817", "-7", "10"]
    assert [line.product_name for line in opened.line_items] == ["Tea", "Cup", "Delivery"]
    assert opened.amount == some_money("8.65817 EUR")
    assert desk.get(opened.id) == opened
    state = desk.told("DealOpened")[0].message.deal
    assert [(line.product_name, line.quantity) for line in state.line_items] == [
        ("Tea", "0.333"), ("Cup", "-2"), ("Delivery", "1"),
    ]  # fmt: skip


def some_amount(line: pb.LineItem) -> str:
    return f"{line.amount.units + line.amount.nanos / 1e9:g}"


def test_the_amount_of_a_deal_with_one_unpriced_line_is_the_lines(desk: Desk) -> None:
    desks = desk.product("Desk")
    opened = desk.open(amount="500 EUR", line_items=[a_line(desks)])
    assert opened.line_items[0].amount == some_money("500 EUR")
    changed = change(desk, opened, "amount", amount=some_money("600 EUR"))
    assert (changed.amount, changed.line_items[0].amount) == (some_money("600 EUR"), some_money("600 EUR"))


def test_a_fraction_of_a_whole_unit_product_names_its_line(desk: Desk) -> None:
    sets = desk.product("Dinner set", unit_of_measure="set")
    lines = [a_line(sets, quantity="2"), a_line(sets, quantity="256.76")]
    refused = desk.refusal("CreateDeal", pb.CreateDealRequest(deal=a_deal(line_items=lines)))
    assert refused.reason == "FRACTION_NOT_ALLOWED"
    assert refused.violations[0].field == "deal.line_items[1].quantity"
    assert "fraction 256.76 not allowed for unit set" in refused.violations[0].description


def test_fields_are_changed_by_mask_and_the_change_says_which(desk: Desk) -> None:
    opened = desk.open(title="Old", business_line="retail", amount="1 EUR")
    changed = change(desk, opened, "title", "amount", title="New", amount=some_money("2 USD"), business_line="ignored")
    assert (changed.title, changed.business_line, changed.amount) == ("New", "retail", some_money("2 USD"))
    (fact,) = desk.told("DealUpdated")
    assert sorted(fact.message.changed.paths) == ["amount", "title"]
    assert (fact.version, fact.message.deal.title) == (2, "New")
    assert change(desk, changed, "title", title="New") == changed
    assert len(desk.told("DealUpdated")) == 1


def test_a_stale_etag_answers_the_current_values(desk: Desk) -> None:
    opened = desk.open(title="First")
    change(desk, opened, "title", title="Second")
    request = pb.UpdateDealRequest(
        deal=pb.Deal(id=opened.id, title="Third"), update_mask=FieldMask(paths=["title"]), etag=opened.etag
    )
    stale = desk.refusal("UpdateDeal", request)
    assert (stale.kind, stale.reason) == (Kind.CONFLICT, "STALE_ETAG")
    assert "Second" in stale.metadata["current"]
    moving = pb.MoveDealRequest(deal_id=opened.id, stage_id=desk.stages["Won"], etag="1")
    assert desk.refusal("MoveDeal", moving).reason == "STALE_ETAG"
    request.etag = ""
    assert desk.refusal("UpdateDeal", request).violations[0].field == "etag"


@pytest.mark.parametrize("path", ["stage_id", "id", "stage_history", "nonsense"])
def test_what_is_not_a_plain_field_is_not_changed_by_mask(desk: Desk, path: str) -> None:
    opened = desk.open()
    request = pb.UpdateDealRequest(deal=opened, update_mask=FieldMask(paths=[path]), etag=opened.etag)
    assert desk.refusal("UpdateDeal", request).violations[0].field == "update_mask"


def test_the_same_request_sent_many_times_at_once_opens_one_deal(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: desk.open(request_id="once", title="One"), range(8)))
    assert len({answer.id for answer in answers}) == 1
    assert desk.count(deal) == 1
    assert len(desk.told("DealOpened")) == 1
    other = desk.refusal("CreateDeal", pb.CreateDealRequest(request_id="once", deal=a_deal(title="Two")))
    assert other.reason == "REQUEST_ID_REUSED"


def test_parallel_moves_leave_one_history_without_gaps(desk: Desk) -> None:
    opened = desk.open()
    names = ["Qualified", "Proposal", "Negotiation", "Won"] * 3
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda name: desk.move(opened, name), names))
    found = desk.get(opened.id)
    assert [step.from_stage_id for step in found.stage_history][1:] == [step.stage_id for step in found.stage_history][
        :-1
    ]
    assert [fact.version for fact in desk.told("DealStageChanged")] == list(range(2, int(found.etag) + 1))


def test_a_seller_works_with_own_deals_only(desk: Desk) -> None:
    anna = seller_of("moscow", "Anna")
    foreign = desk.open(owner_id=id_of("Boris"))
    with desk.as_caller(anna):
        own = desk.open(owner_id=anna.user_id)
        assert desk.refusal("CreateDeal", pb.CreateDealRequest(deal=a_deal())).reason == "NOT_PERMITTED"
        assert desk.refusal("GetDeal", pb.GetDealRequest(deal_id=foreign.id)).reason == "DEAL_NOT_FOUND"
        assert desk.move(own, "Won").status == pb.STAGE_KIND_WON
        assert [one.id for one in desk.call("ListDeals", pb.ListDealsRequest()).deals] == [own.id]


def test_a_branch_neither_sees_nor_touches_deals_of_another(desk: Desk) -> None:
    moscow = desk.open(organization_id=id_of("Acme"))
    tula = desk.open(unit_id=id_of("tula"), organization_id=id_of("Acme"))
    with desk.as_caller(steward_of("tula")):
        assert desk.get(tula.id).id == tula.id
        for method, request in (
            ("GetDeal", pb.GetDealRequest(deal_id=moscow.id)),
            ("MoveDeal", pb.MoveDealRequest(deal_id=moscow.id, stage_id=desk.stages["Won"])),
            ("UpdateDeal", pb.UpdateDealRequest(deal=moscow, update_mask=FieldMask(paths=["title"]), etag="1")),
        ):
            assert desk.refusal(method, request).reason == "DEAL_NOT_FOUND"
        batch = desk.call("BatchGetDeals", pb.BatchGetDealsRequest(deal_ids=[moscow.id, tula.id])).deals
        assert [one.id for one in batch] == [tula.id]
        listed = desk.call("ListDeals", pb.ListDealsRequest(organization_id=id_of("Acme"))).deals
        assert [one.id for one in listed] == [tula.id]
        assert desk.refusal("ListDeals", pb.ListDealsRequest(unit_id=id_of("moscow"))).reason == "UNIT_NOT_KNOWN"
        assert desk.refusal("CreateDeal", pb.CreateDealRequest(deal=a_deal())).reason == "UNIT_NOT_KNOWN"
        moving = pb.UpdateDealRequest(
            deal=pb.Deal(id=tula.id, unit_id=id_of("moscow")), update_mask=FieldMask(paths=["unit_id"]), etag="1"
        )
        assert desk.refusal("UpdateDeal", moving).reason == "UNIT_NOT_KNOWN"
