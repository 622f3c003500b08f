"""What callers see through each call, as the audit trail notes it, and which calls a frozen unit stops."""

from __future__ import annotations

from chassis.audit.entries import LIST, READ, SEARCH
from chassis.audit.reading_log import Reading

PERSON, ORGANIZATION, INTERACTION = "person", "organization", "interaction"
READINGS = {
    "GetPerson": Reading(READ, PERSON, "person.id"),
    "BatchGetPersons": Reading(LIST, PERSON, "persons.id"),
    "ListPersons": Reading(LIST, PERSON, "persons.id", text="query"),
    "GetOrganization": Reading(READ, ORGANIZATION, "organization.id"),
    "BatchGetOrganizations": Reading(LIST, ORGANIZATION, "organizations.id"),
    "ListOrganizations": Reading(LIST, ORGANIZATION, "organizations.id", text="query"),
    "SearchCustomers": Reading(SEARCH, "customer", "hits.id", text="query"),
    "ListInteractions": Reading(LIST, INTERACTION, "interactions.id"),
    "ListAffiliations": Reading(LIST, PERSON, "affiliations.person_id"),
    "GetCustomerMerges": Reading(LIST, "merge", "customer_merges.id"),
    "ListAccessRequests": Reading(LIST, "access_request", "access_requests.id"),
}
# What a frozen unit stops: what takes data away or changes many records at once, and reading lists page after page.
STOPPED = (
    "ImportPersons", "ImportOrganizations", "ImportInteractions", "HandOverCustomers", "AssignCustomers",
    "ChangeCustomers", "MergeCustomers", "UnmergeCustomers", "UndoImport",
)  # fmt: skip
LISTS = ("ListPersons", "ListOrganizations")
