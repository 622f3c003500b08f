"""Cards of one customer side by side, made one card field by field; the merges of a card, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id, new_id
from crm.contacts.v1 import contacts_pb2 as pb
from crm.deals.v1 import deals_pb2 as deals
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from gateway.web.card_reading import ORGANIZATION, PATHS, PERSON
from gateway.web.merge_fields import Known, compare_cards, field_words, read_choices, tell_card
from gateway.web.mounting import Page
from gateway.web.names import look_up_names
from gateway.web.parties import NO_NAMES, read_customer_names
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

MOST = 20  # cards, as one merge takes
COUNTED = 100  # deals and activities of a card; of more it is said that there are more
CHANGED = "customer-changed"
DO = "do"


@dataclass(frozen=True)
class Asked:
    """The cards of a merge as the page has them: `etags` by id, the one that stays, whose values are wanted."""

    record_type: str
    etags: Mapping[str, str]
    survivor_id: str
    choices: Mapping[str, str]
    note: str = ""

    @property
    def order(self) -> list[str]:
        """The ids, the one that stays first."""
        return sorted(self.etags, key=lambda one: one != self.survivor_id)

    def request(self, request_id: str, dry_run: bool) -> pb.MergeCustomersRequest:
        """The call that makes them one, or only looks."""
        return pb.MergeCustomersRequest(
            request_id=request_id,
            record_type=self.record_type,
            survivor_id=self.survivor_id,
            cards=[pb.MergedCard(id=one, etag=etag) for one, etag in self.etags.items()],
            choices=self.choices,
            note=self.note,
            dry_run=dry_run,
        )


def show_merge(visit: Visit) -> Response:
    """The page of these cards; of a single one it asks which other card is the same customer."""
    kind = _kind(visit.query.get("kind", ""))
    asked = list(dict.fromkeys(one for one in visit.request.query_params.getlist("id") if is_id(one)))
    cards = _read_cards(visit, kind, asked[:MOST]) if asked else []
    if not cards:
        return visit.go("/duplicates")
    if len(cards) == 1:
        return visit.render("merge/other.html", help="merging", card=cards[0], **_others(visit, kind, cards[0]))
    oldest = min(cards, key=lambda card: card.id)  # ids grow with time
    chosen = visit.query.get("stays", "")
    stays = chosen if chosen in {card.id for card in cards} else oldest.id
    merge = Asked(kind, {card.id: card.etag for card in cards}, stays, {})
    return visit.render("merge/page.html", help="merging", **_values(visit, merge, cards))


def show_preview(visit: Visit) -> Response:
    """The form again with what was chosen, and the card as it would be."""
    merge = _read_form(visit)
    cards = _read_cards(visit, merge.record_type, list(merge.etags))
    place = {"HX-Retarget": "#merge", "HX-Reswap": "outerHTML"}
    return visit.render("merge/form.html", headers=place, **_values(visit, merge, cards))


def merge_cards(visit: Visit) -> Response:
    """Make them one and go to its card; Enter in a field, which is not the button, only looks again."""
    if visit.field("step") != DO:
        return show_preview(visit)
    merge = _read_form(visit)
    done = visit.call("contacts", "MergeCustomers", merge.request(visit.field("request_id"), dry_run=False))
    return visit.go(f"/{PATHS[merge.record_type]}/{merge.survivor_id}?{urlencode({'merged': done.merge_id})}")


def undo_merge(visit: Visit) -> Response:
    """Bring the cards back; what changed since is told."""
    asked = pb.UnmergeCustomersRequest(request_id=visit.field("request_id"), merge_id=visit.field("merge_id"))
    back = visit.call("contacts", "UnmergeCustomers", asked)
    kind = PERSON if back.persons else ORGANIZATION
    cards = [*back.persons, *back.organizations]
    return visit.render(
        "merge/undone.html",
        headers={"HX-Trigger": CHANGED},
        path=PATHS[kind],
        cards=cards,
        named={card.id: card.display_name for card in cards},
        conflicts=back.conflicts,
        fields=field_words(kind) | conflict_words(),
        reasons=reason_words(),
    )


def show_merges(record_type: str) -> Callable[[Visit], Response]:
    """The merges of a card beside it, each with its way back."""

    def show(visit: Visit) -> Response:
        if not is_id(visit.path["id"]):
            raise HTTPException(404)
        asked = pb.GetCustomerMergesRequest(record_type=record_type, record_id=visit.path["id"])
        merges = visit.call("contacts", "GetCustomerMerges", asked).customer_merges
        if not visit.is_part:  # it stands in the side panel only
            return visit.go(f"/{PATHS[record_type]}/{visit.path['id']}")
        return visit.render("merge/history.html", merges=merges, request_id=new_id())

    return show


def merge_address(record_type: str, card_ids: Iterable[str]) -> str:
    """Where these cards stand side by side. Errors: FieldInvalid for fewer than two or too many."""
    ids = list(card_ids)
    if not 2 <= len(ids) <= MOST:
        raise FieldInvalid(FieldViolation("record", _("choose 2 to %(most)s cards of one customer") % {"most": MOST}))
    return f"/merge?{urlencode([('kind', record_type), *(('id', one) for one in ids)])}"


def conflict_words() -> dict[str, str]:
    """What else than a field may not be as it was."""
    return {"interactions": _("Interactions"), "members": _("People"), "identity": _("Phone, e-mail …")}


def reason_words() -> dict[str, str]:
    """Why something is not as it was before a merge."""
    return {
        "changed_since": _("was changed since, and stays as it is now"),
        "moved_since": _("belong to somebody else by now, and stay there"),
        "held_elsewhere": _("another card has it by now"),
    }


def _kind(said: str) -> str:
    if said not in PATHS:
        raise HTTPException(404)
    return said


def _read_form(visit: Visit) -> Asked:
    """What the form says. Errors: HTTPException, FieldInvalid."""
    kind = _kind(visit.field("kind"))
    cards = [str(one).partition("|") for one in visit.form.getlist("card")][: MOST + 1]
    etags = {id_: etag[:40] for id_, _bar, etag in cards if is_id(id_)}
    if not 2 <= len(etags) <= MOST or visit.field("stays") not in etags:
        raise FieldInvalid(FieldViolation("stays", _("choose the card that stays")))
    form = {name: value for name, value in visit.form.items() if isinstance(value, str)}
    choices = read_choices(form, kind, list(etags))
    stayed = visit.field("stayed")
    if stayed != visit.field("stays"):  # values of the card that stays were nobody's choice
        choices = {field: card_id for field, card_id in choices.items() if card_id != stayed}
    return Asked(kind, etags, visit.field("stays"), choices, visit.field("note")[:300])


def _read_cards(visit: Visit, record_type: str, card_ids: Sequence[str]) -> list[Any]:
    """The cards as they are now, each once, in this order; of a merged one the card that it is part of."""
    if record_type == PERSON:
        persons = visit.call("contacts", "BatchGetPersons", pb.BatchGetPersonsRequest(person_ids=card_ids))
        found: dict[str, Any] = {card.id: card for card in persons.persons}
        led = persons.survivors
    else:
        asked = pb.BatchGetOrganizationsRequest(organization_ids=card_ids)
        firms = visit.call("contacts", "BatchGetOrganizations", asked)
        found, led = {card.id: card for card in firms.organizations}, firms.survivors
    ids = dict.fromkeys(led.get(one, one) for one in card_ids)
    return [found[one] for one in ids if one in found]


def _others(visit: Visit, record_type: str, card: Any) -> dict[str, Any]:
    """Cards that may be the same customer as this one."""
    found = visit.gather(
        pairs=("contacts", "ListPossibleDuplicates", pb.ListPossibleDuplicatesRequest(record_id=card.id, page_size=10))
    )["pairs"]
    pairs = found.possible_duplicates if found else ()
    alike = [
        (one.second_id, one.second_name) if one.first_id == card.id else (one.first_id, one.first_name) for one in pairs
    ]
    return {"kind": record_type, "path": PATHS[record_type], "alike": alike}


def _values(visit: Visit, merge: Asked, cards: Sequence[Any]) -> dict[str, Any]:
    """What the form works with. Errors: RemoteError."""
    ordered = sorted(cards, key=lambda card: card.id != merge.survivor_id)
    gathered = visit.gather_calls(
        looked=lambda: visit.call("contacts", "MergeCustomers", merge.request("", dry_run=True)),
        known=lambda: _known(visit, merge.record_type, cards),
        others=lambda: _count_others(visit, merge),
    )
    looked, known = gathered["looked"], gathered["known"] or Known({}, {})
    one = getattr(looked, merge.record_type) if looked else None
    return {
        "kind": merge.record_type,
        "path": PATHS[merge.record_type],
        "cards": cards,
        "stays": merge.survivor_id,
        "rows": [_in_order(row, cards) for row in compare_cards(ordered, merge.record_type, known, merge.choices)],
        "note": merge.note,
        "looked": looked,
        "result": tell_card(one, merge.record_type, known) if looked else [],
        "others": gathered["others"] or {},
        "most": COUNTED,
        "request_id": new_id(),
    }


def _in_order(row: Any, cards: Sequence[Any]) -> tuple[Any, list[Any]]:
    """A row with its cells in the order in which the page has the cards."""
    by_id = {one.card_id: one for one in row.cells}
    return row, [by_id[card.id] for card in cards]


def _known(visit: Visit, record_type: str, cards: Sequence[Any]) -> Known:
    names = look_up_names(visit, {card.owner_id for card in cards} - {""})
    users = {card.owner_id: found.name for card in cards if (found := names.user(card.owner_id))}
    parents = {card.parent_id for card in cards} - {""} if record_type == ORGANIZATION else set()
    _persons, firms = read_customer_names(visit, (), parents) if parents else NO_NAMES
    return Known(users, firms)


def _count_others(visit: Visit, merge: Asked) -> dict[str, int]:
    """How many deals and activities come along; one more than `COUNTED` for more. What is away is left out."""
    calls: dict[str, tuple[str, str, Any]] = {}
    for number, card_id in enumerate(merge.order[1:]):
        of: dict[str, Any] = {f"{merge.record_type}_id": card_id, "page_size": COUNTED + 1}
        calls[f"deals {number}"] = ("deals", "ListDeals", deals.ListDealsRequest(**of))
        calls[f"activities {number}"] = ("scheduling", "ListActivities", scheduling.ListActivitiesRequest(**of))
    counts: dict[str, int] = {}
    for name, answer in visit.gather(**calls).items():
        kind = name.split()[0]
        if answer:
            counts[kind] = min(counts.get(kind, 0) + len(getattr(answer, kind)), COUNTED + 1)
    return counts


PAGES = (
    Page("GET", "/merge", show_merge),
    Page("POST", "/merge", merge_cards),
    Page("POST", "/merge/preview", show_preview),
    Page("POST", "/merge/undo", undo_merge),
    *(Page("GET", f"/{PATHS[kind]}/{{id}}/merges", show_merges(kind)) for kind in (PERSON, ORGANIZATION)),
)
