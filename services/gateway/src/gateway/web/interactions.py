"""Writing down what was said, from anywhere: one form, saved by Enter, ready for the next one.

One action may also add a telephone or e-mail that came up, and plan the next step. The note itself comes first: what
cannot be done beside it is told, and the note stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from starlette.responses import Response

from chassis.dates import to_date
from chassis.errors import FieldInvalid, FieldViolation, RemoteError
from chassis.ids import is_id, new_id
from crm.contacts.v1 import contacts_pb2 as pb
from crm.scheduling.v1 import scheduling_pb2
from gateway.web import card_changing as changing
from gateway.web import customer_words as words
from gateway.web.card_reading import ORGANIZATION, PATHS, PERSON
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

CHANGED = "customer-changed"
SUBJECT = 300  # characters of an activity's subject
MOST_DAYS = 3_650
DAYS = {"day": 1, "week": 7, "month": 30}
STEP_KINDS = {
    "call": scheduling_pb2.ACTIVITY_KIND_CALL,
    "meeting": scheduling_pb2.ACTIVITY_KIND_MEETING,
    "task": scheduling_pb2.ACTIVITY_KIND_TASK,
}


@dataclass(frozen=True)
class Chosen:
    """The customer a form is about; no id where none is chosen yet."""

    record_type: str = PERSON
    id: str = ""
    name: str = ""


def show_form(visit: Visit) -> Response:
    """The form, as a side panel or as a page; the customer may be named in the address."""
    values = _form_values(visit, _asked_customer(visit))
    return visit.render("quick/call.html" if visit.is_part else "quick/call_page.html", **values)


def log_call(visit: Visit) -> Response:
    """Save the form of the side panel."""
    chosen = _chosen(visit)
    troubles = save_note(visit, chosen)
    notice = _("Saved: %(name)s") % {"name": visit.field("typed") or _("the call")}
    if not visit.is_part:
        return visit.go(f"/{PATHS[chosen.record_type]}/{chosen.id}")
    if visit.field("after") != "next":
        headers = {"HX-Trigger": f"close-panel, {CHANGED}", "HX-Reswap": "none"}
        return visit.render("quick/saved.html", headers=headers, notice=notice, troubles=troubles)
    values = _form_values(visit, Chosen(), saved=_count(visit) + 1, notice=notice, troubles=troubles)
    return visit.render("quick/call.html", headers={"HX-Trigger": CHANGED}, **values)


def log_note(visit: Visit) -> Response:
    """Save the form that stands on a card."""
    chosen = _chosen(visit)
    troubles = save_note(visit, chosen)
    if not visit.is_part:
        return visit.go(f"/{PATHS[chosen.record_type]}/{chosen.id}")
    values = _form_values(visit, chosen, notice=_("Saved"), troubles=troubles)
    return visit.render("card/note_saved.html", headers={"HX-Trigger": CHANGED}, **values)


def save_note(visit: Visit, chosen: Chosen) -> list[str]:
    """Record the interaction, then what came with it; answers what could not be done beside the note.

    Errors: FieldInvalid, RemoteError: nothing was saved.
    """
    step = _read_step(visit)
    request_id = visit.field("request_id")
    asked = pb.Interaction(
        kind=words.kind_number(visit.field("kind")),
        summary=visit.field("summary"),
        outcome=visit.field("outcome"),
        **{f"{chosen.record_type}_id": chosen.id},  # type: ignore[arg-type]
    )
    if not asked.summary:
        raise FieldInvalid(FieldViolation("summary", _("write what was said")))
    _read_time(visit, asked)
    visit.call("contacts", "LogInteraction", pb.LogInteractionRequest(request_id=request_id, interaction=asked))
    return _grow_card(visit, chosen) + (_plan(visit, chosen, step, f"{request_id}-next") if step else [])


def _grow_card(visit: Visit, chosen: Chosen) -> list[str]:
    """Add the telephone and e-mail that came up (R13)."""
    troubles = []
    for kind in ("phone", "email"):
        text = visit.field(f"new_{kind}")
        if not text:
            continue
        number = words.channel_number(kind)
        try:
            changing.change_card(
                visit,
                chosen.record_type,
                chosen.id,
                "channels",
                lambda card, number=number, text=text: changing.add_channel(card, number, text),  # type: ignore[misc]
            )
        except RemoteError as refusal:
            troubles.append(_("%(what)s was not added: %(why)s") % {"what": text, "why": refusal.message})
    return troubles


def _plan(visit: Visit, chosen: Chosen, step: scheduling_pb2.Activity, request_id: str) -> list[str]:
    setattr(step, f"{chosen.record_type}_id", chosen.id)
    try:
        request = scheduling_pb2.CreateActivityRequest(request_id=request_id, activity=step)
        visit.call("scheduling", "CreateActivity", request)
    except RemoteError as refusal:
        return [_("The next step was not planned: %(why)s") % {"why": refusal.message}]
    return []


def _read_step(visit: Visit) -> scheduling_pb2.Activity | None:
    """The next step of the form; None where none is wanted. Errors: FieldInvalid."""
    kind = STEP_KINDS.get(visit.field("next_kind"))
    if kind is None:
        return None
    subject = visit.field("next_subject") or (
        visit.field("summary")[:SUBJECT] if visit.field("next_kind") == "task" else ""
    )
    return scheduling_pb2.Activity(kind=kind, subject=subject[:SUBJECT], due_date=to_date(_due(visit)))


def _due(visit: Visit) -> date:
    count, unit = visit.field("next_count") or "1", visit.field("next_unit")
    if not count.isdecimal() or len(count) > 4 or not 0 <= int(count) * DAYS.get(unit, 1) <= MOST_DAYS:
        raise FieldInvalid(FieldViolation("next_count", _("is not a number of days within ten years")))
    return visit.today + timedelta(days=int(count) * DAYS.get(unit, 1))


def _read_time(visit: Visit, asked: pb.Interaction) -> None:
    """When it took place, in the viewer's zone; nothing written is now. Errors: FieldInvalid."""
    written = visit.field("occur_time")
    if not written:
        return
    try:
        asked.occur_time.FromDatetime(datetime.fromisoformat(written).replace(tzinfo=visit.texts.zone))
    except ValueError:
        raise FieldInvalid(FieldViolation("occur_time", _("give a day and a time"))) from None


def _chosen(visit: Visit) -> Chosen:
    """The customer of a posted form. Errors: FieldInvalid."""
    for record_type in (PERSON, ORGANIZATION):
        if is_id(visit.field(f"{record_type}_id")):
            return Chosen(record_type, visit.field(f"{record_type}_id"), visit.field("typed"))
    raise FieldInvalid(FieldViolation("typed", _("choose a customer from the list")))


def _asked_customer(visit: Visit) -> Chosen:
    """The customer that an address names. Errors: RemoteError where it is not to be seen."""
    for record_type in (PERSON, ORGANIZATION):
        card_id = visit.query.get(record_type, "")
        if card_id:
            card = changing.get_card(visit, record_type, card_id)
            return Chosen(record_type, card.id, card.display_name)
    return Chosen()


def _count(visit: Visit) -> int:
    text = visit.field("saved") or "0"
    return min(int(text), 999) if text.isdecimal() and len(text) < 5 else 0


def note_values(visit: Visit, chosen: Chosen) -> dict[str, Any]:
    """What the form of a card works with."""
    return _form_values(visit, chosen)


def _form_values(visit: Visit, chosen: Chosen, **more: Any) -> dict[str, Any]:
    kind = visit.field("kind") or "call"
    units = [("day", _("days")), ("week", _("weeks")), ("month", _("months"))]
    values = {"chosen": chosen, "kind": kind, "words": words, "request_id": new_id(), "units": units}
    return {**values, "saved": 0, "notice": "", "troubles": [], **more}


PAGES = (
    Page("GET", "/quick/call", show_form),
    Page("POST", "/quick/call", log_call),
    Page("POST", "/quick/note", log_note),
)
