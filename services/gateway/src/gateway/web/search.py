"""Search over everything: persons, organizations and deals for a part of a name, a company, a phone or a number.

The customers and the deals are asked at once; the deals of the companies found come behind them. What the person worked
with lately stands first. The full page shows beside each customer what was said last, however long ago.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from gateway.web.mounting import Page
from gateway.web.parties import NO_NAMES, read_customer_names
from gateway.web.texts import gettext as _
from gateway.web.visits import Away, Visit

LEAST, MOST = 2, 200
DIGITS = 4  # of a telephone; fewer are part of a name
SUGGESTED = {"person": 5, "organization": 4, "deal": 4}
PAGE = 20  # of each kind
ASKED = 30  # more than is shown, so that own work can come first
RECENT = 100  # own interactions that say what one works with
RECENT_SECONDS = 60.0
MOST_VIEWERS = 5_000
STORIES = 5  # customers with their latest interactions
PATHS = {"person": "/customers/", "organization": "/organizations/", "deal": "/deals/"}

_recent: dict[str, tuple[float, frozenset[str]]] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Hit:
    """One record found: `detail` stands beside the name (company, town, customer), `value` is a deal."""

    kind: str
    id: str
    name: str
    detail: str = ""
    phone: str = ""
    value: Any = None

    @property
    def path(self) -> str:
        """The address of its page."""
        return PATHS[self.kind] + self.id


@dataclass(frozen=True)
class Found:
    """What a text means. `away` are services that could not answer."""

    groups: dict[str, list[Hit]]
    away: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(self.groups.values())


def suggest(visit: Visit) -> Response:
    """The choices while one types."""
    query = read_query(visit)
    found = find(visit, query, SUGGESTED) if query else None
    return visit.render("search/suggest.html", query=query, found=found, titles=titles())


def show_search(visit: Visit) -> Response:
    """The page of results."""
    query = read_query(visit)
    found = find(visit, query, dict.fromkeys(SUGGESTED, PAGE)) if query else None
    stories = read_stories(visit, found) if found else {}
    typed = visit.query.get("q", "").strip()[:MOST]
    return visit.render(
        "search/page.html", query=query, typed=typed, found=found, titles=titles(), stories=stories, help="search"
    )


def read_query(visit: Visit) -> str:
    """What was typed, when it is enough to search for."""
    query = " ".join(visit.query.get("q", "").replace("\0", "").split())[:MOST]
    digits = sum(map(str.isdigit, query))
    only_number = digits > 0 and not any(map(str.isalpha, query))
    return query if len(query) >= LEAST and (not only_number or digits >= DIGITS) else ""


def titles() -> dict[str, str]:
    """The groups in their order."""
    return {"person": _("People"), "organization": _("Organizations"), "deal": _("Deals")}


def find(visit: Visit, query: str, sizes: dict[str, int]) -> Found:
    """What a text means, own recent work first, at most `sizes` of each kind."""
    calls: dict[str, Any] = {
        "customers": ("contacts", "SearchCustomers", contacts.SearchCustomersRequest(query=query, page_size=ASKED)),
        "deals": ("deals", "SearchDeals", deals.SearchDealsRequest(query=query, page_size=sizes["deal"])),
    }
    if not _knows_recent(visit):
        asked = contacts.ListInteractionsRequest(author_id=visit.user_id, page_size=RECENT)
        calls["recent"] = ("contacts", "ListInteractions", asked)
    answers = visit.gather(**calls)
    recent = _remember(visit, answers["recent"]) if "recent" in answers else _recent[visit.user_id][1]
    hits = [
        Hit(one.record_type, one.id, one.display_name, one.detail, one.phone)
        for one in (answers["customers"].hits if answers["customers"] else ())
    ]
    hits.sort(key=lambda one: one.id not in recent)
    groups = {kind: [one for one in hits if one.kind == kind][: sizes[kind]] for kind in ("person", "organization")}
    groups["deal"] = _find_deals(visit, answers["deals"], groups, sizes["deal"])
    away = tuple(one.service for one in (answers["customers"], answers["deals"]) if isinstance(one, Away))
    return Found(groups, away)


def _find_deals(visit: Visit, answer: Any, groups: dict[str, list[Hit]], size: int) -> list[Hit]:
    """The deals found by their own words, then those of the best customers; each with its customer's name."""
    if isinstance(answer, Away):
        return []
    found = list(answer.deals)
    best = {kind: [one.id for one in groups[kind][:3]] for kind in groups}
    if len(found) < size and any(best.values()):
        asked = deals.SearchDealsRequest(
            organization_ids=best["organization"], person_ids=best["person"], page_size=size
        )
        more = visit.gather(more=("deals", "SearchDeals", asked))["more"]
        known = {one.id for one in found}
        found += [one for one in (more.deals if more else ()) if one.id not in known]
    found = found[:size]
    names = {one.id: one.name for hits in groups.values() for one in hits}
    names |= customer_names(visit, [(one.person_id, one.organization_id) for one in found], names)
    return [_deal_hit(one, names.get(one.organization_id) or names.get(one.person_id, "")) for one in found]


def _deal_hit(deal: deals.Deal, customer: str) -> Hit:
    return Hit("deal", deal.id, deal.title or _("Deal without a title"), customer, value=deal)


def customer_names(
    visit: Visit, customers: Iterable[tuple[str, str]], known: dict[str, str] | None = None
) -> dict[str, str]:
    """Names of persons and organizations by id, for pairs (person id, organization id); unknown ones have none."""
    pairs = list(customers)
    persons = {person for person, _ in pairs if person} - set(known or ())
    companies = {company for _, company in pairs if company} - set(known or ())
    found = visit.gather_calls(names=lambda: read_customer_names(visit, persons, companies))["names"] or NO_NAMES
    return {id: name for names in found for id, name in names.items()}


def read_stories(visit: Visit, found: Found) -> dict[str, Sequence[Any]]:
    """The latest interactions of the best customers, by their ids."""
    calls: dict[str, Any] = {}
    for kind in ("organization", "person"):
        for place, hit in enumerate(found.groups[kind][:STORIES]):
            asked = contacts.ListInteractionsRequest(page_size=3)
            setattr(asked, f"{kind}_id", hit.id)
            calls[f"{kind}{place}"] = ("contacts", "ListInteractions", asked)
    answers = visit.gather(**calls)
    return {
        hit.id: answers[f"{kind}{place}"].interactions
        for kind in ("organization", "person")
        for place, hit in enumerate(found.groups[kind][:STORIES])
        if answers[f"{kind}{place}"]
    }


def _knows_recent(visit: Visit) -> bool:
    asked_at, _ids = _recent.get(visit.user_id, (-RECENT_SECONDS, frozenset()))
    return time.monotonic() - asked_at < RECENT_SECONDS


def _remember(visit: Visit, answer: Any) -> frozenset[str]:
    if not answer:
        return frozenset()
    ids = frozenset(one for line in answer.interactions for one in (line.person_id, line.organization_id) if one)
    with _lock:
        if len(_recent) >= MOST_VIEWERS:
            _recent.clear()
        _recent[visit.user_id] = (time.monotonic(), ids)
    return ids


PAGES = (
    Page("GET", "/search/suggest", suggest),
    Page("GET", "/search", show_search),
)
