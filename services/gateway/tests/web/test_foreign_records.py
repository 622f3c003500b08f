"""A seller of one branch at every address of another branch's records: nothing of them is shown, nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.gateway.tests.web.addresses import list_addresses
from services.gateway.tests.web.conftest import Browser
from services.gateway.tests.web.records import a_new_branch, make_records, make_user

pytestmark = pytest.mark.timeout(400)

SOUGHT, SECRET = "Zhemchug", "Kladovaya"
# Units and colleagues are known to the whole company; everything else is the branch's own.
OWN = {"person", "organization", "affiliation", "deal", "activity", "run", "file", "export"}
EMPTY = "/panels/tasks"  # lists activities, each by its own right, and does not look at the card
REST_PATHS = {"person": "/persons", "organization": "/organizations", "deal": "/deals", "activity": "/activities"}


@pytest.fixture(scope="module")
def foreign(platform: Any) -> dict[str, str]:
    """The records of a branch whose people are somebody else's colleagues."""
    return make_records(platform, a_new_branch(platform, "Elsewhere"), f"{SOUGHT} {SECRET}")


@pytest.fixture(scope="module")
def outsider(platform: Any) -> Iterator[Browser]:
    """A seller of another branch at a browser."""
    user = make_user(platform.admin(), a_new_branch(platform, "Here"), "Otto")
    browser = Browser(platform.url)
    assert browser.sign_in(user["login"]).status_code == 303
    yield browser
    browser.client.close()


def test_nobody_sees_what_another_branch_has(outsider: Browser, foreign: dict[str, str]) -> None:
    named = 0
    for address in list_addresses(foreign, "GET"):
        answer = outsider.get(address.path)
        if OWN & set(address.records):
            named += 1
            hidden = answer.status_code in (403, 404)
            assert hidden or address.path.endswith(EMPTY), f"{address.path}: {answer.status_code}"
            assert SOUGHT not in answer.text, address.path
        assert SECRET not in answer.text or "user" in address.records, address.path
    assert named > 20


@pytest.mark.parametrize(
    "path",
    [
        "/search?q=Zhemchug",
        "/search/suggest?q=Zhemchug",
        "/quick/picks?q=Zhemchug",
        "/quick/picks?typed=Zhemchug",
        "/quick/alike?name=Zhemchug",
        "/quick/alike?display_name=Zhemchug",
        "/customers?q=Zhemchug",
        "/organizations?q=Zhemchug",
        "/customers?unit={unit}",
        "/organizations?unit={unit}",
        "/customers?view=all",
        "/deals?view=table&unit={unit}",
        "/deals?view=board&unit={unit}",
        "/deals?view=table&owner={user}&closed=all",
        "/deals?view=table&organization={organization}",
        "/deals?view=board&person={person}",
        "/calendar?who={user}",
        "/calendar/events?who={user}",
        "/today?person={user}",
        "/today/people?unit={unit}",
        "/today/people/{user}",
        "/imports?unit={unit}",
        "/reports/activities?unit={unit}",
        "/reports/deals?unit={unit}",
        "/reports/customers/records?unit={unit}",
        "/reports/pipeline/records?unit={unit}",
        "/reports/activities/file?unit={unit}",
        "/quick/call?person={person}",
        "/quick/call?organization={organization}",
        "/quick/deal?person={person}",
        "/quick/deal?organization={organization}",
        "/quick/task?deal={deal}",
        "/quick/task?person={person}",
    ],
)
def test_no_question_finds_another_branchs_records(path: str, outsider: Browser, foreign: dict[str, str]) -> None:
    asked = path.format(**foreign)
    for ask in (outsider.get, outsider.part):
        answer = ask(asked)
        assert answer.status_code < 500
        found = [one for one in (foreign[kind] for kind in OWN) if one in answer.text and one not in asked]
        assert found == []
        told = [line for line in answer.text.splitlines() if SECRET in line and foreign["user"] not in line]
        assert told == []


def test_nobody_changes_what_another_branch_has(outsider: Browser, foreign: dict[str, str], admin: Any) -> None:
    before = {kind: admin.get(f"{path}/{foreign[kind]}") for kind, path in REST_PATHS.items()}
    headers = {"HX-Request": "true", "X-CSRF": outsider.csrf()}
    fields = {
        "summary": "taken over", "display_name": "taken over", "title": "taken over", "kind": "call", "subject": "x",
        "request_id": "01890000-0000-7000-8000-000000000001", "person_id": foreign["person"], "etag": "1",
        "stage": before["deal"]["stage_id"], "outcome": "x", "owner_id": foreign["user"], "name": "x",
    }  # fmt: skip
    for address in list_addresses(foreign, "POST", "PUT"):
        if OWN & set(address.records):
            answer = outsider.client.request(address.page.method, address.path, data=fields, headers=headers)
            assert answer.status_code in (400, 403, 404, 409, 422), f"{address.path}: {answer.status_code}"
            assert SECRET not in answer.text, address.path
    for path in ("/quick/call", "/quick/note"):
        answer = outsider.client.post(path, data=fields, headers=headers)
        assert 400 <= answer.status_code < 500, path
    assert {kind: admin.get(f"{path}/{foreign[kind]}") for kind, path in REST_PATHS.items()} == before
