"""Conditions on a company's own fields in the address of a list: one a line, as contacts takes them (`key>=value`)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web.own_fields import label_of, show_value
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

OWN = "own"  # of the address
ASKED = {"own_field": None, "own_sign": None, "own_value": None}  # what the form adds, and the address then loses
IS, LEAST, UTMOST, FILLED, EMPTY = "is", "least", "utmost", "filled", "empty"
SIGNS: Mapping[str, str] = {IS: "=", LEAST: ">=", UTMOST: "<=", FILLED: "=*", EMPTY: "="}
WRITTEN = re.compile(r"([^=<>]+)(>=|<=|=)(.*)")


def read_conditions(visit: Visit) -> tuple[str, ...]:
    """The conditions of an address."""
    return tuple(filter(None, (line.strip() for line in visit.query.get(OWN, "").splitlines())))


def add_condition(visit: Visit, fields: Iterable[pb.CustomerField]) -> str:
    """The address with the condition that the form adds to it; nothing where the form was not sent."""
    if "own_sign" not in visit.query:
        return ""
    conditions, sign = list(read_conditions(visit)), visit.query.get("own_sign", "")
    field = next((one for one in fields if one.id == visit.query.get("own_field", "")), None)
    value = " ".join(visit.query.get("own_value", "").split())
    if field is not None and (value or sign in (FILLED, EMPTY)):
        conditions.append(field.key + SIGNS.get(sign, "=") + ("" if sign in (FILLED, EMPTY) else value))
    return visit.url(**{**ASKED, OWN: "\n".join(dict.fromkeys(conditions)), "page": None})


def list_chips(visit: Visit, fields: Iterable[pb.CustomerField]) -> list[tuple[str, str]]:
    """Each condition in words, and the address without it."""
    conditions, by_key = read_conditions(visit), {one.key: one for one in fields}
    return [
        (
            condition_words(by_key, one),
            visit.url(**{OWN: "\n".join(other for other in conditions if other != one), "page": None}),
        )
        for one in conditions
    ]


def condition_words(fields: Mapping[str, pb.CustomerField], condition: str) -> str:
    """A condition in plain words; one that cannot be read as it is written."""
    found = WRITTEN.fullmatch(condition)
    field = fields.get(found[1].strip()) if found else None
    if found is None or field is None:
        return condition
    sign, value = found[2], found[3].strip()
    if sign == "=" and value in ("", "*"):
        return f"{label_of(field)}: {_('filled in') if value else _('empty')}"
    words = show_value(field, value, {})
    return f"{label_of(field)}: {words}" if sign == "=" else f"{label_of(field)} {'≥' if sign == '>=' else '≤'} {words}"


def sign_words() -> list[tuple[str, str]]:
    """What a condition may say of a field."""
    return [
        (IS, _("is")),
        (LEAST, _("is at least")),
        (UTMOST, _("is at most")),
        (FILLED, _("filled in")),
        (EMPTY, _("empty")),
    ]
