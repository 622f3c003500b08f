"""Plans are set by unit, person, product and period; the same one again is replaced, never doubled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from crm.deals.v1 import deals_pb2 as pb
from deals.tables import plan
from services.deals.tests.desk import Desk, a_day, id_of, seller_of, some_money, steward_of

QUANTITY = {"metric": pb.PLAN_METRIC_QUANTITY, "quantity": "40000"}


def a_plan(**fields: Any) -> pb.Plan:
    values = {"unit_id": id_of("moscow"), "start_date": "2024-05-01", "end_date": "2024-06-01", **fields}
    if "metric" not in values:
        values |= {"metric": pb.PLAN_METRIC_REVENUE, "amount": some_money(values.get("amount", "100 EUR"))}
    for name in ("start_date", "end_date"):
        values[name] = a_day(values[name]) if isinstance(values[name], str) else values[name]
    return pb.Plan(**values)


def set_plan(desk: Desk, **fields: Any) -> pb.Plan:
    return desk.call("SetPlan", pb.SetPlanRequest(plan=a_plan(**fields))).plan  # type: ignore[no-any-return]


def take(desk: Desk, *plans: pb.Plan, run_id: str = "run-1", dry_run: bool = False) -> list[pb.RowFate]:
    rows = [
        pb.PlanRow(plan=one, provenance=pb.Provenance(run_id=run_id, file="plan.xlsx", row=number))
        for number, one in enumerate(plans, 2)
    ]
    request = pb.ImportPlansRequest(rows=rows, unit_id=id_of("moscow"), dry_run=dry_run)
    return list(desk.call("ImportPlans", request).fates)


def fates(found: list[pb.RowFate]) -> list[str]:
    return [pb.Fate.Name(one.fate).removeprefix("FATE_").lower() for one in found]


def test_the_same_plan_again_is_replaced_and_told_with_its_version(desk: Desk) -> None:
    first = set_plan(desk)
    second = set_plan(desk, amount="250.5 EUR")
    assert (second.id, second.etag, second.amount) == (first.id, "2", some_money("250.5 EUR"))
    assert set_plan(desk, amount="250.5 EUR") == second
    facts = desk.told("PlanSet")
    assert [(fact.version, fact.message.plan.amount.units) for fact in facts] == [(1, 100), (2, 250)]
    assert (facts[1].message.plan.start_date, facts[1].message.plan.metric) == ("2024-05-01", "revenue")
    assert facts[1].routing_key.endswith(".hq.moscow.e")


def test_plans_of_another_period_person_product_measure_or_currency_stand_beside_it(desk: Desk) -> None:
    tea = desk.product("Tea")
    variants: list[dict[str, Any]] = [
        {}, {"start_date": "2024-04-01", "end_date": "2024-07-01"}, {"user_id": id_of("Anna")}, {"product_id": tea.id},
        QUANTITY, {"unit_id": id_of("arbat")}, {"amount": "100 USD"}, {"user_id": id_of("Anna"), "product_id": tea.id},
    ]  # fmt: skip
    assert len({set_plan(desk, **fields).id for fields in variants}) == len(variants)
    assert len({set_plan(desk, **fields).id for fields in variants}) == len(variants)
    assert desk.count(plan) == len(variants)


def test_the_same_plan_set_many_times_at_once_is_one(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: set_plan(desk, amount=f"{number + 1} EUR"), range(16)))
    assert desk.count(plan) == 1
    assert [fact.version for fact in desk.told("PlanSet")] == list(range(1, 17))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"end_date": "2024-05-01"}, "plan.end_date"),
    ({"end_date": None}, "plan.end_date"),
    ({"metric": pb.PLAN_METRIC_UNSPECIFIED}, "plan.metric"),
    ({"metric": pb.PLAN_METRIC_REVENUE}, "plan.amount"),
    ({"metric": pb.PLAN_METRIC_QUANTITY}, "plan.quantity"),
    ({"metric": pb.PLAN_METRIC_QUANTITY, "quantity": "25676%"}, "plan.quantity"),
    ({"metric": pb.PLAN_METRIC_QUANTITY, "quantity": "1.0000001"}, "plan.quantity"),
    ({"user_id": "somebody"}, "plan.user_id"),
]


def test_a_plan_that_cannot_be_is_refused_by_field(desk: Desk) -> None:
    for fields, field in WRONG:
        refused = desk.refusal("SetPlan", pb.SetPlanRequest(plan=a_plan(**fields)))
        assert (refused.reason, refused.violations[0].field) == ("FIELD_INVALID", field), fields
    assert desk.count(plan) == 0


def test_a_fraction_of_a_whole_unit_product_cannot_be_planned(desk: Desk) -> None:
    sets = desk.product("Dinner set", unit_of_measure="set")
    fields = {"metric": pb.PLAN_METRIC_QUANTITY, "quantity": "256.76", "product_id": sets.id}
    refused = desk.refusal("SetPlan", pb.SetPlanRequest(plan=a_plan(**fields)))
    assert (refused.reason, refused.violations[0].field) == ("FRACTION_NOT_ALLOWED", "plan.quantity")
    unknown = desk.refusal("SetPlan", pb.SetPlanRequest(plan=a_plan(product_id=id_of("nothing"))))
    assert unknown.reason == "PRODUCT_NOT_FOUND"


def test_plans_need_rights_in_their_unit_and_are_seen_there_only(desk: Desk) -> None:
    mine, own = set_plan(desk), set_plan(desk, user_id=id_of("Anna"))
    with desk.as_caller(steward_of("tula")):
        assert desk.refusal("SetPlan", pb.SetPlanRequest(plan=a_plan())).reason == "NOT_PERMITTED"
        assert desk.call("ListPlans", pb.ListPlansRequest()).plans == []
        assert desk.refusal("ImportPlans", pb.ImportPlansRequest(unit_id=id_of("moscow"))).reason == "NOT_PERMITTED"
    with desk.as_caller(seller_of("moscow", "Anna")):
        assert [one.id for one in desk.call("ListPlans", pb.ListPlansRequest()).plans] == [own.id]
    with desk.as_caller(steward_of("moscow")):
        assert {one.id for one in desk.call("ListPlans", pb.ListPlansRequest()).plans} == {mine.id, own.id}


def test_plans_are_listed_by_period_and_unit_page_by_page(desk: Desk) -> None:
    for month in (3, 1, 2):
        for unit in ("moscow", "arbat", "tula"):
            set_plan(desk, unit_id=id_of(unit), start_date=f"2024-0{month}-01", end_date=f"2024-0{month + 1}-01")
    found: list[pb.Plan] = []
    request = pb.ListPlansRequest(page_size=2, unit_id=id_of("moscow"))
    while True:
        answer = desk.call("ListPlans", request)
        found.extend(answer.plans)
        request.page_token = answer.next_page_token
        if not request.page_token:
            break
    assert [one.start_date.month for one in found] == [1, 1, 2, 2, 3, 3]
    assert {one.unit_id for one in found} == {id_of("moscow"), id_of("arbat")}
    other = pb.ListPlansRequest(page_token=desk.call("ListPlans", pb.ListPlansRequest(page_size=1)).next_page_token)
    other.unit_id = id_of("tula")
    assert desk.refusal("ListPlans", other).reason == "PAGE_TOKEN_INVALID"


def test_plans_of_a_workbook_come_in_once(desk: Desk) -> None:
    rows = [
        a_plan(unit_id=""), a_plan(unit_id="", user_id=id_of("Anna")), a_plan(), a_plan(amount="7 EUR"),
        a_plan(unit_id=id_of("nowhere")), a_plan(end_date="2024-04-01"), a_plan(product_id=id_of("nothing")),
    ]  # fmt: skip
    dry = take(desk, *rows, dry_run=True)
    assert fates(dry) == ["created", "created", "merged", "refused", "refused", "refused", "refused"]
    assert desk.count(plan) == 0
    found = take(desk, *rows)
    assert fates(found) == fates(dry)
    assert [one.reason for one in found[3:]] == [
        "ROW_CONTRADICTS", "UNIT_NOT_KNOWN", "FIELD_INVALID", "PRODUCT_NOT_FOUND",
    ]  # fmt: skip
    assert found[2].record_id == found[0].record_id
    assert fates(take(desk, *rows[:3], run_id="run-2")) == ["unchanged"] * 3
    (changed,) = take(desk, a_plan(amount="8 EUR"), run_id="run-3")
    assert (fates([changed]), list(changed.changed_fields)) == (["updated"], ["amount"])
    assert changed.record_id == found[0].record_id
    assert len(desk.told("PlanSet")) == 3
