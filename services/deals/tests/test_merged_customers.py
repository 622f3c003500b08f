"""Deals of a merged customer name the survivor, each told once; what comes late is led there; undone, they go back."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from crm.contacts.events.v1 import contacts_events_pb2 as events
from crm.deals.v1 import deals_pb2 as pb
from deals.customers import copy_persons
from deals.merged_customers import HANDLERS
from services.deals.tests.desk import Desk, id_of

A, B, C = id_of("first card"), id_of("second card"), id_of("third card")
FIRST, SECOND = id_of("first merge"), id_of("second merge")


class News(NamedTuple):
    """An event as the handlers get it."""

    message: Any
    aggregate_id: str
    epoch: int = 1
    version: int = 2


@pytest.fixture(autouse=True)
def known(desk: Desk) -> None:
    """The three customers are known."""
    desk.work(lambda work: copy_persons(work, [News(events.PersonCreated(), one, version=1) for one in (A, B, C)]))


def hear(desk: Desk, kind: Any, merge_id: str, merged_id: str, survivor_id: str) -> None:
    news = News(kind(merge_id=merge_id, survivor_id=survivor_id), merged_id)
    desk.work(lambda work: HANDLERS[kind](work, [news]))


def persons(desk: Desk, *deals: Any) -> list[str]:
    return [desk.get(one.id).person_id for one in deals]


def test_deals_go_to_the_survivor_and_each_is_told_once(desk: Desk) -> None:
    mine, theirs, none = desk.open(person_id=A), desk.open(person_id=B), desk.open()
    for _ in range(2):
        hear(desk, events.PersonMerged, FIRST, A, B)
    assert persons(desk, mine, theirs, none) == [B, B, ""]
    assert [list(one.message.changed.paths) for one in desk.told("DealUpdated")] == [["person_id"]]
    assert desk.told("DealUpdated")[0].message.deal.person_id == B


def test_a_deal_of_a_form_opened_before_the_merge_is_the_survivors(desk: Desk) -> None:
    hear(desk, events.PersonMerged, FIRST, A, B)
    assert desk.open(person_id=A).person_id == B


def test_who_asks_with_the_id_of_a_merged_customer_finds_the_survivors_deals(desk: Desk) -> None:
    made = [desk.open(person_id=A).id, desk.open(person_id=B).id]
    hear(desk, events.PersonMerged, FIRST, A, B)
    for order in (pb.DEAL_ORDER_UNSPECIFIED, pb.DEAL_ORDER_TITLE):
        found = desk.call("ListDeals", pb.ListDealsRequest(person_id=A, order=order)).deals
        assert {one.id for one in found} == set(made)
    hear(desk, events.PersonUnmerged, FIRST, A, B)
    assert [one.id for one in desk.call("ListDeals", pb.ListDealsRequest(person_id=A)).deals] == made[:1]


def test_organizations_and_persons_do_not_mix(desk: Desk) -> None:
    firm = id_of("a firm")
    made = desk.open(person_id=A)
    hear(desk, events.OrganizationMerged, FIRST, firm, id_of("another firm"))
    assert persons(desk, made) == [A]


@pytest.mark.parametrize("late", [False, True])
def test_a_chain_leads_to_its_end_and_goes_back_link_by_link(desk: Desk, late: bool) -> None:
    made = desk.open(person_id=A)
    links = [(FIRST, A, B), (SECOND, B, C)]
    for link in reversed(links) if late else links:
        hear(desk, events.PersonMerged, *link)
    assert persons(desk, made) == [C]
    hear(desk, events.PersonUnmerged, *links[1])
    assert persons(desk, made) == [B]
    hear(desk, events.PersonUnmerged, *links[0])
    assert persons(desk, made) == [A]


def test_undone_deals_go_back_but_not_those_that_somebody_gave_to_another_customer(desk: Desk) -> None:
    mine, given, theirs = desk.open(person_id=A), desk.open(person_id=A), desk.open(person_id=B)
    hear(desk, events.PersonMerged, FIRST, A, B)
    change = pb.Deal(id=given.id, person_id=C)
    mask = FieldMask(paths=["person_id"])
    desk.call("UpdateDeal", pb.UpdateDealRequest(deal=change, update_mask=mask, etag=desk.get(given.id).etag))
    hear(desk, events.PersonUnmerged, FIRST, A, B)
    assert persons(desk, mine, given, theirs) == [A, C, B]
    hear(desk, events.PersonMerged, FIRST, A, B)
    assert persons(desk, mine) == [A]
