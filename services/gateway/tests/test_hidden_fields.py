"""Confidential fields over every channel: what must not be told is looked for in all that a person can ask."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .conftest import PASSWORD, a_code
from .web.conftest import Browser

# Words that stand in one confidential field each, in the forms in which an answer or a page may show them.
CANARIES = {
    "customer.channels": ("9951234567", "995 123", "canary.mail"),
    "customer.address": ("Canary street", "Canarytown"),
    "customer.birth_date": ("1961-07-13", "1961"),
    "customer.tax_id": ("7707083893", "500100732259"),
    "customer.attributes": ("canary attribute",),
    "interaction.summary": ("canary was said",),
    "deal.amount": ("98763", "98,763", "32921", "32,921"),
    "activity.description": ("canary description",),
}
KINDS = ("customer", "interaction", "deal", "activity")
ALL_GROUPS = (
    "customer.contacts", "customer.identity", "customer.facts", "interaction.content", "deal.amounts",
    "activity.content",
)  # fmt: skip


def a_reader(platform: Any, admin: Any, unit: dict[str, Any], *groups: str) -> str:
    """The login of somebody who reads and writes each kind by its name, and sees these groups of fields."""
    code, login = a_code("role"), a_code("reader")
    permissions = [
        {"action": action, "records": kind, "scope": "all"} for kind in KINDS for action in ("read", "write")
    ]
    permissions += [{"action": "read", "records": kind, "scope": "all"} for kind in ("staff", "catalogue", "plan")]
    permissions += [{"action": "read", "records": one, "scope": "all"} for one in groups]
    answer = admin.ask("PUT", f"/roles/{code}", json={"name": code, "permissions": permissions})
    assert answer.status_code == 200, answer.text
    position = {"unit_id": unit["id"], "title": code, "role_code": code}
    admin.post("/users", {"display_name": login, "login": login, "password": PASSWORD, "positions": [position]})
    return login


@pytest.fixture
def filled(admin: Any, a_branch: Any) -> dict[str, str]:
    """Ids of a branch, and of records of it that have a canary in every confidential field."""
    unit = a_branch(country_code="RU", area_code="495")["id"]
    shared = {"unit_id": unit, "address": {"street": "Canary street 5", "city": "Canarytown"}}
    mark = a_code("X")
    person = admin.post("/persons", {
        **shared, "display_name": f"Vera {mark}", "birth_date": "1961-07-13", "tax_id": "500100732259",
        "channels": [{"kind": "phone", "value": "+79951234567"}, {"kind": "email", "value": "canary.mail@example.org"}],
        "attributes": {"note": "canary attribute"},
    })["person"]["id"]  # fmt: skip
    firm = admin.post("/organizations", {
        **shared, "display_name": f"Firm {mark}", "tax_id": "7707083893",
        "channels": [{"kind": "phone", "value": "+79951234567"}],
    })["organization"]["id"]  # fmt: skip
    line = {"product_name": "Canary", "quantity": "3", "unit_price": {"currency_code": "EUR", "amount": "32921"}}
    deal = admin.post("/deals", {
        "title": f"Deal {mark}", "unit_id": unit, "person_id": person, "organization_id": firm, "line_items": [line],
    })["id"]  # fmt: skip
    admin.post("/interactions", {"person_id": person, "kind": "call", "summary": "canary was said", "unit_id": unit})
    task = admin.post("/activities", {
        "kind": "task", "subject": f"Task {mark}", "description": "canary description", "unit_id": unit,
        "person_id": person, "due_date": "2030-01-01",
    })["id"]  # fmt: skip
    return {"unit": unit, "person": person, "firm": firm, "deal": deal, "task": task, "mark": mark}


def told_in(text: str) -> set[str]:
    """The confidential fields whose words stand in a text."""
    return {field for field, words in CANARIES.items() if any(_stands(one, text) for one in words)}


def _stands(word: str, text: str) -> bool:
    """Whether a word stands in a text; a few digits stand in many an id by chance, so they must be a number there."""
    if word.isdigit() and len(word) < 6:
        return re.search(rf"(?<![\w-]){word}(?![\w-])", text) is not None
    return word in text


def addresses(f: dict[str, str]) -> list[str]:
    """All that can be read of these records by REST."""
    return [
        f"/persons/{f['person']}", f"/organizations/{f['firm']}", f"/deals/{f['deal']}", f"/activities/{f['task']}",
        f"/persons?unit={f['unit']}", f"/organizations?unit={f['unit']}", f"/deals?unit={f['unit']}",
        f"/interactions?person_id={f['person']}", f"/activities?unit={f['unit']}", f"/search?query={f['mark']}",
        f"/possible_duplicates?record={f['person']}", f"/activities/{f['task']}/history",
        f"/calendar?unit_id={f['unit']}&from_date=2029-12-25&to_date=2030-01-09",
    ]  # fmt: skip


def pages(f: dict[str, str]) -> list[str]:
    """The pages of the workplace that show these records."""
    cards = [f"/customers/{f['person']}", f"/organizations/{f['firm']}", f"/deals/{f['deal']}"]
    lists = [
        f"/customers?unit={f['unit']}",
        f"/customers?q={f['mark']}",
        "/organizations",
        "/deals",
        "/deals?view=table",
    ]
    return [*cards, *lists, "/today", "/calendar"]


def test_what_is_hidden_is_told_nowhere(platform: Any, admin: Any, filled: dict[str, str]) -> None:
    unit = {"id": filled["unit"]}
    blind, seeing = (platform.rest(a_reader(platform, admin, unit, *groups)) for groups in ((), ALL_GROUPS))
    seen: set[str] = set()
    for path in addresses(filled):
        answer = blind.ask("GET", path)
        assert answer.status_code in (200, 400), (path, answer.text)
        assert told_in(answer.text) == set(), path
        seen |= told_in(seeing.ask("GET", path).text)
    assert seen == set(CANARIES)  # a test that looks where nothing is would always pass
    card = blind.get(f"/persons/{filled['person']}")
    assert set(card["hidden_fields"]) == {"channels", "birth_date", "tax_id", "address", "attributes"}


def test_no_page_tells_what_is_hidden(platform: Any, admin: Any, filled: dict[str, str]) -> None:
    seen: set[str] = set()
    for groups in ((), ALL_GROUPS):
        browser = Browser(platform.url)
        browser.sign_in(a_reader(platform, admin, {"id": filled["unit"]}, *groups))
        for path in pages(filled):
            answer = browser.get(path)
            assert answer.status_code == 200, (path, answer.text)
            assert groups or told_in(answer.text) == set(), path
            seen |= told_in(answer.text)
        browser.client.close()
    assert seen >= set(CANARIES) - {"activity.description"}


@pytest.mark.parametrize("group", ALL_GROUPS)
def test_each_group_shows_its_own_fields_alone(platform: Any, admin: Any, filled: dict[str, str], group: str) -> None:
    reader = platform.rest(a_reader(platform, admin, {"id": filled["unit"]}, group))
    seen = set().union(*(told_in(reader.ask("GET", path).text) for path in addresses(filled)))
    (fields,) = [
        one["fields"]
        for one in admin.get("/field_groups")["field_groups"]
        if f"{one['records']}.{one['code']}" == group
    ]
    assert seen == {f"{group.partition('.')[0]}.{name}" for name in fields} & set(CANARIES)


def test_nobody_is_found_by_what_is_hidden(platform: Any, admin: Any, filled: dict[str, str]) -> None:
    unit = {"id": filled["unit"]}
    blind, seeing = (a_reader(platform, admin, unit, *groups) for groups in ((), ALL_GROUPS))
    found: dict[str, list[int]] = {blind: [], seeing: []}
    for login, counts in found.items():
        rest, browser = platform.rest(login), Browser(platform.url)
        browser.sign_in(login)
        for typed in ("+79951234567", "9951234567", "4567", "canary.mail@example.org", "@example.org"):
            counts.append(len(rest.get("/search", query=typed).get("hits", [])))
            page = browser.get("/customers", params={"q": typed, "unit": unit["id"]}).text
            counts.append(page.count(f"/customers/{filled['person']}"))
        browser.client.close()
    assert not any(found[blind])
    assert all(found[seeing])


def test_hidden_fields_are_not_overwritten_and_refusals_tell_nothing(
    platform: Any, admin: Any, filled: dict[str, str]
) -> None:
    blind = platform.rest(a_reader(platform, admin, {"id": filled["unit"]}))
    path = f"/persons/{filled['person']}"
    seen = {"If-Match": blind.get(path)["etag"]}
    refused = blind.ask("PATCH", path, json={"channels": []}, headers=seen)
    assert refused.status_code == 403
    assert refused.json()["metadata"]["field"] == "customer.channels"
    assert told_in(str(blind.patch(path, {"given_name": "Vera"}, headers=seen))) == set()
    stale = blind.ask("PATCH", path, json={"given_name": "W"}, headers=seen)
    assert stale.status_code == 412
    assert told_in(stale.text) == set()
    assert len(admin.get(path)["channels"]) == 2
