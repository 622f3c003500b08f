"""Funnel, won, win rate, cycle and pipeline on small worlds with answers worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chassis.access import EXPORT, SUBTREE, Grant
from chassis.errors import RemoteError
from crm.reporting.v1 import reporting_pb2 as pb
from services.reporting.tests.world import keys_of, parameters_of, reader_of, seller, table_of


def a_company(world: Any) -> tuple[str, str, str]:
    company = world.a_unit("hq", kind="company", name="Company")
    return company, world.a_unit("north", company), world.a_unit("south", company)


def test_the_funnel_counts_per_hundred_by_person_with_another_quarter_beside_it(reporting: Any) -> None:
    """Scenario C11: 400 contacts in a quarter, 48 leads, 12 sales; by person 15.0 and 9.0, then 30.0 and 16.7."""
    world = reporting.world
    _, north, _ = a_company(world)
    anna, boris = world.a_user("Anna"), world.a_user("Boris")
    pipeline = world.a_pipeline(stages="Contact Lead +Won -Lost")
    for owner, sales, leads, contacts in ((anna, 9, 30, 200), (boris, 3, 18, 200)):
        for number in range(contacts):
            stage = "Won" if number < sales else "Lead" if number < leads else "Lost" if number < 150 else "Contact"
            path = {"Won": ["Contact", "Won"], "Lost": ["Contact", "Lost"]}.get(stage, [stage])
            close = "2026-03-30" if stage in ("Won", "Lost") else ""
            world.a_deal(pipeline, north, stage, owner_id=owner, path=path, open_date="2026-01-15", close_date=close)
    world.a_deal(pipeline, north, "Won", owner_id=anna, open_date="2025-11-02", close_date="2025-12-01")
    answer = reporting.run("funnel", from_date="2025-10-01", to_date="2026-03-31", group_by="person quarter")
    found = {(row["person"], row["quarter"], row["stage"]): row for row in table_of(answer)}
    assert [found[who, "2026-Q1", "Lead"]["per_hundred_of_previous"] for who in ("Anna", "Boris")] == ["15", "9"]
    assert found["Anna", "2026-Q1", "Won"]["per_hundred_of_previous"] == "30"
    assert found["Boris", "2026-Q1", "Won"]["per_hundred_of_previous"] == "16.666667"
    assert found["Anna", "2025-Q4", "Won"]["deals"] == "1"
    whole = {
        row["stage"]: row for row in table_of(reporting.run("funnel", from_date="2026-01-01", to_date="2026-03-31"))
    }
    assert [whole[stage]["deals"] for stage in ("Contact", "Lead", "Won")] == ["400", "48", "12"]
    assert (whole["Lead"]["per_hundred_of_first"], whole["Won"]["per_hundred_of_previous"]) == ("12", "25")
    assert whole["Lost"]["per_hundred_of_previous"] == ""


def test_a_deal_that_went_back_reached_the_furthest_stage_it_was_in(reporting: Any) -> None:
    world = reporting.world
    _, north, _ = a_company(world)
    pipeline = world.a_pipeline()
    world.a_deal(pipeline, north, "Lead", path=["Lead", "Offer", "Lead"], open_date="2026-01-01")
    world.a_deal(pipeline, north, "Lost", path=["Lead", "Lost"], open_date="2026-01-02", close_date="2026-01-03")
    answer = reporting.run("funnel")
    assert {row["stage"]: row["deals"] for row in table_of(answer)} == {
        "Lead": "2",
        "Offer": "1",
        "Won": "0",
        "Lost": "1",
    }
    offer = next(
        keys["deals"] for row, keys in zip(table_of(answer), keys_of(answer), strict=True) if row["stage"] == "Offer"
    )
    assert len(reporting.records("funnel", offer)) == 1


def test_won_adds_by_branch_and_month_and_keeps_currencies_apart(reporting: Any) -> None:
    world = reporting.world
    _, north, south = a_company(world)
    team = world.a_unit("team", north, kind="team")
    pipeline = world.a_pipeline()
    world.a_deal(pipeline, team, "Won", "100.10 EUR", close_date="2026-01-31")
    world.a_deal(pipeline, north, "Won", "0.20 EUR", close_date="2026-02-01")
    world.a_deal(pipeline, south, "Won", "50 USD", close_date="2026-02-28")
    world.a_deal(pipeline, south, "Won", "7 EUR", close_date="2026-03-01")
    world.a_deal(pipeline, south, "Lost", "9 EUR", close_date="2026-02-10")
    answer = reporting.run("won", from_date="2026-01-31", to_date="2026-02-28", group_by="branch")
    shown = [(row["branch"], row["deals"], row["amount"], row["converted"]) for row in table_of(answer)]
    assert shown == [("North", "2", "100.3", "100.3"), ("South", "1", "50", "")]
    totals = [(row["branch"], row["deals"], row["amount"], row["converted"]) for row in table_of(answer, "totals")]
    assert totals == [("Total EUR", "2", "100.3", "100.3"), ("Total USD", "1", "50", ""), ("Total", "3", "", "100.3")]
    assert any("USD" in note for note in answer.notes)


def test_sums_are_empty_where_amounts_are_hidden_and_counts_are_told(reporting: Any) -> None:
    world = reporting.world
    _, north, _ = a_company(world)
    world.a_deal(world.a_pipeline(), north, "Won", "777 EUR", close_date="2026-01-31")
    blind = replace(reader_of("hq"), hidden=("deal.amount",))
    won = reporting.run("won", blind, group_by="branch")
    assert [(row["branch"], row["deals"], row["amount"], row["converted"]) for row in table_of(won)] == [
        ("North", "1", "", "")
    ]
    key = won.rows[0].cells[1].drill_key
    assert key
    asked = pb.ListReportRecordsRequest(name="won", drill_key=key, parameters=parameters_of(group_by="branch"))
    behind = reporting.call("ListReportRecords", asked, blind)
    assert len(behind.rows) == 1
    for name in ("won", "pipeline", "plan-fact", "win-rate", "funnel"):
        assert "777" not in str(reporting.run(name, blind)), name
    assert "777" not in str(behind)


def test_nobody_groups_by_a_hidden_field(reporting: Any) -> None:
    blind = replace(reader_of("hq"), hidden=("customer.address",))
    with pytest.raises(RemoteError) as refused:
        reporting.run("won", blind, group_by="country")
    assert refused.value.reason == "NOT_PERMITTED"


def test_a_rate_converts_exactly_and_is_named_with_its_day_and_source(reporting: Any) -> None:
    world = reporting.world
    _, north, _ = a_company(world)
    pipeline = world.a_pipeline()
    world.a_deal(pipeline, north, "Won", "50 USD", close_date="2026-02-28")
    world.a_deal(pipeline, north, "Won", "10 EUR", close_date="2026-02-28")
    reporting.set_rate("USD", "EUR", "0.123456789012", "2026-01-01", "bank")
    reporting.set_rate("USD", "EUR", "9", "2026-03-01", "later")
    answer = reporting.run("won", from_date="2026-01-01", to_date="2026-02-28")
    assert table_of(answer, "totals")[-1]["converted"] == "16.1728394506"
    assert answer.notes == ["1 USD = 0.123456789012 EUR, rate of 2026-01-01 (bank)"]
    records = reporting.records(
        "won", keys_of(answer, "totals")[-1]["converted"], from_date="2026-01-01", to_date="2026-02-28"
    )
    assert sorted(record["converted"] for record in records) == ["10", "6.1728394506"]


def test_won_by_product_is_that_of_lines_and_gives_the_same_total(reporting: Any) -> None:
    world = reporting.world
    _, north, _ = a_company(world)
    pipeline = world.a_pipeline()
    saw, nail = world.a_product("Saw", "tools", "piece"), world.a_product("Nail", "small", "kg")
    lines = [(saw, "2", "60 EUR"), (nail, "0.5", "1.25 EUR")]
    world.a_deal(pipeline, north, "Won", "65 EUR", close_date="2026-01-05", lines=lines)
    world.a_deal(pipeline, north, "Won", "35 EUR", close_date="2026-01-06")
    answer = reporting.run("won", group_by="product")
    shown = [(row["product"], row["lines"], row["amount"], row["quantity"]) for row in table_of(answer)]
    assert shown == [("Nail", "1", "1.25", "0.5"), ("Saw", "1", "60", "2"), ("(no product)", "1", "38.75", "")]
    assert table_of(answer, "totals")[0] == {
        "product": "Total", "lines": "3", "amount": "100", "quantity": "", "average": "33.333333", "converted": "100",
    }  # fmt: skip
    assert answer.notes == ["Quantities in different units of measure are not added: kg, piece."]
    assert table_of(reporting.run("won"))[0]["amount"] == "100"
    assert [row["category"] for row in table_of(reporting.run("won", group_by="category"))] == [
        "small",
        "tools",
        "(no category)",
    ]


def test_win_rate_and_cycle_are_of_deals_closed_in_the_period(reporting: Any) -> None:
    world = reporting.world
    _, north, _ = a_company(world)
    pipeline = world.a_pipeline()
    for stage, opened, closed in (("Won", "2026-01-01", "2026-01-11"), ("Won", "2026-01-01", "2026-01-12"),
                                  ("Lost", "2025-12-31", "2026-01-31"), ("Won", "", "2026-01-31")):  # fmt: skip
        world.a_deal(pipeline, north, stage, "1 EUR", open_date=opened, close_date=closed)
    period = {"from_date": "2026-01-01", "to_date": "2026-01-31"}
    rate = table_of(reporting.run("win-rate", **period, group_by="month"))
    assert rate == [{"month": "2026-01", "closed": "4", "won": "3", "lost": "1", "win_rate": "75"}]
    answer = reporting.run("cycle", **period)
    shown = {row["outcome"]: tuple(row.values())[1:] for row in table_of(answer)}
    assert shown == {"Won": ("2", "10.5", "10.5", "10", "11"), "Lost": ("1", "31", "31", "31", "31"),
                     "All closed": ("3", "17.333333", "11", "10", "31")}  # fmt: skip
    assert answer.notes == ["1 closed deals without an opening or closing day are left out."]


def test_the_pipeline_shows_open_deals_by_stage_in_order(reporting: Any) -> None:
    world = reporting.world
    _, north, _ = a_company(world)
    pipeline = world.a_pipeline(stages="Zero Alpha +Won -Lost")
    world.a_deal(pipeline, north, "Alpha", "5 EUR")
    world.a_deal(pipeline, north, "Zero", "6 EUR")
    world.a_deal(pipeline, north, "Zero")
    world.a_deal(pipeline, north, "Won", "7 EUR", close_date="2026-01-01")
    answer = reporting.run("pipeline")
    shown = [(row["stage"], row["deals"], row["amount"]) for row in table_of(answer)]
    assert shown == [("Zero", "1", ""), ("Zero", "1", "6"), ("Alpha", "1", "5")]
    assert table_of(answer, "totals")[-1]["deals"] == "3"


def test_a_reader_sees_only_their_branch_and_a_seller_only_their_own(reporting: Any) -> None:
    world = reporting.world
    _, north, south = a_company(world)
    anna = world.a_user("Anna")
    pipeline = world.a_pipeline()
    world.a_deal(pipeline, north, "Won", "1 EUR", open_date="2026-01-01", close_date="2026-01-01", owner_id=anna)
    secret = world.a_deal(pipeline, south, "Won", "20 EUR", close_date="2026-01-01")
    answer = reporting.run("won")
    total_key = keys_of(answer, "totals")[0]["amount"]
    assert table_of(answer, "totals")[0]["amount"] == "21"
    for reader in (reader_of("hq.north"), seller(anna)):
        for name in ("won", "win-rate", "funnel", "cycle"):
            assert table_of(reporting.run(name, reader), "totals")[0].get("deals", "1") == "1"
        assert table_of(reporting.run("won", reader), "totals")[0]["amount"] == "1"
        assert [row["id"] for row in reporting.records("won", total_key, reader)] != [secret]
        assert len(reporting.records("won", total_key, reader)) == 1
    with pytest.raises(RemoteError) as refused:
        reporting.run("won", reader_of("hq.north"), unit_id=south)
    assert refused.value.reason == "UNIT_NOT_KNOWN"


def test_names_that_have_not_arrived_are_said_to_be_unknown_and_appear_later(reporting: Any) -> None:
    world = reporting.world
    _, north, _ = a_company(world)
    pipeline = world.a_pipeline()
    unit, user = "01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002"
    world.a_deal(pipeline, unit, "Won", "3 EUR", close_date="2026-01-01", owner_id=user)
    shown = table_of(reporting.run("won", group_by="unit person branch"))
    assert [(row["unit"], row["person"], row["branch"]) for row in shown] == [
        ("(not yet known)", "(not yet known)", "(no branch)")
    ]
    world.a_unit("late", north, id=unit, kind="team", name="Late")
    shown = table_of(reporting.run("won", group_by="unit branch"))
    assert [(row["unit"], row["branch"]) for row in shown] == [("Late", "North")]


@pytest.mark.parametrize(
    ("name", "parameters", "field"),
    [
        ("won", {"group_by": "stage"}, "parameters.group_by"),
        ("won", {"group_by": "unit unit"}, "parameters.group_by"),
        ("won", {"from_date": "2026-02-01", "to_date": "2026-01-01"}, "parameters.to_date"),
        ("won", {"user_id": "nobody"}, "parameters.user_id"),
        ("won", {"currency_code": "eur"}, "parameters.currency_code"),
        ("plan-fact", {"metric": "happiness"}, "parameters.metric"),
    ],
)
def test_wrong_parameters_are_refused_by_name(reporting: Any, name: str, parameters: Any, field: str) -> None:
    with pytest.raises(RemoteError) as refused:
        reporting.run(name, **parameters)
    assert (refused.value.reason, refused.value.violations[0].field) == ("FIELD_INVALID", field)


def test_an_unknown_report_or_unit_is_said_to_be_unknown(reporting: Any) -> None:
    for name, parameters, reason in (("gossip", {}, "REPORT_NOT_FOUND"), ("won", {"unit_id": "x"}, "UNIT_NOT_KNOWN")):
        with pytest.raises(RemoteError) as refused:
            reporting.run(name, **parameters)
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    "key", ["", "x", "e30=", "WyJkZWFscyIsWyJhIiwiYiJdXQ==", "WyJnb3NzaXAiLG51bGxd", "W1tdXQ==", "bnVsbA=="]
)
def test_a_made_up_drill_key_is_refused(reporting: Any, key: str) -> None:
    with pytest.raises(RemoteError) as refused:
        reporting.records("won", key, group_by="unit")
    assert (refused.value.reason, refused.value.violations[0].field) == ("FIELD_INVALID", "drill_key")


def test_records_come_in_pages_and_a_foreign_token_is_refused(reporting: Any) -> None:
    world = reporting.world
    _, north, _ = a_company(world)
    pipeline = world.a_pipeline()
    for day in range(1, 8):
        world.a_deal(pipeline, north, "Won", f"{day} EUR", close_date=f"2026-01-0{day}")
    key = keys_of(reporting.run("won"), "totals")[0]["amount"]
    assert sum(int(row["amount"]) for row in reporting.records("won", key, page_size=3)) == 28
    with pytest.raises(RemoteError) as refused:
        reporting.page("won", key, page_token="bm9uZQ")
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


def test_a_report_is_taken_away_as_a_file_only_of_what_may_be_exported(reporting: Any) -> None:
    world = reporting.world
    _, north, south = a_company(world)
    pipeline = world.a_pipeline()
    for unit in (north, south):
        world.a_deal(pipeline, unit, "Won", open_date="2026-01-01", close_date="2026-01-03")
    reader = reader_of("hq")
    exporter = replace(reader, grants=(*reader.grants, Grant(EXPORT, SUBTREE, "hq.north")))
    asked = pb.RunReportRequest(name="won", parameters=parameters_of(group_by="unit"), as_file=True)
    with pytest.raises(RemoteError) as refused:
        reporting.call("RunReport", asked, reader)
    assert refused.value.reason == "NOT_PERMITTED"
    seen = table_of(reporting.run("won", exporter, group_by="unit"))
    taken = table_of(reporting.call("RunReport", asked, exporter))
    assert ({row["unit"] for row in seen}, [row["unit"] for row in taken]) == ({"North", "South"}, ["North"])
