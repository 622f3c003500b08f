"""SCIM 2.0 (RFC 7643, 7644) in values: users and groups as resources, and what identity providers ask and change.

Nothing here calls a service. What a provider sends and nobody here keeps (photos, titles, passwords) is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from crm.directory.v1 import directory_pb2 as pb

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
MOST_OPERATIONS = 1_000
_FILTER = re.compile(r'\s*([\w.:]+(?:\[[^\]]*\]\.\w+)?)\s+eq\s+"((?:[^"\\]|\\.)*)"\s*', re.IGNORECASE)
_MEMBER = re.compile(r'members\[\s*value\s+eq\s+"([^"]*)"\s*\]', re.IGNORECASE)
_EMAIL = re.compile(r"emails(\[[^\]]*\])?(\.value)?", re.IGNORECASE)


class ScimRefusal(Exception):
    """What is asked cannot be read; `kind` is one of the words of RFC 7644, table 9."""

    def __init__(self, detail: str, kind: str = "invalidValue", status: int = 400) -> None:
        super().__init__(detail)
        self.detail, self.kind, self.status = detail, kind, status


@dataclass(frozen=True)
class Person:
    """A user as another system says it; None where it says nothing."""

    login: str | None = None
    display_name: str | None = None
    email: str | None = None
    external_id: str | None = None
    active: bool | None = None

    def values(self) -> dict[str, Any]:
        """What is said, by field of the contract's User."""
        return {name: value for name, value in vars(self).items() if value is not None}


def user_resource(user: pb.User, base: str) -> dict[str, Any]:
    """A user as a resource."""
    found = {
        "schemas": [USER],
        "id": user.id,
        "userName": user.login or user.email or user.id,
        "displayName": user.display_name,
        "name": {"formatted": user.display_name},
        "active": user.active,
        "emails": [{"value": user.email, "type": "work", "primary": True}] if user.email else [],
        "meta": _meta("User", user, f"{base}/Users/{user.id}"),
    }
    return {**found, "externalId": user.external_id} if user.external_id else found


def group_resource(group: pb.StaffGroup, base: str) -> dict[str, Any]:
    """A group as a resource."""
    found = {
        "schemas": [GROUP],
        "id": group.id,
        "displayName": group.display_name,
        "members": [{"value": one, "$ref": f"{base}/Users/{one}"} for one in group.user_ids],
        "meta": _meta("Group", group, f"{base}/Groups/{group.id}"),
    }
    return {**found, "externalId": group.external_id} if group.external_id else found


def list_resource(resources: Sequence[Any], total: int, start: int) -> dict[str, Any]:
    """A page of a list."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }


def error_resource(status: int, detail: str, kind: str = "") -> dict[str, Any]:
    """A refusal."""
    found = {"schemas": [ERROR], "status": str(status), "detail": detail}
    return {**found, "scimType": kind} if kind else found


def read_filter(text: str, fields: Mapping[str, str]) -> dict[str, str]:
    """A filter `attribute eq "value"` as the contract's field and value; `fields` says which attributes there are."""
    if not text:
        return {}
    found = _FILTER.fullmatch(text)
    name = _plain(found[1]) if found else ""
    if found is None or name not in fields:
        raise ScimRefusal(f'only `attribute eq "value"` of {", ".join(fields)} is understood', "invalidFilter")
    return {fields[name]: re.sub(r"\\(.)", r"\1", found[2])}


def read_person(body: Mapping[str, Any]) -> Person:
    """A whole user as it was sent."""
    said: dict[str, Any] = {}
    for name, value in body.items():
        said |= _said(name, value)
    return _person(said)


def read_user_changes(body: Mapping[str, Any]) -> Person:
    """What a PATCH says of a user; the last word on each field counts."""
    said: dict[str, Any] = {}
    for operation, path, value in _operations(body):
        if operation == "remove":
            said |= dict.fromkeys(_said(path, ""), "")
        elif path:
            said |= _said(path, value)
        else:
            for name, each in _object(value).items():
                said |= _said(name, each)
    return _person(said)


def read_group(body: Mapping[str, Any]) -> dict[str, Any]:
    """Name, outside id and members of a whole group."""
    return {
        "display_name": _text("displayName", body.get("displayName", "")),
        "external_id": _text("externalId", body.get("externalId", "")),
        "user_ids": _members(body.get("members") or []),
    }


def change_group(group: pb.StaffGroup, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a group is after a PATCH, one operation after the other."""
    name, outside, members = group.display_name, group.external_id, dict.fromkeys(group.user_ids)
    for operation, path, value in _operations(body):
        said = {path: value} if path else _object(value)
        for each, of in said.items():
            one = _MEMBER.fullmatch(each)
            if one or _plain(each) == "members":
                named = dict.fromkeys([one[1]] if one else _members(of or []))
                if operation == "remove":
                    members = {key: None for key in members if named and key not in named}
                else:
                    members = named if operation == "replace" else members | named
            elif _plain(each) == "displayname":
                name = _text("displayName", of)
            elif _plain(each) == "externalid":
                outside = "" if operation == "remove" else _text("externalId", of)
    return {"display_name": name, "external_id": outside, "user_ids": list(members)}


def _said(path: str, value: Any) -> dict[str, Any]:
    """What one attribute says, by our field; nothing for one that nobody here keeps."""
    name = _plain(path)
    if name == "username":
        return {"login": _text("userName", value)}
    if name == "displayname":
        return {"display_name": _text("displayName", value)}
    if name == "externalid":
        return {"external_id": _text("externalId", value)}
    if name == "active":
        return {"active": _truth(value)}
    if name.startswith("name"):
        return _said_of_name(name, value)
    if _EMAIL.fullmatch(name):
        return {"email": _email(value)}
    return {}


def _said_of_name(name: str, value: Any) -> dict[str, Any]:
    parts = _object(value) if name == "name" else {name.removeprefix("name."): value}
    plain = {key.lower(): _text(f"name.{key}", each) for key, each in parts.items() if isinstance(each, str)}
    return {f"name.{key}": plain[key] for key in ("formatted", "givenname", "familyname") if key in plain}


def _person(said: Mapping[str, Any]) -> Person:
    """The fields, the shown name from the parts of the name where no other one is said."""
    parts = " ".join(filter(None, (said.get("name.givenname", ""), said.get("name.familyname", ""))))
    shown = said.get("display_name") or said.get("name.formatted") or parts or None
    fields = {key: said[key] for key in ("login", "email", "external_id") if key in said}
    active = said.get("active")
    return Person(display_name=shown, active=active if isinstance(active, bool) else None, **fields)


def _operations(body: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    named = {key.lower(): value for key, value in body.items()}
    found = named.get("operations")
    if not isinstance(found, list) or not 1 <= len(found) <= MOST_OPERATIONS:
        raise ScimRefusal(f"Operations holds 1 to {MOST_OPERATIONS} changes", "invalidSyntax")
    read = []
    for one in found:
        each = _object(one)
        kind, path = str(each.get("op", "")).lower(), each.get("path") or ""
        if kind not in ("add", "replace", "remove") or not isinstance(path, str):
            raise ScimRefusal("op is add, replace or remove, and path a text", "invalidSyntax")
        read.append((kind, path, each.get("value")))
    return read


def _plain(path: str) -> str:
    """An attribute without its schema and in small letters."""
    for schema in (USER, GROUP):
        path = path.removeprefix(f"{schema}:")
    return path.lower()


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ScimRefusal("an object is needed here", "invalidSyntax")
    return value


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ScimRefusal(f"{name} is not a text")
    return value


def _truth(value: Any) -> bool:
    """True or false, also as the text that some providers send."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ScimRefusal("active is true or false")


def _email(value: Any) -> str:
    """The primary one of several, else the first."""
    if not isinstance(value, list):
        return _text("emails", value.get("value") if isinstance(value, dict) else value)
    several = [_object(one) for one in value]
    chosen = next((one for one in several if one.get("primary") is True), several[0] if several else {})
    return _text("emails", chosen.get("value"))


def _members(value: Any) -> list[str]:
    several = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(_text("members", _object(one).get("value")) for one in several))


def _meta(kind: str, found: Any, location: str) -> dict[str, str]:
    made = found.create_time.ToDatetime(UTC).isoformat().replace("+00:00", "Z")
    return {"resourceType": kind, "created": made, "location": location, "version": f'W/"{found.etag}"'}
