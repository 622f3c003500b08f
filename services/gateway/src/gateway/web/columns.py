"""Which columns a list shows and in which order: each person's own choice, kept with how they like the workplace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.responses import Response

from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web import own_fields
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.texts import pgettext
from gateway.web.visits import Visit


@dataclass(frozen=True)
class Columns:
    """A list's columns in words by key: the first is always shown and first, as it leads to the record.

    `own` are those that are fields of the company's own.
    """

    name: str
    words: Mapping[str, str]
    shown: Sequence[str]
    own: Mapping[str, pb.CustomerField] = field(default_factory=dict)

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """All but the first as (key, words, whether it is shown), the shown ones in their order before the others."""
        rest = [key for key in self.words if key not in self.shown]
        return [(key, self.words[key], key in self.shown) for key in (*self.shown[1:], *rest)]


def person_columns() -> dict[str, str]:
    """The columns of the list of persons."""
    return {
        "name": pgettext("person", "Name"), "phone": _("Phone"), "organization": _("Organization"), "unit": _("Unit"),
        "owner": _("Owner"), "last": _("Last contact"), "next": _("Next step"), "tags": _("Tags"),
    }  # fmt: skip


def organization_columns() -> dict[str, str]:
    """The columns of the list of organizations."""
    return {
        "name": _("Name"), "phone": _("Phone"), "town": _("Town"), "industry": _("Line of business"),
        "unit": _("Unit"), "owner": _("Owner"), "last": _("Last contact"), "next": _("Next step"), "tags": _("Tags"),
    }  # fmt: skip


def deal_columns() -> dict[str, str]:
    """The columns of the table of deals."""
    return {
        "title": _("Deal"), "customer": _("Customer"), "stage": _("Stage"), "amount": _("Amount"),
        "days": _("Days in stage"), "next": _("Next step"), "owner": _("Owner"), "opened": _("Opened"),
        "expected": _("Expected"), "closed": _("Closed"),
    }  # fmt: skip


ON_REQUEST = ("tags",)  # shown to those who choose them: not every company uses them, and a list is wide enough
LISTS: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "customers": person_columns,
    "organizations": organization_columns,
    "deals": deal_columns,
}


OWN_FIELDS_OF = {"customers": "person", "organizations": "organization"}


def read_columns(visit: Visit, name: str) -> Columns:
    """The columns that the address names, else those the viewer has chosen; unknown ones are left out.

    At first the usual ones are shown, without the company's own fields.
    """
    own = _own_columns(visit, name)
    known = LISTS[name]()
    words = {**known, **{key: own_fields.label_of(one) for key, one in own.items()}}
    named = visit.query.get("cols", "")
    kept = named.split(",") if named else visit.setting(_setting(name))
    first, *others = words
    usual = [key for key in list(known)[1:] if key not in ON_REQUEST]
    chosen = [key for key in kept if key in others] if isinstance(kept, list) else usual
    return Columns(name, words, [first, *dict.fromkeys(chosen)], own)


def _own_columns(visit: Visit, name: str) -> dict[str, pb.CustomerField]:
    """The company's own fields of a list's records; none where contacts is away."""
    if name not in OWN_FIELDS_OF:
        return {}
    found = visit.gather_calls(own=lambda: own_fields.list_fields(visit, OWN_FIELDS_OF[name]))["own"]
    return {own_fields.form_name(one): one for one in found or ()}


def save_columns(visit: Visit) -> Response:
    """Keep the chosen columns in the order in which the form names them, and show the list anew.

    A list whose address names its columns, as that of a saved view does, is shown with the chosen ones in its address.
    """
    name = visit.path["name"]
    if name not in LISTS:
        raise HTTPException(404)
    known = LISTS[name]()
    may_stand = {*known, *_own_columns(visit, name)}
    chosen = [key for key in visit.form.getlist("column") if isinstance(key, str) and key in may_stand]
    usual = visit.field("change") == "usual"
    here = visit.field("here")
    if here.startswith(f"/{name}?"):
        shown = [*list(known)[:1], *dict.fromkeys(chosen)]
        asked = dict(parse_qsl(urlsplit(here).query, max_num_fields=100))
        return visit.go(f"/{name}?{urlencode({**asked, 'cols': ','.join(known if usual else shown)})}")
    visit.save_setting(_setting(name), None if usual else list(dict.fromkeys(chosen)))
    if visit.is_part:
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return visit.go(f"/{name}")


def _setting(name: str) -> str:
    return f"columns_{name}"


PAGES = (Page("POST", "/lists/{name}/columns", save_columns),)
