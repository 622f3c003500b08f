"""Plan against fact, deliveries and customers on small worlds with answers worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from services.reporting.tests.world import keys_of, reader_of, table_of

MARCH = {"from_date": "2026-03-01", "to_date": "2026-03-31"}


def three_outlets(world: Any) -> tuple[str, list[str]]:
    company = world.a_unit("hq", kind="company", name="Company")
    return company, [world.a_unit(code, company, name=code.upper()) for code in ("a", "b", "c")]


def sets_sold(world: Any, unit: str, quantity: str, product: str, pipeline: str) -> None:
    world.a_deal(pipeline, unit, "Won", close_date="2026-03-10", lines=[(product, quantity, "")])


def test_three_outlets_and_the_missing_one_is_named_until_it_delivers(reporting: Any) -> None:
    """Scenario C12: two of three branches stand until B is corrected; then 46,676 sets are 116.69 % of 40,000."""
    world = reporting.world
    company, (a, b, c) = three_outlets(world)
    pipeline, product = world.a_pipeline(), world.a_product("Set", unit_of_measure="set")
    world.a_plan(company, "2026-03-01", "2026-04-01", "40000", product_id=product)
    for unit, quantity in ((a, "12000"), (c, "9000")):
        sets_sold(world, unit, quantity, product, pipeline)
        world.a_run(unit, "finished", "2026-03-01", "2026-03-31")
    blocked = world.a_run(b, "blocked")
    before = reporting.run("plan-fact", **MARCH, metric="quantity")
    assert before.delivery_summary == "2 of 3 branches have delivered"
    assert [(one.unit_name, one.delivered, one.state) for one in before.deliveries] == [
        ("A", True, "nothing"), ("B", False, "blocked"), ("C", True, "nothing")]  # fmt: skip
    assert before.deliveries[1].run_id == blocked
    assert table_of(before)[0]["fact"] == "21000"
    sets_sold(world, b, "25676", product, pipeline)
    world.a_run(b, "finished", "2026-03-02", "2026-03-30")
    after = reporting.run("plan-fact", **MARCH, metric="quantity")
    assert after.delivery_summary == "3 of 3 branches have delivered"
    assert table_of(after, "totals") == [
        {"unit_of_measure": "set", "plan": "40000", "fact": "46676", "attainment": "116.69", "difference": "6676"}
    ]
    assert [row["quantity"] for row in table_of(reporting.run("won", **MARCH), "totals")] == ["46676"]


def test_a_unit_s_own_plan_is_used_and_only_without_one_the_sum_below(reporting: Any) -> None:
    world = reporting.world
    company, (a, b, _) = three_outlets(world)
    team = world.a_unit("team", a, kind="team")
    world.a_plan(company, "2026-03-01", "2026-04-01", "1000 EUR")
    world.a_plan(a, "2026-03-01", "2026-04-01", "300 EUR")
    world.a_plan(team, "2026-03-01", "2026-04-01", "250 EUR")
    for week in ("01", "15"):
        world.a_plan(b, f"2026-03-{week}", "2026-03-15" if week == "01" else "2026-04-01", "200.50 EUR")
    whole = reporting.run("plan-fact", **MARCH)
    assert table_of(whole, "totals")[0]["plan"] == "1000"
    assert any("already covers" in note for note in whole.notes)
    branches = reporting.run("plan-fact", **MARCH, group_by="branch")
    assert {row["branch"]: row["plan"] for row in table_of(branches)} == {"A": "300", "B": "401"}
    assert table_of(branches, "totals")[0]["plan"] == "701"
    units = reporting.run("plan-fact", **MARCH, group_by="unit", unit_id=a)
    assert [(row["unit"], row["plan"]) for row in table_of(units)] == [("A", "300")]


def test_plans_of_persons_are_compared_by_person_and_missing_ones_are_named(reporting: Any) -> None:
    world = reporting.world
    _, (a, _, _) = three_outlets(world)
    anna, boris = world.a_user("Anna"), world.a_user("Boris")
    pipeline = world.a_pipeline()
    world.a_plan(a, "2026-03-01", "2026-04-01", "100 EUR", user_id=anna)
    world.a_plan(a, "2026-03-01", "2026-04-01", "80 EUR")
    world.a_deal(pipeline, a, "Won", "110.11 EUR", close_date="2026-03-31", owner_id=anna)
    world.a_deal(pipeline, a, "Won", "5 EUR", close_date="2026-03-01", owner_id=boris)
    answer = reporting.run("plan-fact", **MARCH, group_by="person month")
    shown = [
        (row["person"], row["plan"], row["fact"], row["attainment"], row["difference"]) for row in table_of(answer)
    ]
    assert shown == [("Anna", "100", "110.11", "110.11", "10.11"), ("Boris", "", "5", "", "")]
    assert "No plan is set for: Boris, 2026-03." in answer.notes
    assert table_of(reporting.run("plan-fact", **MARCH), "totals")[0]["plan"] == "80"
    keys = keys_of(answer)[0]
    parameters = {**MARCH, "group_by": "person month"}
    assert [row["plan"] for row in reporting.records("plan-fact", keys["plan"], **parameters)] == ["100"]
    assert [row["fact"] for row in reporting.records("plan-fact", keys["fact"], **parameters)] == ["110.11"]


def test_a_yearly_plan_is_used_for_the_year_and_never_split_over_months(reporting: Any) -> None:
    world = reporting.world
    company, _ = three_outlets(world)
    world.a_plan(company, "2026-01-01", "2027-01-01", "1200 EUR")
    year = {"from_date": "2026-01-01", "to_date": "2026-12-31"}
    assert table_of(reporting.run("plan-fact", **year, group_by="year"))[0]["plan"] == "1200"
    months = reporting.run("plan-fact", **year, group_by="month")
    assert table_of(months) == []
    assert any("longer periods" in note for note in months.notes)
    half = reporting.run("plan-fact", from_date="2026-01-01", to_date="2026-06-30")
    assert any("reach beyond" in note for note in half.notes)
    assert any("No plan is set" in note for note in half.notes)


def test_plan_and_fact_in_two_currencies_meet_where_a_rate_says_how(reporting: Any) -> None:
    world = reporting.world
    _, (a, _, _) = three_outlets(world)
    pipeline = world.a_pipeline()
    world.a_plan(a, "2026-03-01", "2026-04-01", "100 USD")
    world.a_deal(pipeline, a, "Won", "40 EUR", close_date="2026-03-05")
    world.a_deal(pipeline, a, "Won", "7 GBP", close_date="2026-03-05")
    apart = table_of(reporting.run("plan-fact", **MARCH))
    assert [(row["plan"], row["fact"]) for row in apart] == [("", "40"), ("", "7"), ("100", "0")]
    reporting.set_rate("USD", "EUR", "0.5", "2026-01-01")
    answer = reporting.run("plan-fact", **MARCH)
    assert [(row["plan"], row["fact"], row["attainment"]) for row in table_of(answer)] == [
        ("50", "40", "80"),
        ("", "7", ""),
    ]
    assert any("GBP" in note for note in answer.notes)
    assert [row["plan"] for row in reporting.records("plan-fact", keys_of(answer)[0]["plan"], **MARCH)] == ["50"]


def test_a_run_that_took_nothing_or_covers_other_days_delivers_nothing(reporting: Any) -> None:
    world = reporting.world
    _, (a, b, c) = three_outlets(world)
    world.a_run(a, "finished", "2026-03-01", "2026-03-31", created=0, refused=10)
    world.a_run(b, "finished", "2026-01-01", "2026-02-28")
    world.a_run(c, "finished", "2026-03-31", "2026-05-31", kind="organizations")
    answer = reporting.run("deliveries", **MARCH)
    assert answer.delivery_summary == "0 of 3 branches have delivered"
    assert [row["state"] for row in table_of(answer)] == ["not started"] * 3
    team = world.a_unit("team", b, kind="team")
    world.a_run(team, "finished", "2026-03-31", "2026-05-31")
    answer = reporting.run("deliveries", **MARCH)
    assert answer.delivery_summary == "1 of 3 branches have delivered"
    assert len(reporting.records("deliveries", keys_of(answer)[1]["runs"], **MARCH)) == 1
    assert reporting.run("won", reader_of("hq.b"), **MARCH).delivery_summary == "1 of 1 branches have delivered"
    assert reporting.run("won").delivery_summary == ""


def test_a_branch_that_had_closed_before_the_period_need_not_deliver(reporting: Any) -> None:
    world = reporting.world
    company, _ = three_outlets(world)
    world.a_unit("gone", company, end_date="2026-03-01")
    assert reporting.run("won", **MARCH).delivery_summary == "0 of 3 branches have delivered"


def test_customers_are_counted_once_in_each_branch_and_once_in_the_total(reporting: Any) -> None:
    world = reporting.world
    _, (a, b, _) = three_outlets(world)
    team = world.a_unit("team", a, kind="team")
    world.an_organization("Both", [a, b])
    world.an_organization("Twice in A", [a, team])
    world.a_person("Private", [a, b], individual_customer=True)
    world.a_person("Contact", [b])
    answer = reporting.run("customers", group_by="branch")
    assert [tuple(row.values()) for row in table_of(answer)] == [("A", "3", "2", "1", "1"), ("B", "2", "1", "1", "2")]
    assert tuple(table_of(answer, "totals")[0].values()) == ("Total", "3", "2", "1", "2")
    assert any("once in the total" in note for note in answer.notes)
    assert tuple(table_of(reporting.run("customers", reader_of("hq.a")), "totals")[0].values()) == ("3", "2", "1", "1")
    for number, keys in enumerate(keys_of(answer)):
        for measure in ("organizations", "individual_customers", "persons"):
            records = reporting.records("customers", keys[measure], group_by="branch")
            assert str(len(records)) == table_of(answer)[number][measure]


def test_activities_reach_every_specialist_and_sum_up(reporting: Any) -> None:
    """Scenario C10: figures of each specialist add up to group and company; a sibling group stays unseen."""
    world = reporting.world
    _, (a, b, _) = three_outlets(world)
    anna, boris = world.a_user("Anna"), world.a_user("Boris")
    for unit, author, times in ((a, anna, 5), (a, boris, 1), (b, boris, 3)):
        for _ in range(times):
            world.an_interaction(unit, author)
    answer = reporting.run("activities", group_by="branch person")
    assert [tuple(row.values()) for row in table_of(answer)] == [
        ("A", "Anna", "5"),
        ("A", "Boris", "1"),
        ("B", "Boris", "3"),
    ]
    assert table_of(answer, "totals")[0]["interactions"] == "9"
    assert table_of(reporting.run("activities", reader_of("hq.b")), "totals")[0]["interactions"] == "3"
    records = reporting.records("activities", keys_of(answer)[0]["interactions"], group_by="branch person")
    assert [record["person"] for record in records] == ["Anna"] * 5


@pytest.mark.parametrize(
    "name", ["funnel", "won", "win-rate", "cycle", "plan-fact", "pipeline", "customers", "activities"]
)
def test_a_report_over_nothing_is_empty_and_not_an_error(reporting: Any, name: str) -> None:
    answer = reporting.run(name, **MARCH)
    assert answer.columns
    assert all(cell.value in ("", "0", "Total") for row in (*answer.rows, *answer.totals) for cell in row.cells)


def test_the_catalogue_names_every_report_with_its_groupings(reporting: Any) -> None:
    from crm.reporting.v1 import reporting_pb2 as pb

    found = {one.name: one for one in reporting.call("ListReports", pb.ListReportsRequest()).reports}
    assert set(found) >= {"funnel", "won", "win-rate", "cycle", "plan-fact", "customers", "deliveries", "pipeline"}
    for one in found.values():
        assert one.description
        for group in one.group_by:
            reporting.run(one.name, group_by=group)
