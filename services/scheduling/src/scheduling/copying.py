"""Takes over names and places of users, persons, organizations and deals from their owners' events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chassis.copies import copies_in_place
from chassis.database import UnitOfWork
from chassis.naming import binding
from chassis.projection import Delivered, Row, newest_states, state_columns, upsert_newer
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.directory.events.v1 import directory_events_pb2 as directory
from scheduling.tables import deal, organization, person, user
from units.copying import UNIT_BINDING, UNIT_EVENTS, copy_units
from units.tables import unit


def copy_users(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of UserCreated and UserUpdated: the name, and the unit of the latest position."""
    rows = [
        {
            "id": one.id,
            "display_name": one.display_name,
            "unit_id": one.positions[-1].unit_id if one.positions else None,
            **state_columns(*state),
        }
        for one, *state in newest_states(deliveries, "user")
    ]
    upsert_newer(work, user, rows)


def copy_persons(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PersonCreated and PersonUpdated."""
    rows = [_card(one, one.personal.display_name, *state) for one, *state in newest_states(deliveries, "person")]
    upsert_newer(work, person, rows)


def copy_organizations(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of OrganizationCreated and OrganizationUpdated."""
    rows = [_card(one, one.display_name, *state) for one, *state in newest_states(deliveries, "organization")]
    upsert_newer(work, organization, rows)


def copy_deals(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of DealOpened, DealUpdated and DealStageChanged."""
    rows = [
        {
            "id": one.id,
            "title": one.title,
            "owner_id": one.owner_id or None,
            "unit_ids": [one.unit_id],
            "status": one.status,
            **state_columns(*state),
        }
        for one, *state in newest_states(deliveries, "deal")
    ]
    upsert_newer(work, deal, rows)


def _card(one: Any, name: str, epoch: int, version: int) -> Row:
    return {
        "id": one.id,
        "display_name": name,
        "owner_id": one.owner_id or None,
        "unit_ids": list(one.unit_ids) or ([one.unit_id] if one.unit_id else []),
        **state_columns(epoch, version),
    }


BINDINGS = (
    UNIT_BINDING,
    binding("directory", "user"),
    binding("contacts", "person"),
    binding("contacts", "organization"),
    binding("deals", "deal"),
)
HANDLERS = {
    **dict.fromkeys(UNIT_EVENTS, copy_units),
    **dict.fromkeys((directory.UserCreated, directory.UserUpdated), copy_users),
    **dict.fromkeys((contacts.PersonCreated, contacts.PersonUpdated), copy_persons),
    **dict.fromkeys((contacts.OrganizationCreated, contacts.OrganizationUpdated), copy_organizations),
    **dict.fromkeys((deals.DealOpened, deals.DealUpdated, deals.DealStageChanged), copy_deals),
}
COPIES = copies_in_place(unit, user, person, organization, deal)
