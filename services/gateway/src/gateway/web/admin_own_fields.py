"""A company's own fields on persons and organizations: which there are and how much each is used; made and changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import new_id
from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web import own_fields
from gateway.web.admin import for_administrators, read_choice
from gateway.web.admin_changing import Changing, save_form
from gateway.web.admin_units import choose_units
from gateway.web.card_reading import ORGANIZATION, PATHS, PERSON
from gateway.web.mounting import Page
from gateway.web.names import list_units
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

BASE = "/admin/own-fields"
YES = "yes"
CHOOSING = (pb.CUSTOMER_FIELD_TYPE_CHOICE, pb.CUSTOMER_FIELD_TYPE_CHOICES)
SWITCHES = ("required", "retired")
TEXTS = ("label", "default_value", "unit_id", "section")


def show_fields(visit: Visit) -> Response:
    """All fields, retired ones last, with how many cards have a value."""
    found = visit.gather(
        fields=("contacts", "ListCustomerFields", pb.ListCustomerFieldsRequest(with_retired=True)),
        use=("contacts", "ReportCustomerFieldUse", pb.ReportCustomerFieldUseRequest()),
    )
    fields = found["fields"].customer_fields if found["fields"] else []
    adopted = visit.query.get("adopted", "")
    return visit.render(
        "admin/own_fields.html",
        help="own-fields",
        place="own-fields",
        away=None if found["fields"] else found["fields"],
        kinds=[
            (words, _of(fields, kind), f"/{PATHS[kind]}") for kind, words in record_words().items() if _of(fields, kind)
        ],
        uses={one.customer_field_id: one for one in found["use"].uses} if found["use"] else {},
        types=own_fields.type_words(),
        units={key: one.name for key, one in list_units(visit).items()},
        adopted=int(adopted) if adopted.isascii() and adopted.isdigit() and len(adopted) < 10 else 0,
    )


def show_new(visit: Visit) -> Response:
    """The form of a new field."""
    if not visit.is_part:  # it stands in the side panel only
        return visit.go(BASE)
    return visit.render(
        "admin/own_field_new.html",
        records=list(record_words().items()),
        types=[(str(number), words) for number, words in own_fields.type_words().items()],
        choosing=CHOOSING,
        units=_units(visit),
        values=_values(pb.CustomerField()),
        request_id=new_id(),
    )


def create_field(visit: Visit) -> Response:
    """Make the field, and say of how many cards it took values over."""
    kind = read_choice(visit, "type", "customer_field.type")
    one = pb.CustomerField(record_type=visit.field("record_type"), key=visit.field("key"), type=kind)  # type: ignore[arg-type]
    values = {name: visit.field(name) for name in field_labels()}
    _write(one, values if kind in CHOOSING else {**values, "choices": ""})
    asked = pb.CreateCustomerFieldRequest(request_id=visit.field("request_id"), customer_field=one)
    made = visit.call("contacts", "CreateCustomerField", asked)
    return visit.go(f"{BASE}?adopted={made.adopted}" if made.adopted else BASE)


def show_edit(visit: Visit) -> Response:
    """The form of a field that is there."""
    one = _find(visit)
    if not visit.is_part:  # it stands in the side panel only
        return visit.go(BASE)
    return visit.render(
        "admin/own_field_edit.html",
        one=one,
        values=_values(one),
        types=own_fields.type_words(),
        records=record_words(),
        choosing=CHOOSING,
        units=_units(visit),
    )


def change_field(visit: Visit) -> Response:
    """Change the field, retire it or bring it back."""
    return save_form(visit, _changing(visit, _find(visit))) or visit.go(BASE)


def record_words() -> dict[str, str]:
    """What fields are on."""
    return {PERSON: _("Persons"), ORGANIZATION: _("Organizations")}


def field_labels() -> dict[str, str]:
    """What the properties of a field are called; those that may change."""
    return {
        "label": _("Name"),
        "labels": _("The name in other languages"),
        "required": _("Required"),
        "choices": _("Allowed values"),
        "default_value": _("Value of new customers"),
        "unit_id": _("Only in"),
        "section": _("Heading"),
        "position": _("Place"),
        "retired": _("Retired"),
    }


def _changing(visit: Visit, one: pb.CustomerField) -> Changing:
    labels = field_labels()
    units = {key: unit.name for key, unit in list_units(visit).items()}

    def read() -> tuple[str, Mapping[str, str]]:
        now = _find(visit)
        return now.etag, _values(now)

    def store(values: Mapping[str, str], etag: str) -> None:
        wanted = pb.CustomerField(id=one.id)
        _write(wanted, values)
        mask = FieldMask(paths=[name for name in values if name != "choices" or one.type in CHOOSING])
        asked = pb.UpdateCustomerFieldRequest(customer_field=wanted, update_mask=mask, etag=etag)
        visit.call("contacts", "UpdateCustomerField", asked)

    def show(name: str, value: str) -> str:
        if name == "unit_id":
            return units.get(value, value) or _("the whole company")
        return {YES: _("yes"), "": _("no")}.get(value, value) if name in SWITCHES else value

    return Changing("edit-own-field-box", labels, read, store, show)


def _find(visit: Visit) -> pb.CustomerField:
    asked = pb.ListCustomerFieldsRequest(with_retired=True)
    fields = visit.call("contacts", "ListCustomerFields", asked).customer_fields
    found = next((one for one in fields if one.id == visit.path["field"]), None)
    if found is None:
        raise HTTPException(404)
    return found  # type: ignore[no-any-return]


def _of(fields: Any, record_type: str) -> list[pb.CustomerField]:
    return sorted((one for one in fields if one.record_type == record_type), key=lambda one: one.retired)


def _units(visit: Visit) -> list[tuple[str, str]]:
    return [("", _("the whole company")), *choose_units(visit)]


def _values(one: pb.CustomerField) -> dict[str, str]:
    """The properties that may change, as a form holds them."""
    return {
        **{name: getattr(one, name) for name in TEXTS},
        **{name: YES if getattr(one, name) else "" for name in SWITCHES},
        "labels": "\n".join(f"{language}: {text}" for language, text in sorted(one.labels.items())),
        "choices": "\n".join(one.choices),
        "position": str(one.position),
    }


def _write(one: pb.CustomerField, values: Mapping[str, str]) -> None:
    """The properties as a form holds them into a field. Errors: FieldInvalid."""
    for name in TEXTS:
        setattr(one, name, values.get(name, ""))
    for name in SWITCHES:
        setattr(one, name, values.get(name) == YES)
    one.choices.extend(line.strip() for line in values.get("choices", "").splitlines() if line.strip())
    one.position = _read_position(values.get("position", ""))
    for line in values.get("labels", "").splitlines():
        language, colon, text = (part.strip() for part in line.partition(":"))
        if line.strip() and not (colon and text):
            raise FieldInvalid(FieldViolation("labels", _("write a language and the name a line, such as ru: Рост")))
        if text:
            one.labels[language.lower()] = text


def _read_position(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 6):
        raise FieldInvalid(FieldViolation("position", _("write a whole number from 0 to 10,000")))
    return int(text or "0")


PAGES = (
    Page("GET", BASE, for_administrators(show_fields)),
    Page("POST", BASE, for_administrators(create_field)),
    Page("GET", f"{BASE}/new", for_administrators(show_new)),
    Page("GET", f"{BASE}/{{field}}", for_administrators(show_edit)),
    Page("POST", f"{BASE}/{{field}}", for_administrators(change_field)),
)
