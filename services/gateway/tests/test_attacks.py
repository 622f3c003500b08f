"""Attacks on the front door that need only a program and a seller's sign-in, each tried over real services."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from chassis.ids import new_id
from gateway.app import AREAS
from gateway.calls import Call

from .conftest import Platform, Rest, a_code

ODD: tuple[Any, ...] = (
    None, True, -1, 2**63, 1e308, "", "\0", "x" * 5_000, "2026-99-99", "\u202e\ud7ff", [], [None], [[[]]], {}, {"x": {}}
)  # fmt: skip
CHANGES = [one for calls in AREAS.values() for one in calls if one.method != "GET" and one.rpc != "EndSessions"]
INSIDE = (
    "/docs", "/redoc", "/openapi.json", "/metrics", "/debug", "/debug/pprof", "/config", "/env", "/.env",
    "/.git/config", "/server-status", "/actuator", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/crm.contacts.v1.ContactsService/ListPersons", "/api/v1/docs", "/api/v1/metrics", "/api/v1/debug",
)  # fmt: skip


def a_pipeline(admin: Rest) -> dict[str, Any]:
    stages = [{"name": "New", "kind": "open"}, {"name": "Won", "kind": "won"}, {"name": "Lost", "kind": "lost"}]
    found: dict[str, Any] = admin.post("/pipelines", {"name": a_code("Pipeline "), "stages": stages})
    return found


def a_deal(admin: Rest, unit: dict[str, Any], title: str = "Two pumps") -> dict[str, Any]:
    pipeline = a_pipeline(admin)
    body = {"pipeline_id": pipeline["id"], "stage_id": pipeline["stages"][0]["id"]}
    found: dict[str, Any] = admin.post("/deals", {"title": title, "unit_id": unit["code"], **body})
    return found


def test_a_record_given_to_another_branch_is_gone_for_the_former_at_the_next_call(
    admin: Rest, a_branch: Any, a_user: Any
) -> None:
    former, new = a_branch(), a_branch()
    title = a_code("Turbine ")
    deal = a_deal(admin, former, title)
    seller: Rest = a_user(former, "head")
    read = seller.ask("GET", f"/deals/{deal['id']}")
    assert (read.status_code, read.headers["cache-control"]) == (200, "no-store")

    admin.patch(f"/deals/{deal['id']}", {"unit_id": new["id"]}, headers={"If-Match": read.headers["etag"]})

    gone = seller.ask("GET", f"/deals/{deal['id']}", headers={"If-None-Match": read.headers["etag"]})
    assert gone.status_code == 404
    match = {"If-Match": admin.ask("GET", f"/deals/{deal['id']}").headers["etag"]}
    assert seller.ask("PATCH", f"/deals/{deal['id']}", json={"title": "mine"}, headers=match).status_code == 404
    assert deal["id"] not in json.dumps(seller.get("/deals")) + json.dumps(seller.get("/search", query=title))
    assert a_user(new, "head").get(f"/deals/{deal['id']}")["title"] == title


@pytest.mark.parametrize("kind", ["persons", "organizations", "deals", "activities"])
def test_what_may_not_be_seen_is_answered_like_what_never_was(
    kind: str, admin: Rest, a_branch: Any, a_user: Any
) -> None:
    """Status, headers and size tell no difference, so neither says that there is something."""
    other = a_branch()
    person: Rest = a_user(a_branch())
    make: dict[str, Any] = {
        "persons": lambda: admin.post("/persons", {"display_name": a_code("Ada "), "unit_id": other["id"]})["person"],
        "organizations": lambda: admin.post(
            "/organizations", {"display_name": a_code("Werk "), "unit_id": other["id"]}
        )["organization"],
        "deals": lambda: a_deal(admin, other),
        "activities": lambda: admin.post(
            "/activities",
            {"kind": "task", "subject": "Call", "unit_id": other["id"], "time_zone": "UTC", "due_date": "2026-06-01"},
        ),
    }
    hidden, never = make[kind]()["id"], new_id()

    told = [person.ask("GET", f"/{kind}/{one}") for one in (hidden, never)]

    assert [one.status_code for one in told] == [404, 404]
    forms = []
    for one, record in zip(told, (hidden, never), strict=True):
        body = {key: value for key, value in one.json().items() if key not in ("trace_id", "instance")}
        forms.append((json.dumps(body).replace(record, "ID"), sorted(one.headers), len(one.content)))
    assert forms[0] == forms[1]


def test_what_tells_of_the_inside_is_not_reachable_from_outside(platform: Platform) -> None:
    client = platform.guest().client
    for path in INSIDE:
        answer = client.get(path)
        # The workplace sends strangers to its sign-in page, whatever they ask for.
        assert answer.status_code in (303, 404), (path, answer.status_code)
        assert {"server", "x-powered-by", "via"}.isdisjoint(answer.headers)
    assert client.get("/api/v1/health").json() == {"status": "serving"}, "health says nothing of versions or parts"


def _fields(call: Call) -> Iterator[str]:
    kind: Any = call.request_type.DESCRIPTOR
    if call.body not in ("", "*"):
        yield from (one.name for one in kind.fields_by_name[call.body].message_type.fields)
        yield from call.extra
    elif call.body == "*":
        yield from (one.name for one in kind.fields)


@pytest.mark.parametrize("call", CHANGES, ids=lambda call: call.rpc)
def test_no_body_of_any_form_is_a_fault_of_ours(call: Call, a_seller_of_odd_bodies: Rest) -> None:
    odd = itertools.cycle(ODD)
    path = call.path
    while "{" in path:
        path = path.replace(path[path.index("{") : path.index("}") + 1], new_id(), 1)
    bodies: list[Any] = [{name: next(odd)} for name in _fields(call) for _ in range(3)] or [{}]
    for body in [*bodies, dict(zip(_fields(call), ODD, strict=False))]:
        answer = a_seller_of_odd_bodies.ask(call.method, path, content=json.dumps(body).encode())
        assert answer.status_code < 500, (path, body, answer.text)


@pytest.fixture(scope="module")
def a_seller_of_odd_bodies(platform: Platform) -> Rest:
    """A head of a branch of nobody else."""
    admin, code = platform.admin(), a_code("odd")
    unit = admin.post("/units", {"kind": "branch", "code": code, "name": code, "parent_id": "hq"})
    platform.spread_units()
    login = a_code("login")
    positions = [{"unit_id": unit["id"], "title": "Head", "role": "head"}]
    password = "correct horse battery"
    admin.post("/users", {"display_name": login, "login": login, "password": password, "positions": positions})
    return platform.rest(login, password)
