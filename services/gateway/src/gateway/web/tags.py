"""Tags of a customer: given and taken away on the card, proposed while one types, and as an address names them."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web import card_changing as changing
from gateway.web.card_reading import ORGANIZATION, PATHS, PERSON
from gateway.web.cards import card_id
from gateway.web.editing import render_panel, show_again
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

BETWEEN = ","  # no tag has one
LONGEST, MOST_ASKED, PROPOSED = 50, 10, 20


def written_tags(text: str) -> tuple[str, ...]:
    """The tags that an address or a form names, with commas between them; too many or too long ones are left out."""
    found = [" ".join(one.split()) for one in text.split(BETWEEN)]
    return tuple(dict.fromkeys(one for one in found if one and len(one) <= LONGEST))[:MOST_ASKED]


def propose_tags(visit: Visit) -> Response:
    """Tags in use that begin as what was typed after the last comma; what stands before it stays."""
    typed, kind = visit.query.get("tag", "")[:500], visit.query.get("kind", "")
    before, comma, last = typed.rpartition(BETWEEN)
    request = pb.ListCustomerTagsRequest(
        query=last.strip()[:LONGEST].replace("\0", ""), record_type=kind if kind in PATHS else "", page_size=PROPOSED
    )
    found = visit.call("contacts", "ListCustomerTags", request, timeout=3.0).tags
    return visit.render("card/tag_choices.html", tags=[f"{before}{comma} {one}".strip() for one in found])


def show_form(record_type: str) -> Callable[[Visit], Response]:
    """The form of one more tag. Errors: RemoteError for a card that is not to be seen."""

    def show(visit: Visit) -> Response:
        card = changing.get_card(visit, record_type, card_id(visit))
        return visit.render("card/tag_form.html", path=f"/{PATHS[record_type]}/{card.id}", kind=record_type)

    return show


def change_tags(record_type: str) -> Callable[[Visit], Response]:
    """Give the card tags, or take one away. Errors: FieldInvalid, RemoteError."""

    def save(visit: Visit) -> Response:
        taken, given = visit.field("remove"), [one.strip() for one in visit.field("tag").split(BETWEEN) if one.strip()]
        if not taken and not given:
            raise FieldInvalid(FieldViolation("tag", _("write a word or two")))

        def change(card: pb.Person | pb.Organization) -> bool:
            before = list(card.tags)
            kept = [one for one in before if one != taken]
            card.tags[:] = kept if taken else [*kept, *(one for one in given if one not in kept)]
            return list(card.tags) != before

        changing.change_card(visit, record_type, card_id(visit), "tags", change)
        return render_panel(visit, record_type, "card/tags.html")

    return save


PAGES = (
    Page("GET", "/tags", propose_tags),
    *(
        page
        for kind in (PERSON, ORGANIZATION)
        for page in (
            Page("GET", f"/{PATHS[kind]}/{{id}}/tags/new", show_form(kind)),
            Page("GET", f"/{PATHS[kind]}/{{id}}/tags/shown", show_again(kind, "card/tags.html")),
            Page("POST", f"/{PATHS[kind]}/{{id}}/tags", change_tags(kind)),
        )
    ),
)
