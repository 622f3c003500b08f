"""Acts on chosen customers that change the cards themselves: tags given, tags taken away, a field filled in alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.json_format import MessageToJson, Parse, ParseError

from chassis.errors import FieldInvalid, FieldViolation
from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web.chosen_outcomes import Act, Chosen, Outcome, reason_words
from gateway.web.own_fields import label_of, list_fields
from gateway.web.tags import BETWEEN
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit
from values.flags import read_yes_no

CUSTOMERS = ("customers", "organizations")
INDUSTRY, INDIVIDUAL, OWN = "industry", "individual_customer", "own:"
STALE, INVALID = "ERROR_REASON_STALE_ETAG", "ERROR_REASON_FIELD_INVALID"
Write = Callable[[Visit, str, pb.CustomerChange, Chosen], None]


def _act(key: str, ask: Callable[[Visit, str], dict[str, Any]], write: Write) -> Act:
    """An act whose `write` says in the contract's words what becomes of a record."""

    def change(visit: Visit, kind: str, records: Sequence[Chosen], dry_run: bool) -> list[Outcome]:
        changes = []
        for one in records:
            asked = _name(kind, one, pb.CustomerChange())
            write(visit, kind, asked, one)
            changes.append(asked)
        return _change(visit, records, changes, dry_run)

    return Act(
        key,
        CUSTOMERS,
        ask,
        lambda visit, kind, records: change(visit, kind, records, True),
        lambda visit, kind, records: change(visit, kind, records, False),
        _undo,
    )


def _change(
    visit: Visit, records: Sequence[Chosen], changes: Sequence[pb.CustomerChange], dry_run: bool
) -> list[Outcome]:
    request = pb.ChangeCustomersRequest(request_id=visit.field("request_id"), changes=changes, dry_run=dry_run)
    fates = visit.call("contacts", "ChangeCustomers", request).fates
    return [
        Outcome(
            one,
            _refusal(fate) if fate.refusal else "",
            fate.unchanged,
            MessageToJson(fate.undo, indent=None, ensure_ascii=False) if fate.HasField("undo") else "",
        )
        for one, fate in zip(records, fates, strict=True)
    ]


def _undo(visit: Visit, kind: str, backs: Sequence[tuple[Chosen, str]]) -> list[Outcome]:
    """Send back what the service said would take each change back."""
    changes = []
    for one, back in backs:
        try:
            changes.append(_name(kind, one, Parse(back, pb.CustomerChange())))
        except ParseError:
            raise FieldInvalid(FieldViolation("undo", _("there is nothing to take back"))) from None
    return _change(visit, [one for one, _back in backs], changes, False)


def _name(kind: str, one: Chosen, change: pb.CustomerChange) -> pb.CustomerChange:
    """The change as one of this very record."""
    change.person_id = one.id if kind == "customers" else ""
    change.organization_id = one.id if kind == "organizations" else ""
    return change


def _refusal(fate: pb.CustomerChangeFate) -> str:
    name = pb.ErrorReason.Name(fate.refusal)
    if name == STALE:
        return _("somebody changed it in the meantime")
    return fate.message if name == INVALID and fate.message else reason_words(name)


# --- tags


def _ask_tag(_visit: Visit, kind: str) -> dict[str, Any]:
    return {"record_type": "person" if kind == "customers" else "organization"}


def _give_tags(visit: Visit, _kind: str, change: pb.CustomerChange, _one: Chosen) -> None:
    change.add_tags.extend(_tags(visit))


def _take_tags(visit: Visit, _kind: str, change: pb.CustomerChange, _one: Chosen) -> None:
    change.remove_tags.extend(_tags(visit))


def _tags(visit: Visit) -> list[str]:
    tags = [one.strip() for one in visit.field("tag").split(BETWEEN) if one.strip()]
    if not tags:
        raise FieldInvalid(FieldViolation("tag", _("write a word or two")))
    return tags


# --- a field


def _ask_field(visit: Visit, kind: str) -> dict[str, Any]:
    """The fields that all records of the list may have alike: one of the platform's, and the company's own."""
    first = (INDIVIDUAL, _("Customer in their own right")) if kind == "customers" else (INDUSTRY, _("Line of business"))
    if visit.session.access.hides("customer.attributes"):
        return {"fields": [first]}
    own = list_fields(visit, "person" if kind == "customers" else "organization")
    return {"fields": [first, *((f"{OWN}{one.key}", label_of(one)) for one in own)]}


def _fill_in(visit: Visit, kind: str, change: pb.CustomerChange, one: Chosen) -> None:
    """A value stands in nobody's way: a card that changed since the list was opened stays as it is."""
    name, value = visit.field("field"), visit.field("value")
    change.etag = one.version
    if name.startswith(OWN):
        change.fields[name.removeprefix(OWN)] = value
    elif name == INDUSTRY and kind == "organizations":
        change.industry = value
    elif name == INDIVIDUAL and kind == "customers":
        change.individual_customer = _yes_or_no(value)
    else:
        raise FieldInvalid(FieldViolation("field", _("is none of the choices")))


def _yes_or_no(value: str) -> bool:
    answer = read_yes_no(value)
    if answer is None:
        raise FieldInvalid(FieldViolation("value", _("write yes or no")))
    return answer


CHANGES = (
    _act("tag", _ask_tag, _give_tags),
    _act("untag", _ask_tag, _take_tags),
    _act("field", _ask_field, _fill_in),
)
