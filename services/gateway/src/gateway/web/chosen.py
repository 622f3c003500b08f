"""Many records of a list at once: the form of an act, a preview that changes nothing, the result and its way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id, new_id
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from gateway.web.card_reading import PATHS
from gateway.web.chosen_acts import ACTS, EXPORT, act_words, read_deals
from gateway.web.chosen_outcomes import Act, Chosen, Outcome
from gateway.web.columns import LISTS, read_columns
from gateway.web.exports import offer_list
from gateway.web.merging import merge_address
from gateway.web.mounting import Page
from gateway.web.names import look_up_names
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

MOST = 200  # as many as one call of a service takes
FIELDS = ("to_owner_id", "note", "subject", "day", "whose", "stage_id", "loss_reason", "tag", "field", "value")
LOOK, DO, BACK = "look", "do", "back"
EXPORTED: Mapping[str, Callable[[list[str]], Any]] = {
    "customers": lambda ids: contacts.ListPersonsRequest(person_ids=ids),
    "organizations": lambda ids: contacts.ListOrganizationsRequest(organization_ids=ids),
    "deals": lambda ids: deals.ListDealsRequest(deal_ids=ids),
}
MERGE = "merge"
TYPES = {path: record_type for record_type, path in PATHS.items()}


def show_chosen(visit: Visit) -> Response:
    """The step that the form asks for. Errors: FieldInvalid, RemoteError."""
    if visit.field("act") == EXPORT:
        return _show_export(visit)
    if visit.field("act") == MERGE and visit.path["name"] in TYPES:  # a page of its own: fields are chosen there
        return visit.go(merge_address(TYPES[visit.path["name"]], (one.id for one in read_records(visit))))
    kind, act = _asked(visit)
    step = visit.field("step")
    if step == BACK:
        return _show_undone(visit, kind, act)
    records = name_records(visit, kind, read_records(visit))
    if step == LOOK:
        return _show(visit, kind, act, "lists/chosen_look.html", act.look(visit, kind, records), records)
    if step == DO:
        return _show(visit, kind, act, "lists/chosen_done.html", act.do(visit, kind, records), records)
    heir = look_up_names(visit, {visit.field("to_owner_id")} - {""}).user(visit.field("to_owner_id"))
    return visit.render(
        "lists/chosen_form.html",
        **_shared(visit, kind, act),
        records=records,
        heir_name=heir.name if heir else "",
        **act.ask(visit, kind),
    )


def _show_export(visit: Visit) -> Response:
    """The form that takes the chosen records along as a file, which is a job like every export."""
    kind = visit.path["name"]
    if kind not in LISTS:
        raise HTTPException(404)
    records = name_records(visit, kind, read_records(visit))
    asked = EXPORTED[kind]([one.id for one in records])
    columns = read_columns(visit, kind)
    return visit.render(
        "lists/chosen_export.html",
        title=act_words()[EXPORT],
        records=records,
        exportable=offer_list("persons" if kind == "customers" else kind, asked, columns.shown),
    )


def read_records(visit: Visit) -> list[Chosen]:
    """The records that a form names, each once. Errors: FieldInvalid for none or too many."""
    found: dict[str, Chosen] = {}
    for written in visit.form.getlist("record"):
        id, owner_id, version = [*str(written).split("|"), "", ""][:3]
        if is_id(id):
            found[id] = Chosen(id, owner_id if is_id(owner_id) else "", version[:20])
    if not 1 <= len(found) <= MOST:
        raise FieldInvalid(FieldViolation("record", _("choose 1 to %(most)s records") % {"most": MOST}))
    return list(found.values())


def name_records(visit: Visit, kind: str, records: Sequence[Chosen]) -> list[Chosen]:
    """Those of the records that the viewer may see, as they are called now. Errors: RemoteError."""
    ids = [one.id for one in records]
    if kind == "deals":
        titles = {one.id: one.title or _("Deal without a title") for one in read_deals(visit, records)}
    else:
        wanted = {"person_ids": ids} if kind == "customers" else {"organization_ids": ids}
        found = visit.call("contacts", "BatchGetCustomerNames", contacts.BatchGetCustomerNamesRequest(**wanted))
        titles = dict(found.person_names if kind == "customers" else found.organization_names)
    return [Chosen(one.id, one.owner_id, one.version, titles[one.id]) for one in records if one.id in titles]


def _show_undone(visit: Visit, kind: str, act: Act) -> Response:
    """Take back what was done, as far as nobody else has changed it since."""
    backs = [str(one).partition("/") for one in visit.form.getlist("undo")][:MOST]
    written = {record.split("|")[0]: (record, back) for record, _bar, back in backs}
    records = [Chosen(*[*record.split("|"), "", ""][:3]) for id, (record, _back) in written.items() if is_id(id)]
    if not records:
        raise FieldInvalid(FieldViolation("undo", _("there is nothing to take back")))
    named = name_records(visit, kind, records)
    outcomes = act.undo(visit, kind, [(one, written[one.id][1]) for one in named])
    return _show(visit, kind, act, "lists/chosen_done.html", outcomes, named, undone=True)


def _show(
    visit: Visit, kind: str, act: Act, template: str, outcomes: list[Outcome], records: Sequence[Chosen],
    undone: bool = False,
) -> Response:  # fmt: skip
    names = look_up_names(visit, {visit.field("to_owner_id"), *(one.owner_id for one in records)} - {""})
    changed = template == "lists/chosen_done.html"
    return visit.render(
        template,
        headers={"HX-Trigger": "list-changed"} if changed else {},
        **_shared(visit, kind, act),
        records=records,
        going=[one for one in outcomes if one.goes],
        unchanged=[one for one in outcomes if one.unchanged],
        staying=[one for one in outcomes if one.refusal],
        names=names,
        heir=visit.field("to_owner_id"),
        undone=undone,
    )


def _shared(visit: Visit, kind: str, act: Act) -> dict[str, Any]:
    return {
        "list_name": kind,
        "act": act.key,
        "title": act_words()[act.key],
        "asked": {name: visit.field(name) for name in FIELDS if visit.field(name)},
        "request_id": new_id(),
    }


def _asked(visit: Visit) -> tuple[str, Act]:
    """The list and the act. Errors: HTTPException for none that there is."""
    kind, act = visit.path["name"], ACTS.get(visit.field("act"))
    if kind not in LISTS or act is None or kind not in act.kinds:
        raise HTTPException(404)
    return kind, act


PAGES = (Page("POST", "/lists/{name}/chosen", show_chosen),)
