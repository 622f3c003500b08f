"""Two administrators at one form: what both changed is theirs to choose, what only one changed is kept from both."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

FIELD, ATTRIBUTE = re.compile(r"<(?:input|textarea) ([^>]*)>"), re.compile(r'(\w+)="([^"]*)"')


@pytest.fixture
def administrator(platform: Any, a_visitor: Callable[..., Any], admin: Any) -> Any:
    """Somebody who runs the platform."""
    return a_visitor(admin.get("/units/hq"), "administrator")


def fields_of(page: str, form: str) -> dict[str, str]:
    """What a form of a page would post, without what is chosen from lists."""
    (found,) = re.findall(rf'<form id="{form}".*?</form>', page, re.DOTALL)
    fields = [dict(ATTRIBUTE.findall(one)) for one in FIELD.findall(found)]
    return {one["name"]: one.get("value", "") for one in fields}


def test_a_unit_that_two_changed_is_shown_three_ways(admin: Any, administrator: Any, a_branch: Any) -> None:
    unit = a_branch(name="North", area_code="812")
    path = f"/admin/units/{unit['id']}"
    form = fields_of(administrator.part(f"{path}/edit").text, "edit-unit") | {"parent_id": unit["parent_id"]}
    admin.patch(f"/units/{unit['id']}", {"name": "Northeast", "currency_code": "EUR"})
    answer = administrator.post(path, {**form, "name": "Northwest", "area_code": "813"}, "form#edit-unit")
    assert (answer.status_code, answer.headers["hx-retarget"]) == (409, "#edit-unit-box")
    shown = re.sub(r"<[^>]+>", "", answer.text)
    assert [word for word in ("North", "Northeast", "Northwest") if word in shown] == [
        "North",
        "Northeast",
        "Northwest",
    ]
    assert "Area code" not in shown
    chosen = fields_of(answer.text, "conflict-name") | {"name": "Northwest"}
    assert administrator.post(path, chosen, "form#conflict-name").status_code == 204
    now = admin.get(f"/units/{unit['id']}")
    assert (now["name"], now["area_code"], now["currency_code"]) == ("Northwest", "813", "EUR")


def test_a_person_of_whom_two_changed_different_things_keeps_both(
    admin: Any, administrator: Any, a_branch: Any, a_visitor: Any
) -> None:
    person = a_visitor(a_branch(), name="Olga Two").user
    path = f"/admin/people/{person['id']}"
    form = fields_of(administrator.get(path).text, "edit-person") | {"aliases": ""}
    admin.patch(f"/users/{person['id']}", {"email": "olga@example.com"})
    answer = administrator.post(path, {**form, "aliases": "O. Two\r\nTwo Olga"}, "form#edit-person")
    assert answer.status_code == 204
    now = admin.get(f"/users/{person['id']}")
    assert (now["email"], now["aliases"]) == ("olga@example.com", ["O. Two", "Two Olga"])


def test_a_day_that_both_chose_differently_is_shown_as_a_day(
    admin: Any, administrator: Any, a_branch: Any, a_visitor: Any
) -> None:
    person = a_visitor(a_branch(), name="Olga Leaver").user
    path = f"/admin/people/{person['id']}"
    form = fields_of(administrator.get(path).text, "edit-person") | {"aliases": ""}
    admin.patch(f"/users/{person['id']}", {"leave_date": "2030-03-31"})
    answer = administrator.post(path, {**form, "leave_date": "2030-04-30"}, "form#edit-person")
    assert answer.status_code == 409
    assert "Mar 31, 2030" in answer.text
    assert "Apr 30, 2030" in answer.text
    assert admin.get(f"/users/{person['id']}")["leave_date"] == "2030-03-31"
