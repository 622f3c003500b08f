"""SCIM 2.0: an identity provider brings people and groups in with a service account's key that may provision.

Removing a user closes the access: nobody is forgotten who stands in records. Shapes and words are in `scim_values`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.errors import DomainError, FieldInvalid, Kind
from chassis.rpc.client import calling_as
from crm.directory.v1 import directory_pb2 as pb
from gateway import scim_values as scim
from gateway.problems import REASONS, STATUSES
from gateway.scim_schemas import SCHEMAS, schema_resource
from gateway.services import Services
from gateway.signed_in import SignedIn

PREFIX = "/scim/v2"
MEDIA_TYPE = "application/scim+json"
MOST = 200
USER_FILTERS = {
    "username": "login",
    "externalid": "external_id",
    "emails": "email",
    "emails.value": "email",
    'emails[type eq "work"].value': "email",
}
Answer = tuple[int, Any]
CONFIG = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
    "filter": {"supported": True, "maxResults": MOST},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": True},
    "authenticationSchemes": [
        {"type": "oauthbearertoken", "name": "Key of a service account", "description": "Authorization: Bearer blk_…"}
    ],
}


@dataclass(frozen=True)
class Sent:
    """A request with its body; an empty one where there is none."""

    request: Request
    body: Mapping[str, Any]


class Scim:
    """Answers SCIM requests over the directory."""

    def __init__(self, services: Services, signed_in: SignedIn) -> None:
        self._services, self._signed_in = services, signed_in

    def routes(self) -> list[Route]:
        """Every address, each with what answers it."""
        return [
            self._route("GET", "/ServiceProviderConfig", lambda _: (200, CONFIG)),
            self._route("GET", "/ResourceTypes", lambda _: _resource_types()),
            self._route("GET", "/Schemas", _list_schemas),
            self._route("GET", "/Schemas/{id}", _read_schema),
            self._route("GET", "/Users", self.list_users),
            self._route("POST", "/Users", self.create_user),
            self._route("GET", "/Users/{id}", self.read_user),
            self._route("PUT", "/Users/{id}", self.replace_user),
            self._route("PATCH", "/Users/{id}", self.change_user),
            self._route("DELETE", "/Users/{id}", self.close_user),
            self._route("GET", "/Groups", self.list_groups),
            self._route("POST", "/Groups", self.create_group),
            self._route("GET", "/Groups/{id}", self.read_group),
            self._route("PUT", "/Groups/{id}", self.replace_group),
            self._route("PATCH", "/Groups/{id}", self.change_group),
            self._route("DELETE", "/Groups/{id}", self.remove_group),
        ]

    def list_users(self, sent: Sent) -> Answer:
        """A page of users, those of a filter where there is one."""
        start, count = _page(sent.request)
        wanted: dict[str, Any] = dict(scim.read_filter(sent.request.query_params.get("filter", ""), USER_FILTERS))
        found = self._call("FindUsers", pb.FindUsersRequest(skip=start - 1, count=count, **wanted))
        users = [scim.user_resource(one, _base(sent.request)) for one in found.users]
        return 200, scim.list_resource(users, found.total, start)

    def create_user(self, sent: Sent) -> Answer:
        """Make a user; a known sign-in name is a conflict, by which providers find out whom to join."""
        said = scim.read_person(sent.body)
        values = said.values()
        active = values.pop("active", True)
        values.setdefault("display_name", said.login or "")
        user = self._call("CreateUser", pb.CreateUserRequest(user=pb.User(**values))).user
        if not active:
            user = self._update(user.id, {"active": False}, "")
        return 201, scim.user_resource(user, _base(sent.request))

    def read_user(self, sent: Sent) -> Answer:
        """One user."""
        return 200, scim.user_resource(self._user(sent.request), _base(sent.request))

    def replace_user(self, sent: Sent) -> Answer:
        """All that is said of a user; what is not said stays, since providers leave out what they do not know."""
        return self._changed(sent.request, scim.read_person(sent.body))

    def change_user(self, sent: Sent) -> Answer:
        """Some fields of a user."""
        return self._changed(sent.request, scim.read_user_changes(sent.body))

    def close_user(self, sent: Sent) -> Answer:
        """Close the access, everywhere and at once."""
        self._update(self._user(sent.request).id, {"active": False}, "")
        return 204, None

    def list_groups(self, sent: Sent) -> Answer:
        """A page of groups."""
        start, count = _page(sent.request)
        fields = {"displayname": "display_name", "id": "group_id"}
        wanted: dict[str, Any] = dict(scim.read_filter(sent.request.query_params.get("filter", ""), fields))
        found = self._call("ListStaffGroups", pb.ListStaffGroupsRequest(skip=start - 1, count=count, **wanted))
        groups = [scim.group_resource(one, _base(sent.request)) for one in found.groups]
        if "members" in sent.request.query_params.get("excludedAttributes", ""):
            groups = [{key: value for key, value in one.items() if key != "members"} for one in groups]
        return 200, scim.list_resource(groups, found.total, start)

    def create_group(self, sent: Sent) -> Answer:
        """Make a group."""
        return 201, scim.group_resource(self._set_group("", scim.read_group(sent.body), ""), _base(sent.request))

    def read_group(self, sent: Sent) -> Answer:
        """One group."""
        return 200, scim.group_resource(self._group(sent.request), _base(sent.request))

    def replace_group(self, sent: Sent) -> Answer:
        """The whole group."""
        stored = self._set_group(sent.request.path_params["id"], scim.read_group(sent.body), _etag(sent.request))
        return 200, scim.group_resource(stored, _base(sent.request))

    def change_group(self, sent: Sent) -> Answer:
        """Members who come and go, or another name; read and written as one, so that no change is lost."""
        known = self._group(sent.request)
        stored = self._set_group(known.id, scim.change_group(known, sent.body), _etag(sent.request) or known.etag)
        return 200, scim.group_resource(stored, _base(sent.request))

    def remove_group(self, sent: Sent) -> Answer:
        """Remove the group."""
        self._call("RemoveStaffGroup", pb.RemoveStaffGroupRequest(group_id=sent.request.path_params["id"]))
        return 204, None

    def _changed(self, request: Request, said: scim.Person) -> Answer:
        known = self._user(request)
        values = {name: value for name, value in said.values().items() if value != getattr(known, name)}
        user = self._update(known.id, values, _etag(request)) if values else known
        return 200, scim.user_resource(user, _base(request))

    def _user(self, request: Request) -> Any:
        return self._call("GetUser", pb.GetUserRequest(user_id=request.path_params["id"])).user

    def _group(self, request: Request) -> Any:
        asked = pb.ListStaffGroupsRequest(group_id=request.path_params["id"], count=1)
        return self._call("ListStaffGroups", asked).groups[0]

    def _update(self, user_id: str, values: Mapping[str, Any], etag: str) -> Any:
        user = pb.User(id=user_id, **values)
        asked = pb.UpdateUserRequest(user=user, update_mask=FieldMask(paths=sorted(values)), etag=etag)
        return self._call("UpdateUser", asked).user

    def _set_group(self, group_id: str, values: Mapping[str, Any], etag: str) -> Any:
        asked = pb.SetStaffGroupRequest(group=pb.StaffGroup(id=group_id, **values), etag=etag)
        return self._call("SetStaffGroup", asked).group

    def _call(self, method: str, asked: Any) -> Any:
        return self._services.call("directory", method, asked)

    def _route(self, method: str, path: str, act: Callable[[Sent], Answer]) -> Route:
        async def endpoint(request: Request) -> Response:
            content = await request.body() if method in ("POST", "PUT", "PATCH") else b""
            return await run_in_threadpool(self._answer, act, request, content)

        return Route(f"{PREFIX}{path}", endpoint, methods=[method])

    def _answer(self, act: Callable[[Sent], Answer], request: Request, content: bytes) -> Response:
        try:
            with calling_as(self._signed_in.token_of(request)):
                status, found = act(Sent(request, _read_body(content)))
        except scim.ScimRefusal as refusal:
            return _json(refusal.status, scim.error_resource(refusal.status, refusal.detail, refusal.kind))
        except DomainError as refusal:
            return _refused(refusal)
        if found is None:
            return Response(status_code=status)
        version = found.get("meta", {}).get("version", "") if isinstance(found, dict) else ""
        return _json(status, found, {"ETag": version} if version else {})


def _resource_types() -> Answer:
    """What there is."""
    kinds = (("User", "Users", scim.USER), ("Group", "Groups", scim.GROUP))
    schema = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
    found = [
        {"schemas": [schema], "id": name, "name": name, "endpoint": f"/{path}", "schema": of}
        for name, path, of in kinds
    ]
    return 200, scim.list_resource(found, len(found), 1)


def _list_schemas(sent: Sent) -> Answer:
    """What users and groups consist of."""
    found = [schema_resource(uri, _base(sent.request)) for uri in SCHEMAS]
    return 200, scim.list_resource(found, len(found), 1)


def _read_schema(sent: Sent) -> Answer:
    uri = str(sent.request.path_params["id"])
    if uri not in SCHEMAS:
        raise scim.ScimRefusal(f"there is no schema {uri[:200]!r}", "", 404)
    return 200, schema_resource(uri, _base(sent.request))


def _read_body(content: bytes) -> Mapping[str, Any]:
    if not content:
        return {}
    try:
        found = json.loads(content)
    except ValueError:
        raise scim.ScimRefusal("the body is not JSON", "invalidSyntax") from None
    if not isinstance(found, dict):
        raise scim.ScimRefusal("the body is not an object", "invalidSyntax")
    return found


def _page(request: Request) -> tuple[int, int]:
    """The first one, from 1, and how many."""
    found = []
    for name, usual in (("startIndex", 1), ("count", MOST)):
        text = request.query_params.get(name, str(usual))
        if not text.lstrip("-").isdigit() or len(text) > 7:
            raise scim.ScimRefusal(f"{name} is not a number")
        found.append(int(text))
    return max(1, found[0]), min(max(0, found[1]), MOST)


def _etag(request: Request) -> str:
    return request.headers.get("if-match", "").removeprefix("W/").strip('"').removeprefix("*")


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{PREFIX}"


def _refused(error: DomainError) -> Response:
    status = 412 if error.reason == "STALE_ETAG" else REASONS.get(error.reason, STATUSES[error.kind])
    kind = "uniqueness" if error.kind is Kind.ALREADY_EXISTS else ""
    if isinstance(error, FieldInvalid) or error.reason == "FIELD_INVALID":
        kind = "invalidValue"
    return _json(status, scim.error_resource(status, error.message, kind))


def _json(status: int, found: Any, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(found, status, dict(headers or {}), MEDIA_TYPE)
