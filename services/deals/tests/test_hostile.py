"""Any text comes back byte for byte or is refused by field; no bad value leaves half of anything behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2, money_pb2

from chassis.errors import Kind, RemoteError
from chassis.rpc.client import Client
from crm.deals.v1 import deals_pb2 as pb
from deals.tables import deal, deal_line
from services.deals.tests.desk import Desk, a_deal, a_line, a_row, id_of, some_money


@pytest.fixture
def naughty(shared_data: Callable[[str], Path]) -> list[str]:
    folder = shared_data("strings-hostile")
    texts: list[str] = json.loads((folder / "blns.json").read_text(encoding="utf-8"))
    for name in ("csv-payload.txt", "xss_300.txt", "sqli_Generic_SQLI.txt", "sqli_Auth_Bypass.txt"):
        texts.extend((folder / name).read_text(encoding="utf-8").splitlines())
    return [text for text in texts if len(text) <= 300]


def test_any_text_comes_back_byte_for_byte_from_every_door(desk: Desk, naughty: list[str]) -> None:
    rows = [
        a_row(
            f"{number}-{text}"[:255], number + 2, title=text, business_line=text, attributes={text[:100]: text},
            stage_name="Lost", loss_reason="other", loss_comment=text,
            line_items=[a_line(product_name=text or "-", external_id=text[:255])],
        )
        for number, text in enumerate(naughty)
    ]  # fmt: skip
    found = desk.take(rows[:1000])
    assert {fate.fate for fate in found} == {pb.FATE_CREATED}, [fate for fate in found if fate.fate != pb.FATE_CREATED][
        :3
    ]
    ids = [fate.record_id for fate in found]
    back = {
        one.id: one
        for start in range(0, len(ids), 500)
        for one in desk.call("BatchGetDeals", pb.BatchGetDealsRequest(deal_ids=ids[start : start + 500])).deals
    }
    for row, record_id in zip(rows, ids, strict=False):
        known = back[record_id]
        said = row.deal
        assert (known.title, known.business_line, known.loss_comment) == (
            said.title,
            said.business_line,
            said.loss_comment,
        )
        assert (dict(known.attributes), known.external_id) == (dict(said.attributes), row.external_id)
        assert known.line_items[0].product_name == said.line_items[0].product_name
        assert known.line_items[0].external_id == said.line_items[0].external_id
    told = {fact.message.deal.id: fact.message.deal.title for fact in desk.told("DealOpened")}
    assert [told[record_id] for record_id in ids] == [row.deal.title for row in rows[:1000]]
    again = [pb.DealRow.FromString(row.SerializeToString()) for row in rows[:1000]]
    for row in again:
        row.provenance.run_id = "run-2"
    assert {fate.fate for fate in desk.take(again)} == {pb.FATE_UNCHANGED}


def test_any_text_comes_back_from_one_deal_changed_again_and_again(desk: Desk, naughty: list[str]) -> None:
    known = desk.open()
    for text in naughty[::10]:
        request = pb.UpdateDealRequest(
            deal=pb.Deal(id=known.id, title=text), update_mask=FieldMask(paths=["title"]), etag=known.etag
        )
        known = desk.call("UpdateDeal", request).deal
        assert known.title == text
    assert desk.get(known.id) == known


def test_product_and_pipeline_names_come_back_without_blanks_around_only(desk: Desk, naughty: list[str]) -> None:
    taken = 0
    for text in naughty[::15]:
        request = pb.CreateProductRequest(product=pb.Product(name=text, category=text, unit_of_measure=text[:100]))
        (known,) = desk.call("MatchCatalogue", pb.MatchCatalogueRequest(products=[text])).products
        if known.id or not text.strip():
            assert desk.refusal("CreateProduct", request).reason == ("NAME_TAKEN" if known.id else "FIELD_INVALID")
            continue
        made = desk.call("CreateProduct", request).product
        assert (made.name, made.category, made.unit_of_measure) == (text.strip(), text, text[:100])
        (found,) = desk.call("MatchCatalogue", pb.MatchCatalogueRequest(products=[text])).products
        assert found.id == made.id, text
        taken += 1
    assert taken > 20


LATE = Timestamp(seconds=253402300800)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"title": "x" * 301}, "deal.title"),
    ({"title": "a\0b"}, "deal.title"),
    ({"business_line": "x" * 301}, "deal.business_line"),
    ({"external_id": "x" * 256}, "deal.external_id"),
    ({"attributes": {"a": "b\0"}}, "deal.attributes"),
    ({"attributes": {str(number): "" for number in range(51)}}, "deal.attributes"),
    ({"attributes": {"a": "x" * 4001}}, "deal.attributes"),
    ({"organization_id": "1; DROP TABLE deal"}, "deal.organization_id"),
    ({"person_id": "00000000-0000-0000-0000-00000000000G"}, "deal.person_id"),
    ({"owner_id": id_of("x").upper()}, "deal.owner_id"),
    ({"open_date": date_pb2.Date(year=2023, month=2, day=29)}, "deal.open_date"),
    ({"open_date": date_pb2.Date(year=2023)}, "deal.open_date"),
    ({"open_date": date_pb2.Date(year=1, month=1, day=1)}, "deal.open_date"),
    ({"open_date": date_pb2.Date(year=-5, month=1, day=1)}, "deal.open_date"),
    ({"close_date": "2020-01-01"}, "deal.close_date"),
    ({"stage_name": "Won", "close_date": "2199-01-01"}, "deal.close_date"),
    ({"stage_name": "Won", "open_date": "2020-01-02", "close_date": "2020-01-01"}, "deal.close_date"),
    ({"amount": money_pb2.Money(currency_code="EURO", units=1)}, "deal.amount.currency_code"),
    ({"amount": money_pb2.Money(currency_code="EUR", units=1, nanos=1)}, "deal.amount.nanos"),
    ({"amount": money_pb2.Money(currency_code="EUR", units=10**15)}, "deal.amount"),
    ({"loss_reason": "price"}, "deal.loss_reason"),
    ({"line_items": [a_line()]}, "deal.line_items[0].product_id"),
    ({"line_items": [a_line(product_name="x", quantity="1e5")]}, "deal.line_items[0].quantity"),
    ({"line_items": [a_line(product_name="x", quantity="١٢")]}, "deal.line_items[0].quantity"),
    ({"line_items": [a_line(product_name="x", quantity="NaN")]}, "deal.line_items[0].quantity"),
    ({"line_items": [a_line(product_name="x", discount="1.01")]}, "deal.line_items[0].discount"),
    (
        {"line_items": [a_line(product_name="x", quantity="9" * 14, unit_price="99999999999999 EUR")]},
        "deal.line_items[0].amount",
    ),
    ({"line_items": [a_line(product_name="x", amount="99999999999999 EUR")] * 2}, "deal.amount"),
    (
        {"line_items": [a_line(product_name="x", amount="1 EUR"), a_line(product_name="x", amount="1 USD")]},
        "deal.line_items[1].amount",
    ),
    ({"line_items": [a_line(product_name="x", amount="1 EUR")], "amount": "1 USD"}, "deal.amount"),
    ({"line_items": [a_line(product_name="x")] * 1001}, "deal.line_items"),
]


def test_a_value_that_cannot_be_is_refused_by_field_and_leaves_nothing(desk: Desk) -> None:
    for fields, field in WRONG:
        refused = desk.refusal("CreateDeal", pb.CreateDealRequest(request_id="one", deal=a_deal(**fields)))
        found = (refused.kind, refused.reason, [violation.field for violation in refused.violations])
        assert found == (Kind.INVALID, "FIELD_INVALID", [field]), fields
    assert (desk.count(deal), desk.count(deal_line), desk.told("DealOpened")) == (0, 0, [])
    assert desk.open(request_id="one").id  # the refused request took nothing, not even its id


def test_a_history_with_an_impossible_moment_is_refused(desk: Desk) -> None:
    history = [pb.StageChange(stage_id=desk.stages["Lead"], change_time=LATE)]
    (fate,) = desk.take([a_row("1", stage_name="Lead", stage_history=history)])
    assert (fate.fate, fate.reason) == (pb.FATE_REFUSED, "FIELD_INVALID")
    assert "stage_history[0].change_time" in fate.message


def test_unknown_ids_and_foreign_records_have_their_own_reasons(desk: Desk) -> None:
    nowhere = id_of("nowhere")
    line = a_line(product_name="x")
    line.product_id = nowhere
    for request, reason in (
        (pb.CreateDealRequest(deal=a_deal(line_items=[line])), "PRODUCT_NOT_FOUND"),
        (pb.CreateDealRequest(deal=a_deal(unit_id="no id")), "UNIT_NOT_KNOWN"),
    ):
        assert desk.refusal("CreateDeal", request).reason == reason
    moving = pb.MoveDealRequest(deal_id=desk.open().id, stage_id="no id")
    assert desk.refusal("MoveDeal", moving).violations[0].field == "stage_id"
    assert desk.refusal("MoveDeal", pb.MoveDealRequest(deal_id="no id")).reason == "DEAL_NOT_FOUND"
    assert desk.refusal("ListDeals", pb.ListDealsRequest(owner_id="no id")).violations[0].field == "owner_id"


def test_a_call_without_a_token_is_refused(desk: Desk) -> None:
    bare: Client = desk.client
    with pytest.raises(RemoteError) as refused:
        bare.call("ListDeals", pb.ListDealsRequest(), retry=False)
    assert refused.value.reason == "NOT_SIGNED_IN"


def test_money_of_six_places_and_both_signs_comes_back_exactly(desk: Desk) -> None:
    for text in ("0.000001 EUR", "-0.000001 EUR", "99999999999999.999999 JPY", "-99999999999999.999999 KWD", "0 EUR"):
        assert desk.get(desk.open(amount=text).id).amount == some_money(text)
