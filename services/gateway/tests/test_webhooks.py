"""Webhooks over real services: who may have what told, for whom nothing is told any more, what people do with them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.audit.verifying import verify_trail
from chassis.bus.relay import number_waiting
from chassis.database import Database
from chassis.testing.eventually import eventually
from gateway.tables import webhook, webhook_cursor, webhook_waiting
from gateway.webhooks.signing import Sealing, new_secret

from .conftest import PASSWORD, Platform, Rest, a_code

TELLS = [
    {"action": "read", "scope": "subtree"},
    {"action": "write", "scope": "subtree"},
    {"action": "subscribe", "scope": "subtree"},
]
PERSON = "crm.contacts.events.v1.PersonCreated"


class Receiver:
    """A receiver that answers `status` and keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.signatures: list[str] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                receiver.signatures.append(self.headers["webhook-signature"])
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.server_port}/in"

    def names(self) -> list[str]:
        """Of the persons it was told of."""
        return [
            one["data"]["person"]["personal"]["display_name"].split()[-1] for one in self.told if one["type"] == PERSON
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver."""
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture(autouse=True)
def _look_at_rights_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.webhooks.telling.SEEN_SECONDS", 0.0)


@pytest.fixture
def a_teller(platform: Platform, admin: Rest) -> Callable[..., Rest]:
    """Make somebody who works in a unit, reads and writes its subtree, and may have it told outside, signed in."""

    def make_one(unit: dict[str, Any], permissions: Any = TELLS) -> Rest:
        login = a_code("teller")
        role = {"name": login, "permissions": permissions}
        admin.ask("PUT", f"/roles/{login}", json=role).raise_for_status()
        positions = [{"unit_id": unit["id"], "title": "", "role_code": login}]
        admin.post("/users", {"display_name": login, "login": login, "password": PASSWORD, "positions": positions})
        return platform.rest(login)

    return make_one


@pytest.fixture
def say(platform: Platform) -> Callable[..., None]:
    """Make persons of a unit, whose events are in the log then."""

    def make(rest: Rest, unit: dict[str, Any], *names: str) -> None:
        for name in names:
            rest.post("/persons", {"given_name": "Ada", "family_name": name, "unit_id": unit["id"]})
        number_waiting(platform.databases["contacts"])

    return make


def make(rest: Rest, receiver: Receiver, **more: Any) -> dict[str, Any]:
    """A webhook of persons that were made."""
    found: dict[str, Any] = rest.post("/webhooks", {"name": "erp", "address": receiver.url, "types": [PERSON], **more})
    return found


def state_of(rest: Rest, made: dict[str, Any]) -> str:
    """Its state."""
    return str(rest.get(f"/webhooks/{made['webhook']['id']}")["webhook"]["state"])


def test_a_webhook_tells_of_its_unit_what_its_owner_may_see_from_now_on(
    admin: Rest, a_branch: Any, a_teller: Any, receiver: Receiver, say: Any
) -> None:
    mine, other = a_branch(), a_branch()
    owner = a_teller(mine)
    say(admin, mine, "Before")
    made = make(owner, receiver)
    say(admin, other, "Elsewhere")
    say(admin, mine, "First", "Second")
    eventually(lambda: receiver.names() == ["First", "Second"], within=60)
    told = receiver.told[0]
    assert (told["specversion"], told["source"], told["subject"]) == (
        "1.0", "crm/hq/contacts", f"person/{told['data']['person']['id']}",
    )  # fmt: skip
    assert made["secret"].startswith("whsec_")

    def tries() -> list[str]:
        return [one["result"] for one in owner.get(f"/webhooks/{made['webhook']['id']}")["tries"]]

    eventually(lambda: tries() == ["delivered"] * 2, within=60)  # noted once the answer is there
    assert made["secret"] not in json.dumps(owner.get(f"/webhooks/{made['webhook']['id']}"))


def test_of_the_whole_organization_a_chosen_unit_alone_is_told(
    admin: Rest, a_branch: Any, receiver: Receiver, say: Any
) -> None:
    chosen, other = a_branch(), a_branch()
    make(admin, receiver, unit_id=chosen["code"])
    say(admin, other, "Elsewhere")
    say(admin, chosen, "Here")
    eventually(lambda: receiver.names() == ["Here"], within=60)


def test_who_may_not_tell_makes_and_sees_none_and_others_are_not_found(
    admin: Rest, a_branch: Any, a_user: Any, a_teller: Any, receiver: Receiver
) -> None:
    here, there = a_branch(), a_branch()
    made = make(a_teller(here), receiver)["webhook"]
    seller, stranger = a_user(here), a_teller(there)
    body = {"name": "x", "address": receiver.url}
    assert seller.ask("POST", "/webhooks", json=body).status_code == 403
    assert seller.ask("GET", "/webhooks").status_code == 403
    assert stranger.get("/webhooks")["webhooks"] == []
    assert stranger.ask("GET", f"/webhooks/{made['id']}").status_code == 404
    assert stranger.ask("DELETE", f"/webhooks/{made['id']}").status_code == 404
    assert stranger.ask("POST", "/webhooks", json={**body, "unit_id": here["id"]}).status_code in (403, 404)
    assert made["id"] in [one["id"] for one in admin.get("/webhooks")["webhooks"]]


def test_who_changes_where_it_goes_owns_it_and_who_renames_it_does_not(
    admin: Rest, a_branch: Any, a_teller: Any, receiver: Receiver
) -> None:
    made = make(a_teller(a_branch()), receiver)["webhook"]
    body = {"name": "renamed", "address": receiver.url, "types": [PERSON]}
    renamed = admin.ask("PUT", f"/webhooks/{made['id']}", json=body, headers={"If-Match": f'"{made["etag"]}"'}).json()
    moved = admin.ask("PUT", f"/webhooks/{made['id']}", json={**body, "address": f"{receiver.url}/2"}).json()
    assert (renamed["name"], renamed["owner_id"]) == ("renamed", made["owner_id"])
    assert moved["owner_id"] != made["owner_id"]
    stale = admin.ask("PUT", f"/webhooks/{made['id']}", json=body, headers={"If-Match": made["etag"]})
    assert (stale.status_code, stale.json()["reason"]) == (412, "STALE_ETAG")


def test_nothing_is_told_for_an_owner_who_left(
    admin: Rest, a_branch: Any, a_teller: Any, receiver: Receiver, say: Any
) -> None:
    branch = a_branch()
    owner = a_teller(branch)
    made = make(owner, receiver)
    user = admin.get(f"/users/{made['webhook']['owner_id']}")
    admin.patch(f"/users/{user['id']}", {"active": False}, headers={"If-Match": user["etag"]})
    say(admin, branch, "Afterwards")
    eventually(lambda: state_of(admin, made) == "owner_closed", within=60)
    assert receiver.told == []


def test_fields_that_are_hidden_from_the_owner_are_not_told(
    platform: Platform, admin: Rest, a_branch: Any, a_teller: Any, receiver: Receiver
) -> None:
    branch = a_branch(country_code="RU")
    by_name = [{"action": one, "records": "customer", "scope": "all"} for one in ("read", "subscribe")]
    make(a_teller(branch, by_name), receiver, unit_id=branch["id"])
    body = {
        "display_name": "Vera Hidden", "unit_id": branch["id"], "birth_date": "1961-07-13",
        "channels": [{"kind": "phone", "value": "+79951234567"}], "address": {"city": "Canarytown"},
    }  # fmt: skip
    admin.post("/persons", body)
    number_waiting(platform.databases["contacts"])
    eventually(lambda: receiver.told, within=60)
    told = json.dumps(receiver.told)
    assert "Vera Hidden" in told
    assert [one for one in ("1961", "9951234567", "Canarytown") if one in told] == []


def test_a_webhook_is_tried_paused_resumed_and_told_again(
    admin: Rest, a_branch: Any, receiver: Receiver, say: Any
) -> None:
    branch = a_branch()
    made = make(admin, receiver, unit_id=branch["id"])
    path = f"/webhooks/{made['webhook']['id']}"
    assert admin.post(f"{path}/test")["result"] == "delivered"
    assert receiver.told.pop()["type"] == "crm.platform.webhook.test"
    [place] = [one for one in admin.get(path)["places"] if one["service"] == "contacts"]
    admin.post(f"{path}/pause")
    say(admin, branch, "Kept")
    assert state_of(admin, made) == "paused"
    admin.post(f"{path}/resume")
    eventually(lambda: receiver.names() == ["Kept"], within=60)
    admin.post(f"{path}/replay", {"service": "contacts", "after_position": place["position"]})
    eventually(lambda: receiver.names() == ["Kept", "Kept"], within=60)
    assert len({one["id"] for one in receiver.told}) == 1
    far = admin.ask("POST", f"{path}/replay", json={"service": "contacts", "after_position": 10**9})
    assert far.status_code == 400


def test_what_people_do_waits_for_a_carrier_and_neither_blocks_the_other(
    platform: Platform, admin: Rest, a_branch: Any, receiver: Receiver, say: Any
) -> None:
    branch = a_branch()
    made = make(admin, receiver, unit_id=branch["id"])
    path, receiver.status = f"/webhooks/{made['webhook']['id']}", 500
    say(admin, branch, "Held")
    [waiting] = eventually(lambda: admin.get(path)["waiting"], within=60)
    admin.post(f"{path}/pause")
    one = {"service": "contacts", "position": waiting["position"]}
    for act, body in (
        ("resume", {}),
        ("skip", one),
        ("replay", {"service": "contacts", "after_position": waiting["position"]}),
    ):
        answers = _asked_while_carried(platform, made, partial(admin.ask, "POST", f"{path}/{act}", json=body))
        assert [answer.status_code for answer in answers] == [200], (act, answers[0].text)


def _asked_while_carried(platform: Platform, made: dict[str, Any], ask: Callable[[], Any]) -> list[Any]:
    """Ask for something while a carrier has the webhook's row and goes on to what hangs on it; the answer."""
    mine, answers = made["webhook"]["id"], list[Any]()
    blocked = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    asking = threading.Thread(target=lambda: answers.append(ask()))
    database = Database(platform.settings.database_url, "gateway")
    with database.transaction() as work:
        work.execute(sa.update(webhook).where(webhook.c.id == mine).values(failures=0))
        asking.start()
        eventually(lambda: work.execute(blocked).scalar_one(), within=60)
        for table in (webhook_cursor, webhook_waiting):
            work.execute(sa.update(table).where(table.c.webhook_id == mine).values(epoch=table.c.epoch))
    asking.join()
    database.close()
    return answers


def test_a_new_secret_signs_beside_the_former_one(admin: Rest, a_branch: Any, receiver: Receiver, say: Any) -> None:
    branch = a_branch()
    made = make(admin, receiver, unit_id=branch["id"])
    changed = admin.post(f"/webhooks/{made['webhook']['id']}/secret")
    assert changed["secret"] != made["secret"]
    say(admin, branch, "Signed")
    eventually(lambda: receiver.names() == ["Signed"], within=60)
    assert len(receiver.signatures[0].split(" ")) == 2


def test_an_event_that_is_refused_waits_and_may_be_let_go(
    admin: Rest, a_branch: Any, receiver: Receiver, say: Any
) -> None:
    branch = a_branch()
    made = make(admin, receiver, unit_id=branch["id"])
    path, receiver.status = f"/webhooks/{made['webhook']['id']}", 500
    say(admin, branch, "Refused")
    [waiting] = eventually(lambda: admin.get(path)["waiting"], within=60)
    assert (waiting["tries"], waiting["result"], waiting["state"]) == (1, "refused", "waiting")
    admin.post(f"{path}/skip", {"service": "contacts", "position": waiting["position"]})
    assert admin.get(path)["waiting"] == []
    assert admin.ask("DELETE", path).status_code == 204
    assert admin.ask("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"address": "http://10.0.0.1/in"}, "address"),
        ({"address": "https://169.254.169.254/latest"}, "address"),
        ({"address": "ftp://example.com"}, "address"),
        ({"name": ""}, "name"),
        ({"types": ["crm.contacts.events.v1.Nothing"]}, "types"),
    ],
)
def test_what_cannot_be_told_or_reached_is_refused_by_its_field(
    admin: Rest, receiver: Receiver, change: dict[str, Any], field: str
) -> None:
    refused = admin.ask("POST", "/webhooks", json={"name": "x", "address": receiver.url, **change})
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["errors"]] == [field]


def test_who_makes_changes_and_ends_a_webhook_stands_in_the_trail_without_its_address(
    platform: Platform, admin: Rest, a_branch: Callable[..., Any], a_user: Callable[..., Rest], receiver: Receiver
) -> None:
    branch = a_branch()
    body = {
        "name": "BI",
        "address": f"{receiver.url}/token-of-the-receiver",
        "types": [PERSON],
        "unit_id": branch["id"],
    }
    made = admin.post("/webhooks", body)["webhook"]
    admin.ask("PUT", f"/webhooks/{made['id']}", json={**body, "name": "BI of the branch"})
    admin.post(f"/webhooks/{made['id']}/pause")
    admin.ask("DELETE", f"/webhooks/{made['id']}")
    asked = {"record_id": made["id"], "actions": "act"}
    head = a_user(branch, "head")
    for auditor in (admin, head):
        found = [one for one in auditor.get("/audit", **asked)["entries"] if one["records"] == "webhook"]
        deeds = [one["method"].removeprefix("webhooks/") for one in found]
        assert deeds == ["RemoveWebhook", "PauseWebhook", "ChangeWebhook", "MakeWebhook"]
    assert {one["service"] for one in found} == {"gateway"}
    assert {one["actor_id"] for one in found} == {admin.get("/users/me")["id"]}
    assert {one["unit_path"] for one in found} == {f"hq.{branch['code']}"}
    assert found[2]["reason"] == "BI of the branch, 127.0.0.1"
    assert "token-of-the-receiver" not in str(found)
    stranger = a_user(a_branch(), "head")
    assert [one for one in stranger.get("/audit", **asked)["entries"] if one["records"] == "webhook"] == []


def test_the_gateways_trail_is_sealed_as_the_others_are(platform: Platform, admin: Rest, receiver: Receiver) -> None:
    made = admin.post("/webhooks", {"name": "sealed", "address": receiver.url})["webhook"]
    admin.ask("DELETE", f"/webhooks/{made['id']}")
    database = Database(platform.settings.database_url, "gateway")

    def sealed() -> bool:
        verdict = verify_trail(database)
        return verdict.entries >= 2 and not verdict.faults

    eventually(sealed)
    database.close()


def test_who_is_of_a_frozen_unit_has_nothing_new_told_and_nothing_told_again(
    admin: Rest, a_branch: Callable[..., Any], receiver: Receiver, a_teller: Callable[..., Rest]
) -> None:
    branch = a_branch()
    teller = a_teller(branch)
    body = {"name": "before", "address": receiver.url, "types": [PERSON]}
    made = teller.post("/webhooks", body)["webhook"]
    again = {"service": "contacts", "after_position": 0}
    assert teller.ask("POST", f"/webhooks/{made['id']}/replay", json=again).status_code == 200
    admin.post(f"/units/{branch['id']}/freeze", {"reason": "somebody leaves"})
    refused = [
        teller.ask("POST", "/webhooks", json={**body, "name": "meanwhile"}),
        teller.ask("PUT", f"/webhooks/{made['id']}", json={**body, "address": f"{receiver.url}/elsewhere"}),
        teller.ask("POST", f"/webhooks/{made['id']}/replay", json=again),
    ]
    assert [one.status_code for one in refused] == [403] * 3
    assert "somebody leaves" in refused[0].json()["detail"]
    assert teller.get(f"/webhooks/{made['id']}")["webhook"]["state"] == "on"
    admin.post(f"/units/{branch['id']}/thaw")
    assert teller.ask("POST", f"/webhooks/{made['id']}/replay", json=again).status_code == 200
    teller.ask("DELETE", f"/webhooks/{made['id']}")


def test_a_secret_that_cannot_be_read_is_said_and_a_new_one_mends_it(
    platform: Platform, admin: Rest, receiver: Receiver
) -> None:
    made = admin.post("/webhooks", {"name": "sealed anew", "address": receiver.url, "types": [PERSON]})["webhook"]
    path = f"/webhooks/{made['id']}"
    database = Database(platform.settings.database_url, "gateway")
    with database.transaction() as work:
        other = Sealing("a key that the operator no longer has").seal(new_secret())
        work.execute(sa.update(webhook).where(webhook.c.id == made["id"]).values(sealed=other))
    assert admin.get(path)["webhook"]["state"] == "key_lost"
    refused = admin.ask("POST", f"{path}/test")
    assert (refused.status_code, refused.json()["reason"]) == (409, "WEBHOOK_SECRET_LOST")
    assert admin.post(f"{path}/secret")["webhook"]["state"] == "on"
    assert admin.post(f"{path}/test")["result"] == "delivered"
    assert len(receiver.signatures[-1].split()) == 1  # the lost one signs no more
    admin.ask("DELETE", path)
    database.close()
