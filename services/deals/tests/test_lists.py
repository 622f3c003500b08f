"""Lists of deals are exact and in order on every page, and cost the same however many deals there are."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import OWN, READ, SUBTREE, Access, Grant
from chassis.clock import now
from chassis.database import UnitOfWork
from chassis.ids import new_id
from chassis.testing.plans import plan_of, rows_read
from crm.deals.v1 import deals_pb2 as pb
from deals import queries
from deals.queries import Question
from deals.records import Deal, Facts, Stage
from deals.storing import insert_deals
from services.deals.tests.desk import ADMIN, PATHS, Desk, a_deal, id_of, seller_of, steward_of
from units.visibility import sight_of

MANY = 6_000


def pages(desk: Desk, size: int = 3, **fields: Any) -> list[str]:
    found: list[str] = []
    request = pb.ListDealsRequest(page_size=size, **fields)
    while True:
        answer = desk.call("ListDeals", request)
        assert len(answer.deals) <= size
        found.extend(one.id for one in answer.deals)
        request.page_token = answer.next_page_token
        if not request.page_token:
            return found


def test_deals_are_listed_youngest_first_by_every_filter(desk: Desk) -> None:
    people, companies = ["Anna", "Boris", ""], ["Acme", ""]
    made = []
    for number in range(24):
        unit = list(PATHS)[number % 4]
        fields = {
            "owner_id": id_of(people[number % 3]) if people[number % 3] else "",
            "organization_id": id_of(companies[number % 2]) if companies[number % 2] else "",
            "stage_name": "Won" if number % 5 == 0 else "Lead",
        }
        made.append(desk.open(unit_id=id_of(unit), **fields))
    made.reverse()
    moscow = {id_of("moscow"), id_of("arbat")}
    assert pages(desk) == [one.id for one in made]
    assert pages(desk, unit_id=id_of("moscow")) == [one.id for one in made if one.unit_id in moscow]
    assert pages(desk, status=pb.STAGE_KIND_WON) == [one.id for one in made if one.status == pb.STAGE_KIND_WON]
    assert pages(desk, owner_id=id_of("Anna")) == [one.id for one in made if one.owner_id == id_of("Anna")]
    acme = [one.id for one in made if one.organization_id == id_of("Acme") and one.unit_id in moscow]
    assert pages(desk, organization_id=id_of("Acme"), unit_id=id_of("moscow")) == acme
    named = [made[at].id for at in (1, 2, 5, 8)]
    assert pages(desk, deal_ids=named) == named
    assert desk.refusal("ListDeals", pb.ListDealsRequest(deal_ids=["none"])).reason == "FIELD_INVALID"
    assert desk.refusal("ListDeals", pb.ListDealsRequest(deal_ids=named * 130)).reason == "FIELD_INVALID"
    with desk.as_caller(steward_of("moscow")):
        assert pages(desk, deal_ids=named) == [one.id for one in made if one.id in named and one.unit_id in moscow]
        assert pages(desk) == [one.id for one in made if one.unit_id in moscow]
        own = [one.id for one in made if one.unit_id in moscow and one.status == pb.STAGE_KIND_WON]
        assert pages(desk, status=pb.STAGE_KIND_WON) == own
    with desk.as_caller(seller_of("moscow", "Anna")):
        assert pages(desk) == [one.id for one in made if one.owner_id == id_of("Anna")]
    both = Access(id_of("Boris"), "Boris", id_of("tula"), (Grant(READ, SUBTREE, "hq.tula"), Grant(READ, OWN)))
    with desk.as_caller(both):
        seen = [one.id for one in made if one.owner_id == both.user_id or one.unit_id == id_of("tula")]
        assert pages(desk) == seen


def test_a_page_token_belongs_to_its_question(desk: Desk) -> None:
    for _ in range(2):
        desk.open()
    token = desk.call("ListDeals", pb.ListDealsRequest(page_size=1)).next_page_token
    assert token
    for wrong in (
        pb.ListDealsRequest(page_token=token, status=pb.STAGE_KIND_WON),
        pb.ListDealsRequest(page_token="not one of ours"),
        pb.ListProductsRequest(page_token=token),
    ):
        method = "ListProducts" if isinstance(wrong, pb.ListProductsRequest) else "ListDeals"
        assert desk.refusal(method, wrong).reason == "PAGE_TOKEN_INVALID"


@pytest.mark.parametrize("size", [-1, 501])
def test_a_page_size_outside_its_limits_is_refused(desk: Desk, size: int) -> None:
    assert desk.refusal("ListDeals", pb.ListDealsRequest(page_size=size)).violations[0].field == "page_size"


def test_a_batch_read_leaves_out_what_is_not_there_and_has_a_limit(desk: Desk) -> None:
    opened = desk.open()
    request = pb.BatchGetDealsRequest(deal_ids=[opened.id, id_of("nothing"), "no id", opened.id])
    assert list(desk.call("BatchGetDeals", request).deals) == [opened]
    too_many = pb.BatchGetDealsRequest(deal_ids=[opened.id] * 501)
    assert desk.refusal("BatchGetDeals", too_many).violations[0].field == "deal_ids"
    assert desk.refusal("GetDeal", pb.GetDealRequest(deal_id="' OR 1=1")).reason == "DEAL_NOT_FOUND"


def fill(work: UnitOfWork, stages: dict[str, str]) -> None:
    """Thousands of deals, of which Tula has the oldest three only."""
    lead = Stage(stages["Lead"], new_id(), "Lead", "open", 1)
    deals = []
    for number in range(MANY):
        unit = id_of("tula") if number < 3 else id_of("moscow")
        facts = Facts(
            f"deal {number}", lead.pipeline_id, lead.id, id_of(f"company {number % 500}"), "", unit,
            id_of(f"seller {number % 100}"), None, "", (), (), None, None, "", "", "", "", (),
        )  # fmt: skip
        deals.append(Deal(new_id(), 1, lead, facts, "", "", now(), now()))
    insert_deals(work, deals)


def test_a_page_reads_no_more_than_a_page(desk: Desk) -> None:
    desk.work(lambda work: fill(work, desk.stages))
    desk.work(lambda work: work.execute(sa.text("ANALYZE deal")))
    for access, question in (
        (ADMIN, Question()),
        (ADMIN, Question(unit_id=id_of("tula"))),
        (ADMIN, Question(status="won")),
        (ADMIN, Question(status="open", unit_id=id_of("moscow"))),
        (ADMIN, Question(organization_id=id_of("company 7"))),
        (ADMIN, Question(owner_id=id_of("seller 7"))),
        (steward_of("tula"), Question()),
        (steward_of("moscow"), Question()),
        (seller_of("moscow", "seller 7"), Question()),
    ):
        plan = page_plan(desk, access, question)
        assert rows_read(plan) <= 500, (question, json.dumps(plan, indent=1))


def page_plan(desk: Desk, access: Access, question: Question) -> dict[str, Any]:
    """How the database answers a page of 50."""
    with desk.database.transaction(access) as work:
        sight, seen = sight_of(access, "deal")
        values = {**seen, **queries.values_of(work, question), "size": 51}
        return plan_of(work, queries.read_page(sight, queries.shape_of(question), False), values)


def test_a_foreign_unit_is_not_known(desk: Desk) -> None:
    refused = desk.refusal("ListDeals", pb.ListDealsRequest(unit_id=id_of("nowhere")))
    assert refused.reason == "UNIT_NOT_KNOWN"
    refused = desk.refusal("CreateDeal", pb.CreateDealRequest(deal=a_deal(unit_id=id_of("nowhere"))))
    assert refused.reason == "UNIT_NOT_KNOWN"
