"""The pages of rights without a browser: roles, restrictions, who stands in, and who can see a record."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ..conftest import a_code
from .conftest import Browser

OPTION = re.compile(r'name="([a-z]+\.[a-z]*)" aria-label="[^"]*">(.*?)</select>')


def matrix_of(page: str) -> dict[str, str]:
    """What the form of a role would send as it is."""
    cells = {}
    for name, options in OPTION.findall(page):
        chosen = re.search(r'value="([^"]*)" selected', options)
        cells[name] = chosen[1] if chosen else ""
    return cells


def a_role(admin: Any, *permissions: tuple[str, str, str]) -> str:
    """A role of the organization's own; each permission is action, scope and kind of records."""
    code = a_code("role")
    allowed = [{"action": action, "scope": scope, "records": kind} for action, scope, kind in permissions]
    admin.ask("PUT", f"/roles/{code}", json={"name": code.title(), "permissions": allowed})
    return code


@pytest.fixture
def administrator(a_visitor: Callable[..., Browser], platform: Any) -> Browser:
    """An administrator at a browser."""
    return a_visitor({"id": platform.company_id}, "administrator")


def permissions_of(admin: Any, code: str) -> set[tuple[str, str, str]]:
    """What a role allows as REST tells it."""
    (role,) = [one for one in admin.get("/roles")["roles"] if one["code"] == code]
    return {(one["action"], one["scope"], one["records"]) for one in role["permissions"]}


def test_a_matrix_that_is_saved_as_it_is_shown_changes_nothing(admin: Any, administrator: Browser) -> None:
    granted = {("read", "subtree", ""), ("read", "own", ""), ("change", "team", "deal"), ("audit", "all", "")}
    code = a_role(admin, *granted)
    page = administrator.get(f"/admin/roles/{code}").text
    name = re.search(r'name="name" type="text" value="([^"]*)"', page)
    assert name
    answer = administrator.post(f"/admin/roles/{code}", {"name": name[1], **matrix_of(page)})
    assert answer.status_code == 204, answer.text
    assert permissions_of(admin, code) == granted


def test_a_cell_of_the_matrix_grants_and_takes_back(admin: Any, administrator: Browser) -> None:
    code = a_role(admin, ("read", "all", ""))
    cells = matrix_of(administrator.get(f"/admin/roles/{code}").text)
    changed = {**cells, "read.": "", "read.deal": "team own"}
    assert administrator.post(f"/admin/roles/{code}", {"name": "Deals only", **changed}).status_code == 204
    assert permissions_of(admin, code) == {("read", "team", "deal"), ("read", "own", "deal")}


def test_a_cell_that_is_no_choice_is_refused(admin: Any, administrator: Browser) -> None:
    code = a_role(admin, ("read", "all", ""))
    cells = matrix_of(administrator.get(f"/admin/roles/{code}").text)
    answer = administrator.post(f"/admin/roles/{code}", {"name": "X", **cells, "administer.": "own"})
    assert answer.status_code == 400
    assert permissions_of(admin, code) == {("read", "all", "")}


def test_a_role_changed_by_somebody_else_meanwhile_is_not_overwritten(admin: Any, administrator: Browser) -> None:
    code = a_role(admin, ("read", "all", ""))
    page = administrator.get(f"/admin/roles/{code}").text
    etag = re.search(r'name="etag" value="(\d+)"', page)
    assert etag
    admin.ask("PUT", f"/roles/{code}", json={"name": "Other", "permissions": []})
    answer = administrator.post(f"/admin/roles/{code}", {"name": "X", "etag": etag[1], **matrix_of(page)})
    assert answer.status_code == 412
    assert permissions_of(admin, code) == set()


def test_a_new_role_begins_as_a_copy_and_is_removed(admin: Any, administrator: Browser) -> None:
    code = a_code("copy")
    made = administrator.post("/admin/roles", {"name": "Copy", "code": code, "model": "seller"})
    assert made.headers["hx-redirect"] == f"/admin/roles/{code}"
    assert permissions_of(admin, code) == permissions_of(admin, "seller")
    again = administrator.post("/admin/roles", {"name": "Copy", "code": code, "model": ""})
    assert again.status_code == 400
    assert administrator.post(f"/admin/roles/{code}/remove").status_code == 204
    assert administrator.get(f"/admin/roles/{code}").status_code == 404


def test_the_built_in_roles_are_shown_and_the_fixed_ones_cannot_be_changed(administrator: Browser) -> None:
    page = administrator.get("/admin/roles").text
    for name in ("Head of a branch", "Security officer", "No rights"):
        assert name in page
    fixed = administrator.get("/admin/roles/administrator").text
    assert not matrix_of(fixed)
    assert "Remove the role" not in fixed


def test_a_restriction_is_added_named_and_taken_back(
    admin: Any, administrator: Browser, a_branch: Callable[..., Any], a_visitor: Callable[..., Browser]
) -> None:
    unit = a_branch()
    head = a_visitor(unit, "head", "Helga Restricted")
    form = {"unit_id": unit["id"], "action": "read", "records": "deal", "user_id": head.user["id"],  # type: ignore[attr-defined]
            "reason": "her husband's deals", "request_id": a_code("r")}  # fmt: skip
    assert administrator.post("/admin/restrictions", form).status_code == 204
    page = administrator.get("/admin/restrictions").text
    assert "Helga Restricted" in page
    assert "her husband&#39;s deals" in page
    (found,) = [one for one in admin.get("/restrictions")["restrictions"] if one["user_id"] == form["user_id"]]
    assert found["records"] == "deal"
    assert administrator.post(f"/admin/restrictions/{found['id']}/remove").status_code == 204
    assert "Helga Restricted" not in administrator.get("/admin/restrictions").text


def test_a_colleague_stands_in_for_who_is_away(
    admin: Any, administrator: Browser, a_branch: Callable[..., Any], a_visitor: Callable[..., Browser]
) -> None:
    unit = a_branch()
    away, colleague = a_visitor(unit, "head", "Away Head").user, a_visitor(a_branch(), name="Stand In").user  # type: ignore[attr-defined]
    position = away["positions"][0]["id"]
    page = administrator.get(f"/admin/people/{away['id']}").text
    assert f"stand-in-{position}" in page
    form = {"colleague_id": colleague["id"], "start_date": "2024-01-01", "end_date": "2099-01-01",
            "request_id": a_code("s")}  # fmt: skip
    assert administrator.post(f"/admin/people/{away['id']}/positions/{position}/substitute", form).status_code == 204
    held = administrator.get(f"/admin/people/{colleague['id']}").text
    assert "standing in" in held
    assert "Head" in held


def test_a_position_with_a_role_of_ones_own_is_given_and_named(
    admin: Any, administrator: Browser, a_branch: Callable[..., Any], a_visitor: Callable[..., Browser]
) -> None:
    code, unit = a_role(admin, ("read", "team", "deal")), a_branch()
    user = a_visitor(unit).user  # type: ignore[attr-defined]
    form = {"title": "Observer", "unit_id": unit["id"], "role_code": code, "request_id": a_code("p")}
    assert administrator.post(f"/admin/people/{user['id']}/positions", form).status_code == 204
    assert code.title() in administrator.get(f"/admin/people/{user['id']}").text


@pytest.mark.parametrize("path", ["/admin/roles", "/admin/roles/seller", "/admin/restrictions"])
def test_pages_of_rights_are_for_administrators(a_branch: Any, a_visitor: Any, path: str) -> None:
    assert a_visitor(a_branch(), "head").get(path).status_code == 403


def test_a_head_reads_who_sees_a_customer_and_why(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    seller, head = a_visitor(unit, name="Sonja Sells"), a_visitor(unit, "head", "Hilde Heads")
    made = admin.post("/persons", {"display_name": "Seen By Some", "unit_id": unit["id"]})["person"]
    page = head.part(f"/customers/{made['id']}/access").text
    assert "Sonja Sells" in page
    assert f"in {unit['name']} and below" in page
    assert "everywhere" in page  # the administrator
    assert "Who can see this" in head.get(f"/customers/{made['id']}").text
    assert "Who can see this" not in seller.get(f"/customers/{made['id']}").text
    assert seller.part(f"/customers/{made['id']}/access").status_code == 403
    exporters = head.part(f"/customers/{made['id']}/access?action=export").text
    assert "Sonja Sells" not in exporters


def test_a_record_that_a_foreign_unit_knows_too_is_explained_by_the_own_one(
    admin: Any, a_branch: Any, a_visitor: Any
) -> None:
    unit, other = a_branch(), a_branch()
    a_visitor(other, name="Otto Other")
    head = a_visitor(unit, "head", "Hilde Heads")
    phone = f"+49301{int(a_code('0')[1:]):06d}"
    for one in (unit, other):
        made = admin.post("/persons", {"display_name": "Both Know", "unit_id": one["id"],
                                       "channels": [{"kind": "phone", "value": phone}]})["person"]  # fmt: skip
    assert len(made["unit_ids"]) == 2
    page = head.part(f"/customers/{made['id']}/access").text
    assert "Hilde Heads" in page
    assert "Otto Other" not in page
    assert "Other units know it as well" in page


def test_organizations_and_deals_are_explained_as_well(admin: Any, a_branch: Any, a_visitor: Any) -> None:
    unit = a_branch()
    head = a_visitor(unit, "head", "Hilde Heads")
    firm = admin.post("/organizations", {"display_name": "Explained Ltd", "unit_id": unit["id"]})["organization"]
    deal = admin.post("/deals", {"title": "Explained", "unit_id": unit["id"], "organization_id": firm["id"]})
    for path in (f"/organizations/{firm['id']}", f"/deals/{deal['id']}"):
        assert "Hilde Heads" in head.part(f"{path}/access").text
        assert head.get(f"{path}/access").headers["location"] == path
