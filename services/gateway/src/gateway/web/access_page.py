"""Who can see this record, and why: everybody who may do an action with a customer or a deal, and the rule each time.

Answered to those who may audit; a record that other units know as well is explained by the units they answer for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.access import ADMINISTER, ALL, AUDIT, OWN, READ, TEAM
from chassis.errors import NotPermitted
from chassis.ids import is_id
from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from crm.directory.v1 import directory_pb2 as pb
from gateway.web.admin_roles import role_choices
from gateway.web.mounting import Page
from gateway.web.rights_words import RULING, action_words
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit
from units.records import CUSTOMER, DEAL

ROWS = 200
MOST_UNITS = 1_000


@dataclass(frozen=True)
class Record:
    """A record as rights see it: `records` is its kind, `unit_ids` those that know it."""

    records: str
    name: str
    unit_ids: Sequence[str]
    owner_id: str


def show_access(read: Callable[[Visit, str], Record], path: str) -> Callable[[Visit], Response]:
    """The answer for one kind of record, beside its card."""

    def show(visit: Visit) -> Response:
        if not is_id(visit.path["id"]):
            raise HTTPException(404)
        record = read(visit, visit.path["id"])  # first: whoever may not see it is told nothing of it
        if not visit.is_part:  # it stands in the side panel only
            return visit.go(f"/{path}/{visit.path['id']}")
        return explain(visit, record)

    return show


def explain(visit: Visit, record: Record) -> Response:
    """Everybody who may do the chosen action, by name, a rule a line."""
    actions = {key: words for key, words in action_words().items() if key not in RULING}
    action = visit.query.get("action", READ)
    action = action if action in actions else READ
    units = visit.call("directory", "ListUnits", pb.ListUnitsRequest(page_size=MOST_UNITS)).units
    names = {one.id: one.name for one in units}
    asked = [one.id for one in units if one.id in record.unit_ids and _may_audit(visit, one.path, record.records)]
    if not asked:
        raise NotPermitted(_("You do not answer for a unit that knows this record."))
    request = pb.ExplainAccessRequest(
        action=action, records=record.records, unit_ids=asked, owner_id=record.owner_id, page_size=ROWS,
        page_token=visit.query.get("page", ""),
    )  # fmt: skip
    found = visit.call("directory", "ExplainAccess", request)
    absent = sorted({one.stands_in_for for holder in found.holders for one in holder.reasons} - {""})
    away = visit.call("directory", "BatchGetUsers", pb.BatchGetUsersRequest(user_ids=absent)).users if absent else []
    return visit.render(
        "card/access.html",
        record=record,
        holders=found.holders,
        next_token=found.next_page_token,
        actions=list(actions.items()),
        action=action,
        units=names,
        partly=len(asked) < len(record.unit_ids),
        roles=dict(role_choices(visit)),
        people={one.id: one.display_name for one in away},
        scope_reason=scope_reason,
    )


def scope_reason(reason: pb.AccessReason, unit: str) -> str:
    """How a rule reaches the record, in a few words."""
    if reason.scope == OWN:
        return _("as owner")
    if reason.scope == ALL:
        return _("everywhere")
    if reason.scope == TEAM:
        return _("in %(unit)s alone") % {"unit": unit}
    return _("in %(unit)s and below") % {"unit": unit}


def may_explain(visit: Visit) -> bool:
    """Whether the person may look up who sees what, somewhere."""
    return visit.session.access.allows_somewhere(AUDIT)


def _may_audit(visit: Visit, path: str, records: str) -> bool:
    access = visit.session.access
    return access.allows_in(AUDIT, path, records) or access.allows_in(ADMINISTER, path, records)


def _read_person(visit: Visit, id: str) -> Record:
    card = visit.call("contacts", "GetPerson", contacts.GetPersonRequest(person_id=id)).person
    return Record(CUSTOMER, card.display_name, card.unit_ids, card.owner_id)


def _read_organization(visit: Visit, id: str) -> Record:
    asked = contacts.GetOrganizationRequest(organization_id=id)
    card = visit.call("contacts", "GetOrganization", asked).organization
    return Record(CUSTOMER, card.display_name, card.unit_ids, card.owner_id)


def _read_deal(visit: Visit, id: str) -> Record:
    deal = visit.call("deals", "GetDeal", deals.GetDealRequest(deal_id=id)).deal
    return Record(DEAL, deal.title or _("Deal without a title"), [deal.unit_id], deal.owner_id)


PAGES = (
    Page("GET", "/customers/{id}/access", show_access(_read_person, "customers")),
    Page("GET", "/organizations/{id}/access", show_access(_read_organization, "organizations")),
    Page("GET", "/deals/{id}/access", show_access(_read_deal, "deals")),
)
