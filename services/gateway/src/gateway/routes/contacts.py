"""Persons, organizations, interactions, search and counts."""

from gateway.calls import PAGE, Call

PERSONS = (
    Call(
        "POST",
        "/persons",
        "contacts",
        "CreatePerson",
        "Create a person, or get the card that already is this person",
        body="person",
        query=("allow_duplicate",),
        status=201,
    ),
    Call(
        "GET",
        "/persons",
        "contacts",
        "ListPersons",
        "List persons by name",
        query=(*PAGE, "unit=unit_id", "organization_id"),
    ),
    Call("GET", "/persons/{person_id}", "contacts", "GetPerson", "Read a person", answer="person"),
    Call(
        "PATCH",
        "/persons/{person_id}",
        "contacts",
        "UpdatePerson",
        "Change a person",
        body="person",
        answer="person",
        path_fields={"person_id": "person.id"},
    ),
    Call(
        "GET",
        "/possible_duplicates",
        "contacts",
        "ListPossibleDuplicates",
        "List pairs of cards that may be one customer",
        query=PAGE,
    ),
)
ORGANIZATIONS = (
    Call(
        "POST",
        "/organizations",
        "contacts",
        "CreateOrganization",
        "Create an organization, or get the card that already is this organization",
        body="organization",
        query=("allow_duplicate",),
        status=201,
    ),
    Call(
        "GET",
        "/organizations",
        "contacts",
        "ListOrganizations",
        "List organizations by name",
        query=(*PAGE, "unit=unit_id"),
    ),
    Call(
        "GET",
        "/organizations/{organization_id}",
        "contacts",
        "GetOrganization",
        "Read an organization",
        answer="organization",
    ),
    Call(
        "PATCH",
        "/organizations/{organization_id}",
        "contacts",
        "UpdateOrganization",
        "Change an organization",
        body="organization",
        answer="organization",
        path_fields={"organization_id": "organization.id"},
    ),
)
INTERACTIONS = (
    Call(
        "POST",
        "/interactions",
        "contacts",
        "LogInteraction",
        "Record an interaction",
        body="interaction",
        answer="interaction",
        status=201,
    ),
    Call(
        "GET",
        "/interactions",
        "contacts",
        "ListInteractions",
        "List interactions of a person or an organization, newest first",
        query=(*PAGE, "person_id", "organization_id"),
    ),
)
SEARCH = (
    Call(
        "GET",
        "/search",
        "contacts",
        "SearchCustomers",
        "Find customers by name, phone or e-mail",
        query=("query", "page_size"),
    ),
    Call("GET", "/customers/count", "contacts", "CountCustomers", "Count customers", query=("unit=unit_id",)),
)
