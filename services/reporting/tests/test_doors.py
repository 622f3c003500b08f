"""The doors: exchange rates over gRPC, what is listened to, and that the important questions use their indexes."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.errors import RemoteError
from chassis.ids import new_id
from chassis.naming import fact_of, routing_key
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.directory.events.v1 import directory_events_pb2 as directory
from crm.imports.events.v1 import imports_events_pb2 as imports
from crm.reporting.v1 import reporting_pb2 as pb
from reporting.subscriptions import BINDINGS, HANDLERS
from services.reporting.tests.world import reader_of

PARTS = re.compile(r"(State|Personal|Place)$")
# No figure stands on how far a run is, or on who may do what: rights come with the caller's token.
# Records that go along with somebody to another unit say so themselves; what an own field asks of cards is no figure.
NOT_REPORTED = {
    "RunProgressed", "RoleChanged", "RoleRemoved", "RestrictionAdded", "RestrictionRemoved", "FieldGroupChanged",
    "FieldGroupRemoved", "UnitUserMoved", "CustomerFieldCreated", "CustomerFieldUpdated",
    "SegmentCreated", "SegmentUpdated", "SegmentEntered", "SegmentLeft",
}  # fmt: skip


def a_rate(**more: Any) -> pb.ExchangeRate:
    values = {"from_currency": "USD", "to_currency": "EUR", "rate": "0.9", "source": "bank", **more}
    start = values.pop("start_date", {"year": 2026, "month": 1, "day": 1})
    return pb.ExchangeRate(**values, start_date=start)


def test_rates_are_stored_as_given_and_listed_youngest_first_page_by_page(reporting: Any) -> None:
    for day in ("2026-01-01", "2026-03-01", "2026-02-01"):
        reporting.set_rate("USD", "EUR", "0.912345678901", day, "bank 'ß' 漢字")
    reporting.set_rate("GBP", "EUR", "1.2", "2026-02-01")
    found: list[pb.ExchangeRate] = []
    token = ""
    while True:
        page = reporting.call("ListExchangeRates", pb.ListExchangeRatesRequest(page_size=1, page_token=token))
        found += page.rates
        token = page.next_page_token
        if not token:
            break
    assert [(one.start_date.month, one.from_currency) for one in found] == [
        (3, "USD"),
        (2, "GBP"),
        (2, "USD"),
        (1, "USD"),
    ]
    assert (found[0].rate, found[0].source) == ("0.912345678901", "bank 'ß' 漢字")


def test_a_repeated_request_id_sets_a_rate_once_and_another_body_is_refused(reporting: Any) -> None:
    request = pb.SetExchangeRateRequest(request_id="same", rate=a_rate())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: reporting.call("SetExchangeRate", request), range(4)))
    assert len({answer.SerializeToString() for answer in answers}) == 1
    with pytest.raises(RemoteError) as refused:
        reporting.call("SetExchangeRate", pb.SetExchangeRateRequest(request_id="same", rate=a_rate(rate="2")))
    assert refused.value.reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"rate": "0"}, "rate.rate"),
        ({"rate": "-1"}, "rate.rate"),
        ({"rate": "1e3"}, "rate.rate"),
        ({"rate": "٣"}, "rate.rate"),
        ({"rate": "0.1234567890123"}, "rate.rate"),
        ({"from_currency": "usd"}, "rate.from_currency"),
        ({"to_currency": "USD"}, "rate.to_currency"),
        ({"source": "x" * 201}, "rate.source"),
        ({"source": "a\0b"}, "rate.source"),
        ({"start_date": {"year": 2026, "month": 2, "day": 30}}, "rate.start_date"),
        ({"start_date": {}}, "rate.start_date"),
    ],
)
def test_a_rate_that_cannot_be_is_refused_by_field(reporting: Any, more: Any, field: str) -> None:
    with pytest.raises(RemoteError) as refused:
        reporting.call("SetExchangeRate", pb.SetExchangeRateRequest(rate=a_rate(**more)))
    assert (refused.value.reason, refused.value.violations[0].field) == ("FIELD_INVALID", field)


def test_only_administrators_of_everything_set_rates(reporting: Any) -> None:
    with pytest.raises(RemoteError) as refused:
        reporting.set_rate("USD", "EUR", "1", "2026-01-01", access=reader_of("hq"))
    assert refused.value.reason == "NOT_PERMITTED"


@pytest.mark.parametrize("token", ["x", "W10", "bm90IG91cnM"])
def test_a_made_up_page_token_of_rates_is_refused(reporting: Any, token: str) -> None:
    with pytest.raises(RemoteError) as refused:
        reporting.call("ListExchangeRates", pb.ListExchangeRatesRequest(page_token=token))
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


def test_every_fact_of_the_other_services_has_a_handler_and_a_binding() -> None:
    for module in (directory, contacts, deals, imports):
        for name in module.DESCRIPTOR.message_types_by_name:
            if PARTS.search(name) or name in NOT_REPORTED:
                continue
            kind = getattr(module, name)
            assert kind in HANDLERS, name
            aggregate = re.sub(r"(?<!^)[A-Z].*", "", name).lower()
            service = module.DESCRIPTOR.package.split(".")[1]
            key = routing_key(service, aggregate, fact_of(name, aggregate), 1, new_id(), "hq.north")
            assert any(re.fullmatch(_pattern(one), key) for one in BINDINGS), key


def _pattern(binding: str) -> str:
    return binding.replace(".", r"\.").replace("*", "[^.]+").replace("#", ".+")


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("close_date BETWEEN :first AND :last", "deal_closed"),
        ("cohort_date BETWEEN :first AND :last", "deal_cohort"),
        ("organization_id = CAST(:id AS uuid)", "deal_organization"),
    ],
)
def test_days_at_the_edge_of_a_period_are_found_by_index_however_long_the_history(
    reporting: Any, where: str, index: str
) -> None:
    values = {"id": new_id(), "first": date(2026, 1, 10), "last": date(2026, 1, 20)}
    fill = sa.text(
        "INSERT INTO deal SELECT gen_random_uuid(), CAST(:id AS uuid), CAST(:id AS uuid), 'won', gen_random_uuid(),"
        " NULL, CAST(:id AS uuid), NULL, 1, 'EUR', d, d, d, '', '', '', '', '{}', 1, 1"
        " FROM generate_series(date '2020-01-01', date '2026-12-31', '6 hours') d"
    )
    with reporting.database.transaction() as work:
        work.execute(fill, {"id": values["id"]})
        work.execute(sa.text("ANALYZE deal"))
        given = {name: value for name, value in values.items() if f":{name}" in where}
        plan = "\n".join(
            row[0] for row in work.execute(sa.text(f"EXPLAIN SELECT count(*) FROM deal WHERE {where}"), given)
        )
    assert index in plan
