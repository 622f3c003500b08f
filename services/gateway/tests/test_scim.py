"""An identity provider brings people and groups in by SCIM, as the large ones really ask, and closes them at once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from .conftest import PASSWORD, Platform, Rest, a_code

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ROLE = {
    "name": "Provisioning",
    "permissions": [
        {"action": "provision", "scope": "all"},
        {"action": "read", "records": "staff", "scope": "all"},
    ],
}


class Provider:
    """An identity provider with the key of a service account."""

    def __init__(self, url: str, key: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/scim+json"}
        self.client = httpx2.Client(base_url=f"{url}/scim/v2", headers=headers, timeout=30)

    def ask(self, method: str, path: str, status: int, **more: Any) -> Any:
        """The JSON answered with this status."""
        answer = self.client.request(method, path, **more)
        assert answer.status_code == status, answer.text
        assert answer.status_code == 204 or answer.headers["content-type"].startswith("application/scim+json")
        return answer.json() if answer.content else None

    def patch(self, path: str, *operations: dict[str, Any], status: int = 200, **more: Any) -> Any:
        """Change something."""
        body = {"schemas": [PATCH], "Operations": list(operations)}
        return self.ask("PATCH", path, status, json=body, **more)


@pytest.fixture
def provider(platform: Platform, admin: Rest) -> Provider:
    """A provider whose account may bring people in and nothing else."""
    admin.ask("PUT", "/roles/provisioning", json=ROLE).raise_for_status()
    position = {"unit_id": platform.company_id, "title": "", "role_code": "provisioning"}
    account = admin.post("/users", {"display_name": "Identity provider", "positions": [position]})["id"]
    key = platform.rest().post("/api_keys", {"user_id": account, "name": "SCIM", "scopes": ["provision", "read"]})
    return Provider(platform.url, key["secret"])


def a_person(provider: Provider, **more: Any) -> dict[str, Any]:
    name = more.pop("userName", f"scim-{uuid4().hex[:8]}@acme.example")
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": name,
        "externalId": f"ext-{name}",
        "name": {"givenName": "Sonia", "familyName": "Scimmed"},
        "emails": [{"primary": True, "type": "work", "value": name}],
        "active": True,
        **more,
    }
    made: dict[str, Any] = provider.ask("POST", "/Users", 201, json=body)
    return made


def test_a_person_comes_is_found_changed_and_closed(provider: Provider, admin: Rest) -> None:
    made = a_person(provider)
    assert (made["displayName"], made["active"], made["meta"]["resourceType"]) == ("Sonia Scimmed", True, "User")
    for filter_ in (f'userName eq "{made["userName"].upper()}"', f'externalId eq "{made["externalId"]}"'):
        found = provider.ask("GET", "/Users", 200, params={"filter": filter_})
        assert (found["totalResults"], found["Resources"][0]["id"]) == (1, made["id"])
    assert provider.ask("GET", "/Users", 200, params={"filter": 'userName eq "nobody"'})["totalResults"] == 0
    twin = provider.ask("POST", "/Users", 409, json={"userName": made["userName"], "displayName": "Twin"})
    assert twin["scimType"] == "uniqueness"
    renamed = provider.patch(
        f"/Users/{made['id']}",
        {"op": "Replace", "path": "displayName", "value": "Sonia Married"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "sonia.m@acme.example"},
        {"op": "Add", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "value": "X"},
    )
    assert (renamed["displayName"], renamed["emails"][0]["value"]) == ("Sonia Married", "sonia.m@acme.example")
    closed = provider.patch(f"/Users/{made['id']}", {"op": "Replace", "path": "active", "value": "False"})
    assert closed["active"] is False
    assert admin.get(f"/users/{made['id']}")["active"] is False
    assert provider.patch(f"/Users/{made['id']}", {"op": "replace", "value": {"active": True}})["active"] is True
    provider.ask("DELETE", f"/Users/{made['id']}", 204)
    assert admin.get(f"/users/{made['id']}")["active"] is False


def test_a_group_gives_its_members_a_position_and_takes_it_back(
    provider: Provider, platform: Platform, admin: Rest
) -> None:
    code = a_code("scimmed")
    body = {"kind": "branch", "code": code, "name": "Scimmed", "parent_id": "hq"}
    unit = admin.post("/units", body)["id"]
    one, two = a_person(provider), a_person(provider)
    made = provider.ask(
        "POST", "/Groups", 201, json={"displayName": f"{code}:seller", "members": [{"value": one["id"]}]}
    )
    path = f"/Groups/{made['id']}"
    provider.patch(path, {"op": "Add", "path": "members", "value": [{"value": two["id"]}]})
    provider.patch(path, {"op": "Remove", "path": f'members[value eq "{one["id"]}"]'})
    listed = provider.ask("GET", "/Groups", 200, params={"filter": f'displayName eq "{code}:seller"'})
    assert [member["value"] for member in listed["Resources"][0]["members"]] == [two["id"]]

    def held(user: dict[str, Any]) -> list[tuple[str, str, bool]]:
        found = admin.get(f"/users/{user['id']}")["positions"]
        return [(each["unit_id"], each["role_code"], bool(each.get("end_date"))) for each in found]

    assert (held(one), held(two)) == ([(unit, "seller", True)], [(unit, "seller", False)])
    provider.ask("DELETE", path, 204)
    assert held(two) == [(unit, "seller", True)]


def test_a_closed_person_is_out_at_once_and_a_stale_change_is_refused(
    provider: Provider, platform: Platform, admin: Rest
) -> None:
    login = a_code("leaving")
    position = {"unit_id": platform.company_id, "title": "", "role": "seller"}
    user = admin.post("/users", {"display_name": login, "login": login, "password": PASSWORD, "positions": [position]})
    rest = platform.rest(login)
    found = provider.ask("GET", f"/Users/{user['id']}", 200)
    stale = {"If-Match": found["meta"]["version"]}
    provider.patch(f"/Users/{user['id']}", {"op": "replace", "path": "displayName", "value": "Leaving"}, headers=stale)
    again = {"op": "replace", "path": "displayName", "value": "Other"}
    provider.patch(f"/Users/{user['id']}", again, status=412, headers=stale)
    provider.patch(f"/Users/{user['id']}", {"op": "replace", "path": "active", "value": False})
    refused = platform.guest().ask("POST", "/sessions", json={"login": login, "password": PASSWORD})
    assert refused.status_code == 401
    assert rest.ask("GET", "/users/me").status_code == 401


def test_who_brings_people_in_changes_no_administrator_and_reads_no_customer(
    provider: Provider, platform: Platform, admin: Rest
) -> None:
    me = admin.get("/users/me")["id"]
    provider.patch(f"/Users/{me}", {"op": "replace", "path": "userName", "value": "mine now"}, status=403)
    made = a_person(provider)
    provider.ask("POST", "/Groups", 403, json={"displayName": "hq:administrator", "members": [{"value": made["id"]}]})
    key = provider.client.headers["authorization"]
    answer = httpx2.get(f"{platform.url}/api/v1/persons", headers={"Authorization": key})
    assert answer.status_code == 403 or answer.json()["persons"] == []


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "/Users?filter=title%20pr", {}, 400),
        ("GET", "/Users?count=many", {}, 400),
        ("GET", "/Users/nobody", {}, 404),
        ("POST", "/Users", {"content": b"{"}, 400),
        ("POST", "/Users", {"content": b"[]"}, 400),
        ("POST", "/Users", {"json": {"userName": 7}}, 400),
        (
            "PATCH",
            "/Groups/nobody",
            {"json": {"Operations": [{"op": "replace", "path": "displayName", "value": "x"}]}},
            404,
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_scim_s_words(
    provider: Provider, method: str, path: str, more: dict[str, Any], status: int
) -> None:
    found = provider.ask(method, path, status, **more)
    assert (found["schemas"], found["status"]) == (["urn:ietf:params:scim:api:messages:2.0:Error"], str(status))


def test_pages_say_where_they_begin_and_a_stranger_sees_nothing(provider: Provider, platform: Platform) -> None:
    a_person(provider)
    a_person(provider)
    page = provider.ask("GET", "/Users", 200, params={"startIndex": 2, "count": 1})
    assert (page["startIndex"], page["itemsPerPage"], len(page["Resources"])) == (2, 1, 1)
    assert page["totalResults"] > 2
    assert provider.ask("GET", "/ServiceProviderConfig", 200)["patch"] == {"supported": True}
    stranger = httpx2.get(f"{platform.url}/scim/v2/Users")
    assert (stranger.status_code, stranger.json()["schemas"]) == (401, ["urn:ietf:params:scim:api:messages:2.0:Error"])


def test_the_schemas_describe_what_is_answered(provider: Provider) -> None:
    person = a_person(provider)
    group = provider.ask(
        "POST", "/Groups", 201, json={"displayName": a_code("crew"), "members": [{"value": person["id"]}]}
    )
    page = provider.ask("GET", "/Schemas", 200)
    described = {one["id"]: one for one in page["Resources"]}
    assert page["totalResults"] == len(described) == 2
    common = {"schemas", "id", "meta", "externalId"}
    for resource in (person, group):
        [uri] = resource["schemas"]
        attributes = {one["name"]: one for one in described[uri]["attributes"]}
        assert set(resource) - common == set(attributes)
        for name, one in attributes.items():
            value = resource[name][0] if one["multiValued"] else resource[name]
            parts = {part["name"] for part in one.get("subAttributes", ()) if part["returned"] != "never"}
            assert set(value if isinstance(value, dict) else ()) == parts, name
        assert provider.ask("GET", f"/Schemas/{uri}", 200) == described[uri]
    assert provider.ask("GET", "/Schemas/urn:of:nobody", 404)["status"] == "404"
