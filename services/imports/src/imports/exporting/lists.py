"""What can be exported: each list with the call that reads it, its conditions, and its columns.

A column is named as the field of imports that takes it in again, where there is one, so that a file finds its way back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as deals
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from imports.exporting import cells
from imports.exporting.cells import DATE, NUMBER, TIME, Around
from units.records import ACTIVITY, CUSTOMER, DEAL

TEXT = cells.TEXT
REPORT = "report:"
PAGING = ("page_size", "page_token")


@dataclass(frozen=True)
class Column:
    """One column: its heading, what kind of values it has, how a record is read, and the field that imports it."""

    name: str
    read: Callable[[Any, Around], str]
    type: str = TEXT
    import_field: str = ""


@dataclass(frozen=True)
class ExportList:
    """One list: `method` of `service` reads it page by page, `rows` names the field of the answer that has the records.

    `kind` is the kind of imports that takes it in again, empty where none does; `refers` are fields of a record that
    name records of other services, by what they name; `own_fields_of` is the type of cards whose own fields are
    columns as well.
    """

    name: str
    records: str
    service: str
    method: str
    request: type[Any]
    rows: str
    columns: tuple[Column, ...]
    kind: str = ""
    refers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    own_fields_of: str = ""

    @property
    def filters(self) -> tuple[str, ...]:
        """The conditions and orders that the list takes: whatever its request has."""
        return tuple(name for name in self.request.DESCRIPTOR.fields_by_name if name not in PAGING)

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((one for one in self.columns if one.name == name), None)


def _own(name: str, attribute: str = "", type_: str = TEXT, imported: bool = True) -> Column:
    return Column(name, cells.text_of(attribute or name), type_, name if imported else "")


_ADDRESS = tuple(
    Column(name, cells.address_of(name), TEXT, name) for name in ("street", "city", "region", "postal_code", "country")
)
_CHANNELS = (
    Column("phone", cells.channels_of(contacts.CHANNEL_KIND_PHONE), TEXT, "phone"),
    Column("email", cells.channels_of(contacts.CHANNEL_KIND_EMAIL), TEXT, "email"),
)
_OWNER = Column("owner", cells.user_of("owner_id"), TEXT, "owner")
_TAGS = Column("tags", cells.texts_of("tags"))
_CHANGED = (
    Column("create_time", cells.time_of("create_time"), TIME),
    Column("update_time", cells.time_of("update_time"), TIME),
)

PERSONS = ExportList(
    "persons", CUSTOMER, "contacts", "ListPersons", contacts.ListPersonsRequest, "persons",
    (
        Column("card_id", cells.text_of("id")),
        _own("full_name", "display_name"), _own("given_name"), _own("middle_name"), _own("family_name"),
        *_CHANNELS,
        Column("organization", cells.employer("organization_name"), TEXT, "organization"),
        Column("role", cells.employer("role"), TEXT, "role"),
        Column("birth_date", cells.day_of("birth_date"), DATE, "birth_date"),
        _own("tax_id"), *_ADDRESS, _OWNER,
        Column("units", cells.units_of("unit_ids")), _TAGS, *_CHANGED,
    ),
    "persons", {"users": ("owner_id",)}, "person",
)  # fmt: skip
ORGANIZATIONS = ExportList(
    "organizations", CUSTOMER, "contacts", "ListOrganizations", contacts.ListOrganizationsRequest, "organizations",
    (
        Column("card_id", cells.text_of("id")),
        _own("name", "display_name"), _own("tax_id"), *_CHANNELS,
        Column("website", cells.channels_of(contacts.CHANNEL_KIND_WEBSITE), TEXT, "website"),
        *_ADDRESS, _own("industry"),
        Column("parent", cells.organization_of("parent_id"), TEXT, "parent"), _OWNER,
        Column("units", cells.units_of("unit_ids")), _TAGS, *_CHANGED,
    ),
    "organizations", {"users": ("owner_id",), "organizations": ("parent_id",)}, "organization",
)  # fmt: skip
DEALS = ExportList(
    "deals", DEAL, "deals", "ListDeals", deals.ListDealsRequest, "deals",
    (
        Column("deal_card_id", cells.text_of("id")),
        _own("external_id"), _own("title"),
        Column("organization", cells.organization_of("organization_id"), TEXT, "organization"),
        Column("person", cells.person_of("person_id"), TEXT, "person"),
        _own("stage", "stage_name"),
        Column("status", cells.word_of(deals.StageKind, "status", "STAGE_KIND_")),
        Column("amount", cells.amount_of("amount"), NUMBER, "amount"),
        Column("currency", cells.currency_of("amount"), TEXT, "currency"),
        Column("products", cells.products_of),
        Column("open_date", cells.day_of("open_date"), DATE, "open_date"),
        Column("close_date", cells.day_of("close_date"), DATE, "close_date"),
        Column("expected_close_date", cells.day_of("expected_close_date"), DATE, "expected_close_date"),
        _own("loss_reason"), _own("loss_comment"), _own("business_line"), _OWNER,
        Column("unit", cells.unit_of("unit_id"), TEXT, "unit"),
        Column("stage_time", cells.time_of("stage_time"), TIME), *_CHANGED,
    ),
    "deals", {"users": ("owner_id",), "organizations": ("organization_id",), "persons": ("person_id",)},
)  # fmt: skip
ACTIVITIES = ExportList(
    "activities", ACTIVITY, "scheduling", "ListActivities", scheduling.ListActivitiesRequest, "activities",
    (
        Column("activity_card_id", cells.text_of("id")),
        Column("kind", cells.word_of(scheduling.ActivityKind, "kind", "ACTIVITY_KIND_")),
        Column("subject", cells.text_of("subject")), Column("description", cells.text_of("description")),
        Column("state", cells.word_of(scheduling.ActivityState, "state", "ACTIVITY_STATE_")),
        Column("due_date", cells.day_of("due_date"), DATE), Column("due_time", cells.time_of("due_time"), TIME),
        Column("person", cells.text_of("person_name")), Column("organization", cells.text_of("organization_name")),
        Column("deal", cells.text_of("deal_title")), Column("owner", cells.text_of("owner_name")),
        Column("unit", cells.unit_of("unit_id")),
        Column("outcome", cells.text_of("outcome")), Column("summary", cells.text_of("summary")),
        Column("close_time", cells.time_of("close_time"), TIME),
    ),
)  # fmt: skip
LISTS = {one.name: one for one in (PERSONS, ORGANIZATIONS, DEALS, ACTIVITIES)}
