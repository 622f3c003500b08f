"""The card of a customer, person or organization: one page of panels, each of which can be asked for alone again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, timedelta
from typing import Any
from urllib.parse import urlencode

from google.type.date_pb2 import Date
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.dates import from_date
from chassis.ids import is_id
from gateway.web import customer_words as words
from gateway.web import own_fields, stories
from gateway.web.access_page import may_explain
from gateway.web.card_reading import ORGANIZATION, PANELS, PATHS, PERSON, Customer, read_customer
from gateway.web.interactions import Chosen, note_values
from gateway.web.mounting import Page
from gateway.web.visits import Visit

YEARS_BACK = 12


def show_card(record_type: str) -> Callable[[Visit], Response]:
    """The page of a card."""

    def show(visit: Visit) -> Response:
        customer = read_customer(visit, record_type, card_id(visit), PANELS[record_type])
        if customer.card and customer.card.id != customer.id:  # a link to a card that was merged into this one
            return visit.go(f"/{PATHS[record_type]}/{customer.card.id}")
        return visit.render(
            "card/page.html",
            help=_help(record_type),
            may_explain=may_explain(visit),
            merged=merged if is_id(merged := visit.query.get("merged", "")) else "",
            **{**note_values(visit, Chosen(record_type, customer.id)), **card_values(visit, customer)},
        )

    return show


def show_panel(record_type: str) -> Callable[[Visit], Response]:
    """One panel of a card, for a page that is open."""

    def show(visit: Visit) -> Response:
        panel = visit.path["panel"]
        if panel not in PANELS[record_type]:
            raise HTTPException(404)
        customer = read_customer(visit, record_type, card_id(visit), (panel,))
        return visit.render(f"card/{panel}.html", whole=False, **card_values(visit, customer))

    return show


def card_id(visit: Visit) -> str:
    """The id in the address. Errors: HTTPException where it is none."""
    if not is_id(visit.path["id"]):
        raise HTTPException(404)
    return visit.path["id"]


def card_values(visit: Visit, customer: Customer) -> dict[str, Any]:
    """What the templates of a card work with."""
    card = customer.card
    is_person = customer.record_type == PERSON
    birth = from_date(card.birth_date, "birth_date") if card and is_person else None
    year = visit.today.year
    shown = bool(card and customer.fields) and own_fields.HIDDEN not in card.hidden_fields
    own = own_fields.show_fields(card, customer.fields, customer.names) if shown else []
    return {
        "c": customer,
        "words": words,
        "is_person": is_person,
        "age": stories.age_on(birth, visit.today),
        "birth": birth,
        "is_birthday": stories.is_birthday,
        "own": own,
        "own_keys": {one.key for one in customer.fields or ()},
        "last_day": _last_day,
        "deals_by_state": stories.split_deals(customer.deals.deals) if customer.deals else {},
        "sums_of": stories.sums_of,
        "years": [str(one) for one in range(year, year - YEARS_BACK, -1)],
        "story_query": urlencode(customer.filter.address),
        "older_query": urlencode(_older(customer)),
        "page_query": visit.request.url.query,
    }


def _older(customer: Customer) -> dict[str, str]:
    """The address of what lies before this page of the line."""
    said = customer.interactions
    if not said or not said.next_page_token:
        return {}
    until = said.interactions[-1].occur_time.ToDatetime(UTC).isoformat()
    return {**customer.filter.address, "page": said.next_page_token, "until": until}


def _last_day(end: Date) -> date:
    """The last day of something that has ended on the morning of another."""
    after = date(end.year, end.month, end.day)
    return max(after, date.min + timedelta(days=1)) - timedelta(days=1)  # there is no day before the first


def _help(record_type: str) -> str:
    return "card" if record_type == PERSON else "organizations"


PAGES = tuple(
    page
    for kind in (PERSON, ORGANIZATION)
    for page in (
        Page("GET", f"/{PATHS[kind]}/{{id}}", show_card(kind)),
        Page("GET", f"/{PATHS[kind]}/{{id}}/panels/{{panel}}", show_panel(kind)),
    )
)
