"""Groups of confidential fields: which fields need a grant of their own beside that of their records."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin import for_administrators
from gateway.web.mounting import Page
from gateway.web.rights_words import field_words, group_name, record_words
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit
from units.records import FIELDS

GroupShown = tuple[pb.FieldGroup, str, str]


def show_new(visit: Visit) -> Response:
    """The form of a new group."""
    return _form(visit, pb.FieldGroup())


def show_group(visit: Visit) -> Response:
    """The form of a known group."""
    for one in list_groups(visit):
        if (one.records, one.code) == (visit.path["records"], visit.path["code"]):
            return _form(visit, one)
    raise HTTPException(404)


def save_group(visit: Visit) -> Response:
    """Store the group; its kind of records is that of its fields."""
    chosen = [(kind, name) for kind, names in FIELDS.items() for name in names if visit.field(f"{kind}.{name}")]
    kinds = list(dict.fromkeys(kind for kind, _name in chosen))
    if len(kinds) != 1:
        raise FieldInvalid(FieldViolation("field_group.fields", _("choose fields of one kind of records")))
    group = pb.FieldGroup(
        records=kinds[0], code=visit.field("code"), name=visit.field("name"), fields=[name for _kind, name in chosen]
    )
    visit.call("directory", "SetFieldGroup", pb.SetFieldGroupRequest(field_group=group, etag=visit.field("etag")))
    return visit.go("/admin/roles")


def remove_group(visit: Visit) -> Response:
    """Remove the group."""
    asked = pb.RemoveFieldGroupRequest(records=visit.path["records"], code=visit.path["code"])
    visit.call("directory", "RemoveFieldGroup", asked)
    return visit.go("/admin/roles")


def list_groups(visit: Visit) -> list[pb.FieldGroup]:
    """All groups."""
    return list(visit.call("directory", "ListFieldGroups", pb.ListFieldGroupsRequest()).field_groups)


def name_groups(groups: Iterable[pb.FieldGroup]) -> list[GroupShown]:
    """Groups with the words for their kind of records and for themselves."""
    kinds = record_words()
    return [(one, kinds[one.records], group_name(one.records, one.code, one.name)) for one in groups]


def _form(visit: Visit, one: pb.FieldGroup) -> Response:
    if not visit.is_part:  # it stands in the side panel only
        return visit.go("/admin/roles")
    words = record_words()
    kinds = [(kind, words[kind]) for kind in FIELDS if one.records in ("", kind)]
    return visit.render("admin/field_group.html", one=one, kinds=kinds, fields=field_words())


PAGES = (
    Page("POST", "/admin/fields", for_administrators(save_group)),
    Page("GET", "/admin/fields/new", for_administrators(show_new)),
    Page("GET", "/admin/fields/{records}/{code}", for_administrators(show_group)),
    Page("POST", "/admin/fields/{records}/{code}/remove", for_administrators(remove_group)),
)
