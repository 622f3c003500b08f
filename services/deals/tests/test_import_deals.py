"""Deals of a workbook come in once, with their original dates, and a file read again changes nothing."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from crm.deals.v1 import deals_pb2 as pb
from deals.tables import deal, provenance
from services.deals.tests.desk import Desk, a_day, a_line, a_row, id_of, some_money, steward_of


def fates(found: list[pb.RowFate]) -> list[str]:
    return [pb.Fate.Name(one.fate).removeprefix("FATE_").lower() for one in found]


def steps(known: pb.Deal) -> list[tuple[str, str]]:
    return [
        (step.stage_name, step.change_time.ToDatetime(UTC).date().isoformat() if step.HasField("change_time") else "")
        for step in known.stage_history
    ]


def test_a_won_deal_keeps_the_days_it_was_opened_and_closed(desk: Desk) -> None:
    (fate,) = desk.take(
        [a_row("A-1", stage_name="Won", open_date="2017-01-05", close_date="2017-03-01", amount="10 USD")]
    )
    assert fate.fate == pb.FATE_CREATED
    known = desk.get(fate.record_id)
    assert steps(known) == [("Lead", "2017-01-05"), ("Won", "2017-03-01")]
    assert known.stage_history[1].change_time.ToDatetime() == datetime(2017, 3, 1, 9)  # noon in Moscow
    assert (known.status, known.close_date, known.external_id) == (pb.STAGE_KIND_WON, a_day("2017-03-01"), "A-1")
    (fact,) = desk.told("DealOpened")
    assert fact.message.deal.run_id == "run-1"
    assert [one.change_time.seconds for one in fact.message.deal.stage_history][1] == 1488358800


def test_what_a_source_does_not_know_stays_unknown(desk: Desk) -> None:
    rows = [
        a_row("1", stage_name="Prospecting"),
        a_row("2", stage_name="Engaging", open_date="2017-02-01", amount="0 USD"),
        a_row("3", stage_name="won", amount="5 USD"),
        a_row("4", stage_name="declined"),
        a_row("5", stage_name="Отказ", loss_reason="Дорого"),
        a_row("6", stage_name="Lost", loss_reason="the boss did not like us"),
        a_row("7", stage_name="Engaging", close_date="2030-01-01", loss_reason="price"),
    ]
    found = [desk.get(fate.record_id) for fate in desk.take(rows)]
    assert [steps(one) for one in found[:4]] == [
        [("Lead", "")],
        [("Qualified", "2017-02-01")],
        [("Won", "")],
        [("Lost", "")],
    ]
    assert not found[1].HasField("amount")
    assert [(one.loss_reason, one.loss_comment) for one in found[3:6]] == [
        ("not stated", ""), ("price", ""), ("other", "the boss did not like us"),
    ]  # fmt: skip
    assert dict(found[6].attributes) == {"loss_reason": "price"}
    assert found[6].expected_close_date == a_day("2030-01-01")


def test_the_history_that_a_source_knows_is_kept(desk: Desk) -> None:
    history = [
        pb.StageChange(stage_id=desk.stages["Lead"], user_id=id_of("Anna")),
        pb.StageChange(stage_id=desk.stages["Proposal"]),
    ]
    history[1].change_time.FromDatetime(datetime(2020, 5, 1, 8, 30))
    (fate,) = desk.take([a_row("1", stage_name="Proposal", stage_history=history)])
    assert steps(desk.get(fate.record_id)) == [("Lead", ""), ("Proposal", "2020-05-01")]
    history.reverse()
    history[1].change_time.FromDatetime(datetime(2019, 5, 1))
    (fate,) = desk.take([a_row("2", stage_name="Lead", stage_history=history)])
    assert (fate.fate, fate.reason) == (pb.FATE_REFUSED, "FIELD_INVALID")


def test_the_same_file_again_changes_nothing_and_says_nothing(desk: Desk) -> None:
    tea = desk.product("Tea", fraction_allowed=True)
    rows = [
        a_row(str(number), stage_name="Won", close_date="2017-03-01", attributes={"b": "2", "a": "1"},
              line_items=[a_line(tea, quantity="2.50", unit_price="3 EUR"), a_line(product_name="Box", amount="1 EUR")])
        for number in range(20)
    ]  # fmt: skip
    assert fates(desk.take(rows)) == ["created"] * 20
    before = len(desk.told())
    assert fates(desk.take(rows)) == ["merged"] * 20  # the same run: other rows of the same file
    again = [pb.DealRow.FromString(row.SerializeToString()) for row in rows]
    for row in again:
        row.provenance.run_id = "run-2"
        row.provenance.file = "saved under another name.csv"
    assert fates(desk.take(again)) == ["unchanged"] * 20
    assert fates(desk.take(again)) == ["unchanged"] * 20
    assert len(desk.told()) == before
    assert desk.count(deal) == 20


def test_only_what_changed_is_written_and_told(desk: Desk) -> None:
    rows = [a_row(str(number), stage_name="Lead", open_date="2017-01-01", title="t") for number in range(5)]
    made = desk.take(rows)
    edited = [pb.DealRow.FromString(row.SerializeToString()) for row in rows]
    for row in edited:
        row.provenance.run_id = "run-2"
    edited[1].deal.title = "new title"
    edited[3].deal.stage_name = "Won"
    edited[3].deal.close_date.CopyFrom(a_day("2017-02-02"))
    edited[3].deal.amount.CopyFrom(some_money("7 USD"))
    found = desk.take(edited)
    assert fates(found) == ["unchanged", "updated", "unchanged", "updated", "unchanged"]
    assert list(found[1].changed_fields) == ["title"]
    assert {"stage_id", "stage_history", "close_date", "amount"} <= set(found[3].changed_fields)
    assert [one.record_id for one in found] == [one.record_id for one in made]
    won = desk.get(made[3].record_id)
    assert steps(won) == [("Lead", "2017-01-01"), ("Won", "2017-02-02")]
    facts = desk.told(aggregate_id=won.id)
    assert [(type(fact.message).__name__, fact.version) for fact in facts] == [
        ("DealOpened", 1), ("DealUpdated", 2), ("DealStageChanged", 3),
    ]  # fmt: skip
    assert list(facts[1].message.changed.paths) == ["amount"]
    assert won.etag == "3"


def test_a_stage_seen_later_is_added_to_the_recorded_history(desk: Desk) -> None:
    (made,) = desk.take([a_row("1", stage_name="Prospecting")])
    (fate,) = desk.take([a_row("1", run_id="run-2", stage_name="Engaging", open_date="2017-03-12")])
    assert fate.fate == pb.FATE_UPDATED
    assert steps(desk.get(made.record_id)) == [("Lead", ""), ("Qualified", "2017-03-12")]


def test_a_file_that_says_nothing_new_does_not_undo_what_was_done_here(desk: Desk) -> None:
    row = a_row("1", stage_name="Lead", open_date="2017-01-01", title="from the file")
    (made,) = desk.take([row])
    moved = desk.move(desk.get(made.record_id), "Won")
    row.provenance.run_id = "run-2"
    assert fates(desk.take([row])) == ["unchanged"]
    row.provenance.run_id, row.deal.title = "run-3", "from the newer file"
    (fate,) = desk.take([row])
    assert list(fate.changed_fields) == ["title"]
    after = desk.get(made.record_id)
    assert (after.title, after.stage_name, after.close_date) == ("from the newer file", "Won", moved.close_date)
    assert after.stage_history == moved.stage_history


def test_a_file_with_fewer_columns_takes_nothing_away(desk: Desk) -> None:
    tea = desk.product("Tea")
    full = a_row("1", stage_name="Won", close_date="2017-03-01", amount="5 USD", title="t", business_line="retail",
                 owner_id=id_of("Anna"), attributes={"a": "1"}, line_items=[a_line(tea)])  # fmt: skip
    (made,) = desk.take([full])
    before = desk.get(made.record_id)
    assert fates(desk.take([a_row("1", run_id="run-2", stage_name="Won")])) == ["unchanged"]
    assert desk.get(made.record_id) == before
    assert fates(desk.take([a_row("1", run_id="run-3", stage_name="Won", attributes={"b": "2"})])) == ["updated"]
    assert dict(desk.get(made.record_id).attributes) == {"a": "1", "b": "2"}
    full.provenance.run_id = "run-4"
    assert fates(desk.take([full])) == ["unchanged"]


def test_each_bad_row_is_refused_with_its_reason_and_the_others_are_taken(desk: Desk) -> None:
    sets = desk.product("Dinner set", unit_of_measure="set")
    found = desk.take(
        [
            a_row("good", stage_name="Lead"),
            a_row("1", line_items=[a_line(sets, quantity="256.76")]),
            a_row("2", line_items=[a_line(quantity="1", product_id=id_of("nothing"))]),
            a_row("3", stage_name="Nowhere"),
            a_row("4", stage_name="Won", open_date="2017-02-02", close_date="2017-02-01"),
            a_row("", stage_name="Lead"),
            a_row("5", title="x" * 301),
            a_row("6", title="a\0b"),
            a_row("7", organization_id="not an id"),
            a_row("8", line_items=[a_line(product_name="x", amount="1 EUR"), a_line(product_name="y", amount="1 USD")]),
            a_row("9", unit_id=id_of("nowhere")),
            a_row("10", line_items=[a_line(sets, quantity="25676%")]),
        ]
    )
    assert fates(found) == ["created", *["refused"] * 11]
    assert [one.reason for one in found[1:]] == [
        "FRACTION_NOT_ALLOWED", "PRODUCT_NOT_FOUND", "STAGE_NOT_FOUND", *["FIELD_INVALID"] * 6, "UNIT_NOT_KNOWN",
        "FIELD_INVALID",
    ]  # fmt: skip
    assert "fraction 256.76 not allowed for unit set" in found[1].message
    assert "deal.close_date" in found[4].message
    assert desk.count(deal) == 1


def test_a_dry_run_tells_the_same_fates_and_changes_nothing(desk: Desk) -> None:
    desk.take([a_row("1", title="old"), a_row("2")])
    before = len(desk.told())
    rows = [a_row("1", run_id="run-2", title="new"), a_row("2", run_id="run-2"), a_row("3"), a_row("4", stage_name="?")]
    dry = desk.take(rows, dry_run=True)
    assert fates(dry) == ["updated", "unchanged", "created", "refused"]
    assert [bool(one.record_id) for one in dry] == [True, True, False, False]
    assert (desk.count(deal), len(desk.told()), desk.count(provenance)) == (2, before, 2)
    real = desk.take(rows)
    assert fates(real) == fates(dry)
    assert [list(one.changed_fields) for one in real] == [list(one.changed_fields) for one in dry]


def test_a_number_that_stands_twice_is_joined_when_equal_and_refused_when_not(desk: Desk) -> None:
    rows = [a_row("1", title="a"), a_row("1", row=3, title="a"), a_row("1", row=4, title="b")]
    found = desk.take(rows)
    assert fates(found) == ["created", "merged", "refused"]
    assert found[2].reason == "NUMBER_REPEATED"
    assert fates(desk.take([a_row("1", row=5, title="c")])) == ["refused"]  # a later call of the same run
    again = [a_row("1", run_id="run-2", title="a"), a_row("1", run_id="run-2", row=3, title="a")]
    assert fates(desk.take(again)) == ["unchanged", "unchanged"]


def test_one_number_in_two_sources_is_two_deals(desk: Desk) -> None:
    assert fates(desk.take([a_row("1")], source="a")) == ["created"]
    assert fates(desk.take([a_row("1")], source="b")) == ["created"]
    assert desk.refusal("ImportDeals", pb.ImportDealsRequest(rows=[a_row("1")], unit_id=id_of("moscow"))).violations


def test_every_imported_deal_knows_its_file_sheet_row_and_user(desk: Desk) -> None:
    (fate,) = desk.take([a_row("1", row=17)])
    row = desk.work(lambda work: work.execute(provenance.select()).one())
    assert (row.record_id, row.file, row.sheet, row.row) == (fate.record_id, "deals.xlsx", "Sheet1", 17)
    assert row.user_id == desk.access.user_id


def test_rows_of_other_units_need_rights_there(desk: Desk) -> None:
    rows = [a_row("1", unit_id=id_of("tula")), a_row("2", unit_id=id_of("arbat")), a_row("3")]
    with desk.as_caller(steward_of("moscow")):
        found = desk.take(rows)
        assert fates(found) == ["refused", "created", "created"]
        assert found[0].reason == "NOT_PERMITTED"
    desk.take([a_row("9", unit_id=id_of("tula"), title="Tula's")], unit_id=id_of("tula"))
    with desk.as_caller(steward_of("moscow")):
        (taken,) = desk.take([a_row("9", run_id="run-2", title="mine now")])
        assert (fates([taken]), taken.reason) == (["refused"], "NUMBER_OF_ANOTHER_UNIT")
        elsewhere = pb.ImportDealsRequest(rows=[], unit_id=id_of("tula"), source="files")
        assert desk.refusal("ImportDeals", elsewhere).reason == "NOT_PERMITTED"


def test_a_deal_that_goes_to_another_unit_is_told_there(desk: Desk) -> None:
    (made,) = desk.take([a_row("1")])
    (fate,) = desk.take([a_row("1", run_id="run-2", unit_id=id_of("tula"))])
    assert list(fate.changed_fields) == ["unit_id"]
    assert desk.told("DealUpdated", made.record_id)[0].routing_key.endswith(".hq.tula.e")


def test_the_same_batch_from_many_sides_at_once_makes_each_deal_once(desk: Desk) -> None:
    rows = [a_row(str(number), title=f"deal {number}") for number in range(60)]

    def take(shift: int) -> Counter[str]:
        turned = [
            a_row(row.external_id, run_id=f"run {shift}", title=row.deal.title) for row in rows[shift:] + rows[:shift]
        ]
        return Counter(fates(desk.take(turned)))

    with ThreadPoolExecutor(8) as pool:
        counted = sum(pool.map(take, range(0, 60, 8)), Counter[str]())
    assert counted == {"created": 60, "unchanged": 7 * 60}
    assert desk.count(deal) == 60
    assert len(desk.told("DealOpened")) == 60


def test_a_repeated_request_gets_the_first_answer(desk: Desk) -> None:
    rows = [a_row("1")]
    first = desk.take(rows, request_id="batch-1")
    assert desk.take(rows, request_id="batch-1") == first


def test_more_than_a_thousand_rows_are_refused_whole(desk: Desk) -> None:
    request = pb.ImportDealsRequest(
        rows=[a_row(str(number)) for number in range(1001)], unit_id=id_of("moscow"), source="files"
    )
    assert desk.refusal("ImportDeals", request).violations[0].field == "rows"
    assert desk.count(deal) == 0


@pytest.fixture
def maven(shared_data: Callable[[str], Path]) -> Path:
    return shared_data("crm-maven-opportunities")


def rows_of(path: Path, run_id: str, products: dict[str, str], day: str = "%Y-%m-%d") -> Iterator[pb.DealRow]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            product = {"GTXPro": "GTX Pro"}.get(row["product"], row["product"])
            days = {
                name: a_day(datetime.strptime(row[column], day).date().isoformat())
                for name, column in (("open_date", "engage_date"), ("close_date", "close_date"))
                if row[column]
            }
            yield a_row(
                row["opportunity_id"], number, run_id, stage_name=row["deal_stage"], owner_id=id_of(row["sales_agent"]),
                organization_id=id_of(row["account"]) if row["account"] not in ("", "null") else "",
                amount=some_money(f"{row['close_value']} USD") if row["close_value"] else None,
                line_items=[pb.LineItem(product_id=products[product])], **days,
            )  # fmt: skip


def take_file(desk: Desk, rows: Iterator[pb.DealRow]) -> Counter[str]:
    found, batch = Counter[str](), list(rows)
    for start in range(0, len(batch), 1000):
        found.update(fates(desk.take(batch[start : start + 1000])))
    return found


def test_a_real_file_comes_in_whole_and_its_edited_copy_as_three_changes(desk: Desk, maven: Path) -> None:
    with (maven / "products.csv").open(encoding="utf-8-sig", newline="") as lines:
        products = {row["product"]: desk.product(row["product"]).id for row in csv.DictReader(lines)}
    assert take_file(desk, rows_of(maven / "sales_pipeline.csv", "base", products)) == {"created": 8800}
    told = len(desk.told())
    zeros = maven / "variants" / "sales_pipeline_dd-mm-yyyy_zero_values.csv"  # 0 where the others have an empty cell
    assert take_file(desk, rows_of(zeros, "zeros", products, "%d-%m-%Y")) == {"unchanged": 8800}
    assert len(desk.told()) == told
    edited = take_file(desk, rows_of(maven / "variants" / "sales_pipeline_edited_later.csv", "edited", products))
    assert edited == {"created": 1, "updated": 2, "unchanged": 8798}
    won = [fact.message.deal for fact in desk.told("DealOpened") if fact.message.deal.status == "won"]
    assert sum(one.amount.units for one in won) == 10_005_534
    assert sum(line.amount.units for one in won for line in one.line_items) == 10_005_534
    days = [(date.fromisoformat(one.close_date) - date.fromisoformat(one.open_date)).days for one in won]
    assert round(sum(days) / len(days), 3) == 51.782
