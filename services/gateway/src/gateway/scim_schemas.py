"""What SCIM's users and groups consist of here, as RFC 7643 has a service say it (section 7); nothing else is kept."""

from __future__ import annotations

from typing import Any

from gateway.scim_values import GROUP, USER

SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
_READ_ONLY, _WRITE, _NEVER_CHANGED = "readOnly", "readWrite", "immutable"


def _attribute(name: str, description: str, **more: Any) -> dict[str, Any]:
    """One attribute; what is not said is a plain text that may be read and written."""
    usual = {
        "type": "string",
        "multiValued": False,
        "description": description,
        "required": False,
        "caseExact": False,
        "mutability": _WRITE,
        "returned": "default",
        "uniqueness": "none",
    }
    found = {"name": name, **usual, **more}
    if found["type"] in ("boolean", "complex"):
        del found["caseExact"], found["uniqueness"]
    return found


def _parts(name: str, description: str, parts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return _attribute(name, description, type="complex", subAttributes=parts, **more)


SCHEMAS: dict[str, dict[str, Any]] = {
    USER: {
        "name": "User",
        "description": "Somebody who works here",
        "attributes": [
            _attribute("userName", "The login, or else the work e-mail", required=True, uniqueness="server"),
            _attribute("displayName", "The name as it is shown"),
            _parts(
                "name",
                "The name; parts of it are put together, and one name is kept",
                [
                    _attribute("formatted", "The whole name"),
                    _attribute("givenName", "Taken where no whole name is given", returned="never"),
                    _attribute("familyName", "Taken where no whole name is given", returned="never"),
                ],
            ),
            _attribute("active", "False closes the access at once", type="boolean"),
            _parts(
                "emails",
                "The work e-mail; of several the primary one is kept",
                [
                    _attribute("value", "The address"),
                    _attribute("type", "What it is for", canonicalValues=["work"]),
                    _attribute("primary", "Whether it is the one that counts", type="boolean"),
                ],
                multiValued=True,
            ),
        ],
    },
    GROUP: {
        "name": "Group",
        "description": "People who get a position together",
        "attributes": [
            _attribute("displayName", "The name of the group", required=True, uniqueness="server"),
            _parts(
                "members",
                "Who is in it",
                [
                    _attribute("value", "The id of a user", caseExact=True, mutability=_NEVER_CHANGED),
                    _attribute(
                        "$ref", "The address of the user", type="reference", referenceTypes=["User"],
                        caseExact=True, mutability=_READ_ONLY,
                    ),
                ],
                multiValued=True,
            ),
        ],
    },
}  # fmt: skip


def schema_resource(uri: str, base: str) -> dict[str, Any]:
    """A schema as a resource. Errors: KeyError for one that is not ours."""
    place = {"resourceType": "Schema", "location": f"{base}/Schemas/{uri}"}
    return {"schemas": [SCHEMA], "id": uri, **SCHEMAS[uri], "meta": place}
