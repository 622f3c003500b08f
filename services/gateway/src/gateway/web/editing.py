"""Editing a card where its facts stand: a group of fields, the ways to reach the customer, the places of work.

A group that somebody else changed meanwhile is shown as before, theirs and mine; what others changed beside it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google.type.date_pb2 import Date
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation, RemoteError
from crm.contacts.v1 import contacts_pb2 as pb
from crm.directory.v1 import directory_pb2
from gateway.web import card_changing as changing
from gateway.web import facts, own_fields
from gateway.web.card_reading import ORGANIZATION, PATHS, PERSON, read_customer
from gateway.web.cards import card_id, card_values
from gateway.web.conflicts import make_conflict
from gateway.web.customer_words import channel_kinds, channel_number
from gateway.web.mounting import Page
from gateway.web.names import look_up_names
from gateway.web.people import People, ask_for_people, people_of
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

Answer = Callable[[Visit], Response]


def show_fact(record_type: str) -> Answer:
    """The form of one group in the place of its values."""

    def show(visit: Visit) -> Response:
        card = changing.get_card(visit, record_type, card_id(visit))
        return _form(visit, record_type, card)

    return show


def save_fact(record_type: str) -> Answer:
    """Store a group, or show who else changed it."""

    def save(visit: Visit) -> Response:
        group = _group(visit, record_type)
        mine = {fact.name: _written(visit, fact) for fact in group}
        before = {fact.name: visit.field(f"before.{fact.name}") for fact in group}
        try:
            _store(visit, record_type, group, mine, visit.field("etag"))
        except RemoteError as refusal:
            if refusal.reason != changing.STALE:
                raise
            return _reconcile(visit, record_type, group, before, mine)
        return _saved(visit, record_type)

    return save


def add_channel_form(record_type: str) -> Answer:
    """The form for one more way to reach the customer. Errors: RemoteError for one that is not to be seen."""

    def show(visit: Visit) -> Response:
        card = changing.get_card(visit, record_type, card_id(visit))
        path = f"/{PATHS[record_type]}/{card.id}"
        return visit.render("card/channel_form.html", path=path, kinds=channel_kinds())

    return show


def change_channels(record_type: str) -> Answer:
    """Add, remove or prefer one way to reach the customer."""

    def save(visit: Visit) -> Response:
        kind = channel_number(visit.field("kind"))
        known = (kind, visit.field("value"), visit.field("raw"))
        changes: Mapping[str, Callable[[Any], bool]] = {
            "add": lambda card: changing.add_channel(card, kind, visit.field("value"), visit.field("label")),
            "remove": lambda card: changing.remove_channel(card, *known),
            "first": lambda card: changing.prefer_channel(card, *known),
        }
        change = changes.get(visit.field("change"), changes["add"])
        if change is changes["add"] and not visit.field("value"):
            raise FieldInvalid(FieldViolation("value", _("write a number or an address")))
        changing.change_card(visit, record_type, card_id(visit), "channels", change)
        return render_panel(visit, record_type, "card/channels.html")

    return save


def show_work_form(visit: Visit) -> Response:
    """The form of a place of work: a known one, or a new one."""
    card = changing.get_card(visit, PERSON, card_id(visit))
    membership = next((one for one in card.affiliations if one.id == visit.path["membership"]), None)
    if membership is None and visit.path["membership"] != "new":
        raise HTTPException(404)
    return visit.render("card/work_form.html", path=f"/customers/{card.id}", one=membership or pb.Affiliation())


def show_again(record_type: str, template: str) -> Answer:
    """A fact as it is now, in the place of a form that was given up."""

    def show(visit: Visit) -> Response:
        if "group" in visit.path:
            _group(visit, record_type)
        return render_panel(visit, record_type, template, changed=False)

    return show


def save_work(visit: Visit) -> Response:
    """Add a place of work, or change one: role, first and last day."""
    changing.change_card(visit, PERSON, card_id(visit), "affiliations", lambda card: _change_work(visit, card))
    return render_panel(visit, PERSON, "card/work.html")


def _change_work(visit: Visit, card: Any) -> bool:
    known = next((one for one in card.affiliations if one.id == visit.path["membership"]), None)
    if known is None and visit.path["membership"] != "new":
        raise HTTPException(404)
    one = known if known is not None else card.affiliations.add()
    if known is None:
        one.organization_id, one.organization_name = visit.field("organization_id"), visit.field("organization_name")
        if not (one.organization_id or one.organization_name):
            raise FieldInvalid(FieldViolation("organization_name", _("name the organization")))
    one.role = visit.field("role")
    for name in ("start_date", "end_date"):
        one.ClearField(name)
        day = visit.field(name)
        if day:
            getattr(one, name).CopyFrom(_date(name, day))
    return True


def _date(name: str, text: str) -> Date:
    try:
        year, month, day = (int(part) for part in text.split("-"))
        return Date(year=year, month=month, day=day)
    except ValueError:
        raise FieldInvalid(FieldViolation(name, _("give a day such as 2024-05-20"))) from None


def _group(visit: Visit, record_type: str) -> tuple[facts.Fact, ...]:
    group = facts.GROUPS[record_type].get(visit.path["group"])
    if group is not None:
        return group
    field = own_fields.find_field(visit, record_type, visit.path["group"])
    if field is None:
        raise HTTPException(404)
    return (facts.own_fact(field),)


def _written(visit: Visit, fact: facts.Fact) -> str:
    return own_fields.read_written(visit, fact.own) if fact.own else visit.field(fact.name)


def _form(visit: Visit, record_type: str, card: Any) -> Response:
    group = _group(visit, record_type)
    values = facts.values_of(card, group)
    user = next((values[fact.name] for fact in group if fact.kind == facts.USER), None)
    return visit.render(
        "card/fact_form.html",
        path=f"/{PATHS[record_type]}/{card.id}",
        group_name=visit.path["group"],
        group=group,
        values=values,
        etag=card.etag,
        people=_people(visit) if user is not None else None,
        owner=_user_name(visit, user) if user else "",
        parent=_parent(visit, card) if any(fact.kind == facts.FIRM for fact in group) else "",
    )


def _people(visit: Visit) -> People:
    """Who may be chosen, the viewer first."""
    found = visit.gather(people=ask_for_people())["people"]
    return people_of(found).starting_with(("", _("nobody")), (visit.user_id, visit.user_name))


def _user_name(visit: Visit, user_id: str) -> str:
    """What the present user is called, who may be somebody the viewer cannot see."""
    found = look_up_names(visit, [user_id]).user(user_id)
    return found.name if found else _("a colleague elsewhere")


def _parent(visit: Visit, card: Any) -> str:
    if not card.parent_id:
        return ""
    request = pb.BatchGetOrganizationsRequest(organization_ids=[card.parent_id])
    found = visit.call("contacts", "BatchGetOrganizations", request).organizations
    return found[0].display_name if found else ""


def _store(visit: Visit, record_type: str, group: tuple[facts.Fact, ...], values: Mapping[str, str], etag: str) -> None:
    card: Any = (pb.Person if record_type == PERSON else pb.Organization)(id=card_id(visit))
    if any(fact.own for fact in group):  # attributes are stored as a whole; whatever changed them changed the etag
        card.attributes.update(changing.get_card(visit, record_type, card_id(visit)).attributes)
    paths = facts.write_values(card, group, values)
    changing.store_card(visit, record_type, card, paths, etag)


def _reconcile(
    visit: Visit, record_type: str, group: tuple[facts.Fact, ...], before: Mapping[str, str], mine: Mapping[str, str]
) -> Response:
    """Store what is in nobody's way, else ask. Errors: RemoteError where yet another change comes in between."""
    card = changing.get_card(visit, record_type, card_id(visit))
    theirs = facts.values_of(card, group)
    by_name = {fact.name: fact for fact in group}
    names = _names_of(visit, group, (before, theirs, mine))
    conflict = make_conflict(
        visit.request.url.path,
        card.etag,
        f"#fact-{visit.path['group']}",
        {fact.name: fact.label() for fact in group},
        (before, theirs, mine),
        lambda name, value: facts.show_value(by_name[name], value, names, visit.texts.date),
    )
    if conflict is not None:
        place = {"HX-Retarget": f"#fact-{visit.path['group']}", "HX-Reswap": "outerHTML"}
        return visit.render("card/fact_conflict.html", 409, place, conflict=conflict, group_name=visit.path["group"])
    chosen = {name: theirs[name] if value == before[name] else value for name, value in mine.items()}
    _store(visit, record_type, group, chosen, card.etag)
    return _saved(visit, record_type)


def _names_of(visit: Visit, group: tuple[facts.Fact, ...], states: tuple[Mapping[str, str], ...]) -> dict[str, str]:
    """Names of the users and organizations that a conflict is about."""
    names: dict[str, str] = {}
    for fact in group:
        ids = sorted({one[fact.name] for one in states} - {""})
        if fact.kind == facts.USER:
            users = visit.call("directory", "BatchGetUsers", directory_pb2.BatchGetUsersRequest(user_ids=ids)).users
            names |= {one.id: one.display_name for one in users}
        elif fact.kind == facts.FIRM:
            request = pb.BatchGetOrganizationsRequest(organization_ids=ids)
            firms = visit.call("contacts", "BatchGetOrganizations", request).organizations
            names |= {one.id: one.display_name for one in firms}
    return names


def _saved(visit: Visit, record_type: str) -> Response:
    return render_panel(visit, record_type, "card/fact_saved.html")


def render_panel(visit: Visit, record_type: str, template: str, *, changed: bool = True) -> Response:
    """A fact as it is now, and news for the other panels of the page where it changed."""
    customer = read_customer(visit, record_type, card_id(visit), ("facts",))
    values = {**card_values(visit, customer), "group_name": visit.path.get("group", "")}
    return visit.render(template, headers={"HX-Trigger": "customer-changed"} if changed else {}, **values)


PAGES = (
    *(
        page
        for kind in (PERSON, ORGANIZATION)
        for page in (
            Page("GET", f"/{PATHS[kind]}/{{id}}/facts/{{group}}", show_fact(kind)),
            Page("POST", f"/{PATHS[kind]}/{{id}}/facts/{{group}}", save_fact(kind)),
            Page("GET", f"/{PATHS[kind]}/{{id}}/facts/{{group}}/shown", show_again(kind, "card/fact_saved.html")),
            Page("GET", f"/{PATHS[kind]}/{{id}}/channels/new", add_channel_form(kind)),
            Page("GET", f"/{PATHS[kind]}/{{id}}/channels/shown", show_again(kind, "card/channels.html")),
            Page("POST", f"/{PATHS[kind]}/{{id}}/channels", change_channels(kind)),
        )
    ),
    Page("GET", "/customers/{id}/work/shown", show_again(PERSON, "card/work.html")),
    Page("GET", "/customers/{id}/work/{membership}", show_work_form),
    Page("POST", "/customers/{id}/work/{membership}", save_work),
)
