"""What callers see through each call, as the audit trail notes it, and which calls a frozen unit stops."""

from __future__ import annotations

from chassis.audit.entries import LIST, READ, SEARCH
from chassis.audit.reading_log import Reading

DEAL = "deal"
READINGS = {
    "GetDeal": Reading(READ, DEAL, "deal.id"),
    "BatchGetDeals": Reading(LIST, DEAL, "deals.id"),
    "ListDeals": Reading(LIST, DEAL, "deals.id"),
    "SearchDeals": Reading(SEARCH, DEAL, "deals.id", text="query"),
    "GetBoard": Reading(LIST, DEAL, "columns.deals.id"),
}
# What a frozen unit stops: what takes data away or changes many records at once, and reading lists page after page.
STOPPED = ("ImportProducts", "ImportDeals", "ImportPlans", "HandOverDeals", "AssignDeals")
LISTS = ("ListDeals",)
