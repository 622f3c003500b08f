"""The part of a card or a deal that says who was responsible before, until when, and why it changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.responses import Response

from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from gateway.web.mounting import Page
from gateway.web.names import look_up_names
from gateway.web.visits import Visit


def show_owners(service: str, rpc: str, request: type[Any], field: str) -> Callable[[Visit], Response]:
    """Make the page; the record's id is the `field` of the request."""

    def answer(visit: Visit) -> Response:
        changes = visit.call(service, rpc, request(**{field: visit.path["id"]})).changes
        users = [user for one in changes for user in (one.from_owner_id, one.to_owner_id, one.changer_id)]
        return visit.render("owner_history/changes.html", changes=changes, names=look_up_names(visit, users))

    return answer


_of_customer = partial(show_owners, "contacts", "GetCustomerOwnerHistory", contacts.GetCustomerOwnerHistoryRequest)
PAGES = (
    Page("GET", "/customers/{id}/owners", _of_customer("person_id")),
    Page("GET", "/organizations/{id}/owners", _of_customer("organization_id")),
    Page(
        "GET",
        "/deals/{id}/owners",
        show_owners("deals", "GetDealOwnerHistory", deals.GetDealOwnerHistoryRequest, "deal_id"),
    ),
)
