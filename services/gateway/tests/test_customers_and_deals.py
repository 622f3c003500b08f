"""Customers and deals over REST, on the real services."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Rest, a_code


def a_person(rest: Rest, unit: dict[str, Any], **values: Any) -> dict[str, Any]:
    """Make a person known by an e-mail of its own."""
    email = f"{a_code('mail')}@example.com"
    body = {"display_name": "Anna Berg", "unit_id": unit["id"], "channels": [{"kind": "email", "raw": email}], **values}
    made: dict[str, Any] = rest.post("/persons", body)
    return made


def test_a_person_is_made_once_found_changed_and_counted(admin: Rest, a_branch: Any) -> None:
    unit = a_branch()
    made = a_person(admin, unit)
    person = made["person"]
    assert (made["existed"], person["display_name"], person["channels"][0]["kind"]) == (False, "Anna Berg", "email")
    email = person["channels"][0]["value"]
    again = a_person(admin, unit, channels=[{"kind": "email", "raw": email.upper()}])
    assert (again["existed"], again["person"]["id"]) == (True, person["id"])
    (hit,) = admin.get("/search", query=email)["hits"]
    assert hit["id"] == person["id"]
    read = admin.ask("GET", f"/persons/{person['id']}")
    changed = admin.patch(
        f"/persons/{person['id']}", {"birth_date": "1980-02-29"}, headers={"If-Match": read.headers["etag"]}
    )
    assert changed["birth_date"] == "1980-02-29"
    assert admin.get("/customers/count", unit=unit["path"])["persons"] == 1
    assert [one["id"] for one in admin.get("/persons", unit=unit["code"])["persons"]] == [person["id"]]


def test_an_organization_and_an_interaction_with_it(admin: Rest, a_branch: Any) -> None:
    unit = a_branch()
    name = f"Werk {a_code('firm')} GmbH"
    made = admin.post("/organizations", {"display_name": name, "unit_id": unit["code"]})["organization"]
    body = {
        "organization_id": made["id"],
        "kind": "call",
        "summary": "Called.",
        "occur_time": "2026-01-31T09:30:00+01:00",
    }
    logged = admin.post("/interactions", {**body, "unit_id": unit["code"]})
    assert logged["occur_time"] == "2026-01-31T08:30:00Z"
    listed = admin.get("/interactions", organization_id=made["id"])["interactions"]
    assert [one["id"] for one in listed] == [logged["id"]]


def test_customers_of_another_branch_are_not_there(admin: Rest, a_branch: Any, a_user: Any) -> None:
    own, other = a_branch(), a_branch()
    person = a_person(admin, other)["person"]
    seller: Rest = a_user(own)
    assert seller.ask("GET", f"/persons/{person['id']}").status_code == 404
    assert seller.get("/persons")["persons"] == []
    assert seller.get("/search", query=person["channels"][0]["value"])["hits"] == []
    assert seller.get("/customers/count")["persons"] == 0
    assert seller.get("/persons", unit=other["id"])["persons"] == []
    assert seller.ask("GET", "/persons", params={"unit": other["path"]}).status_code == 404


def test_a_deal_with_lines_moves_to_won(admin: Rest, a_branch: Any) -> None:
    unit = a_branch()
    stages = [{"name": "New", "kind": "open"}, {"name": "Won", "kind": "won"}, {"name": "Lost", "kind": "lost"}]
    pipeline = admin.post("/pipelines", {"name": a_code("Pipeline "), "stages": stages})
    product = admin.post("/products", {"name": a_code("Product "), "unit_of_measure": "piece"})
    line = {"product_id": product["id"], "quantity": "2", "unit_price": {"amount": "1234.50", "currency_code": "EUR"}}
    deal = admin.post(
        "/deals",
        {
            "title": "Two pumps",
            "unit_id": unit["code"],
            "pipeline_id": pipeline["id"],
            "stage_id": pipeline["stages"][0]["id"],
            "line_items": [line],
            "open_date": "2026-01-01",
        },
    )
    assert deal["amount"] == {"amount": "2469.00", "currency_code": "EUR"}
    won = {"stage_id": pipeline["stages"][1]["id"], "change_date": "2026-01-31"}
    moved = admin.post(f"/deals/{deal['id']}/move", won, headers={"If-Match": f'"{deal["etag"]}"'})
    assert (moved["status"], moved["close_date"]) == ("won", "2026-01-31")
    stale = admin.ask("POST", f"/deals/{deal['id']}/move", json=won, headers={"If-Match": f'"{deal["etag"]}"'})
    assert stale.status_code == 412
    assert [one["id"] for one in admin.get("/deals", unit=unit["path"], status="won")["deals"]] == [deal["id"]]
    assert admin.get("/deals", unit=unit["path"], status="open")["deals"] == []


def test_a_board_its_sums_and_its_lists_tell_the_same(admin: Rest, a_branch: Any) -> None:
    unit = a_branch()
    stages = [{"name": "New", "kind": "open"}, {"name": "Won", "kind": "won"}, {"name": "Lost", "kind": "lost"}]
    pipeline = admin.post("/pipelines", {"name": a_code("Board "), "stages": stages})
    for amount in ("10.50", "20"):
        price = {"amount": amount, "currency_code": "EUR"}
        admin.post("/deals", {"unit_id": unit["code"], "pipeline_id": pipeline["id"], "amount": price, "title": "Pump"})
    asked = {"unit": unit["path"], "pipeline_id": pipeline["id"]}
    columns = admin.get("/deals/board", **asked, column_size=1)["columns"]
    assert [(one["stage"]["name"], one["count"], len(one["deals"])) for one in columns] == [
        ("New", 2, 1), ("Won", 0, 0), ("Lost", 0, 0),
    ]  # fmt: skip
    assert [
        one["stage"]["name"]
        for one in admin.get("/deals/board", **asked, stage_ids=columns[1]["stage"]["id"])["columns"]
    ] == ["Won"]
    sums = admin.get("/deals/sums", **asked, status="open")
    assert (sums["count"], sums["amounts"]) == (2, [{"amount": "30.50", "currency_code": "EUR"}])
    largest = admin.get("/deals", **asked, order="amount", descending="true")["deals"]
    assert [one["amount"]["amount"] for one in largest] == ["20.00", "10.50"]
    assert admin.get("/deals/sums", **asked, closed_from_date="2026-01-01")["count"] == 2


def test_a_plan_is_set_and_set_again(admin: Rest, a_branch: Any) -> None:
    unit = a_branch()
    plan = {"unit_id": unit["code"], "start_date": "2026-01-01", "end_date": "2026-02-01", "metric": "revenue"}
    for amount in ("1000.00", "1500.00"):
        body = {**plan, "amount": {"amount": amount, "currency_code": "EUR"}}
        assert admin.ask("PUT", "/plans", json=body).json()["amount"]["amount"] == amount
    assert len(admin.get("/plans", unit=unit["path"])["plans"]) == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/persons", {"display_name": "x" * 301}, "display_name"),
        ("/persons", {"display_name": "A", "birth_date": "2025-02-29"}, "birth_date"),
        ("/persons", {"display_name": "A", "channels": [{"kind": "pigeon"}]}, "channels[0].kind"),
        ("/persons", {"display_name": "A", "owner": "me"}, "owner"),
        ("/deals", {"amount": {"amount": 5, "currency_code": "EUR"}}, "amount.amount"),
        ("/deals", {"amount": {"amount": "5,0", "currency_code": "EUR"}}, "amount.amount"),
        ("/deals", {"amount": {"amount": "5", "currency_code": "euro"}}, "amount.currency_code"),
        ("/deals", {"status": "won"}, "status"),
        ("/deals", {"line_items": {"quantity": "1"}}, "line_items"),
        ("/interactions", {"occur_time": "2026-01-31 09:30"}, "occur_time"),
        ("/interactions", {"occur_time": "2026-01-31T25:30:00Z"}, "occur_time"),
        ("/exchange_rates", {"rate": 1.5}, "rate"),
    ],
)
def test_a_wrong_field_is_named(admin: Rest, a_branch: Any, path: str, body: dict[str, Any], field: str) -> None:
    units = {} if path == "/exchange_rates" else {"unit_id": a_branch()["id"]}
    answer = admin.ask("POST", path, json={**units, **body})
    assert answer.status_code == 400, answer.text
    assert field in [one["field"] for one in answer.json()["errors"]]


def test_names_in_any_script_come_back_byte_equal(
    admin: Rest, a_branch: Any, shared_data: Callable[[str], Path]
) -> None:
    unit = a_branch()
    texts = json.loads((shared_data("strings-hostile") / "blns.json").read_text(encoding="utf-8"))
    person = a_person(admin, unit)["person"]
    etag = person["etag"]
    for text in [one for one in texts if one.strip() == one and one and "\0" not in one and len(one) <= 300][::10]:
        answer = admin.ask("PATCH", f"/persons/{person['id']}", json={"display_name": text}, headers={"If-Match": etag})
        assert answer.status_code == 200, answer.text
        assert answer.json()["display_name"] == text
        etag = answer.json()["etag"]
