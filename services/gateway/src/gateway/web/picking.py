"""A customer chosen by typing part of a name, a phone or an e-mail, a colleague by name: the choices as one types."""

from __future__ import annotations

from starlette.responses import Response

from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web.mounting import Page
from gateway.web.names import colleague_of, list_units
from gateway.web.people import find_people
from gateway.web.visits import Visit

LEAST = 2
SHOWN = 8
KINDS = ("person", "organization")


def show_picks(visit: Visit) -> Response:
    """The best few for what was typed: customers, which `kind` narrows to persons or organizations, or colleagues."""
    typed = visit.query.get(visit.query.get("as", "typed"), "").strip()[:200]
    kind, field = visit.query.get("kind", ""), visit.query.get("field", "")
    if kind == "user":
        users = find_people(visit, typed) if typed else []
        units = list_units(visit)
        colleagues = [colleague_of(one, units) for one in users]
        return visit.render("quick/people.html", colleagues=colleagues, asked=bool(typed), field=field)
    hits = find_customers(visit, typed, kind if kind in KINDS else "")
    return visit.render("quick/picks.html", hits=hits, asked=len(typed) >= LEAST, field=field)


def find_customers(visit: Visit, typed: str, kind: str = "", most: int = SHOWN) -> list[pb.SearchHit]:
    """The visible customers a text means, best first; none for less than two letters."""
    if len(typed) < LEAST:
        return []
    request = pb.SearchCustomersRequest(query=typed, page_size=50 if kind else most)
    hits = visit.call("contacts", "SearchCustomers", request, timeout=3.0).hits
    return [one for one in hits if not kind or one.record_type == kind][:most]


PAGES = (Page("GET", "/quick/picks", show_picks),)
