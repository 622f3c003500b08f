"""Takes over names and places of users, persons, organizations and deals from their owners' events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from chassis.copies import copies_in_place
from chassis.database import UnitOfWork
from chassis.naming import binding
from chassis.projection import Delivered, Row, newest_states, state_columns, upsert_newer
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.directory.events.v1 import directory_events_pb2 as directory
from scheduling.customer_news import note_interactions
from scheduling.merged_customers import move_activities, return_activities
from scheduling.tables import deal, organization, person, user
from scheduling.taking_over import take_over_activities
from units.copying import UNIT_BINDING, UNIT_EVENTS, copy_units
from units.tables import unit


def copy_users(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of UserCreated and UserUpdated: the name, the unit of the latest position, and whether access is open."""
    rows = [
        {
            "id": one.id,
            "display_name": one.display_name,
            "unit_id": one.positions[-1].unit_id if one.positions else None,
            "active": one.active,
            **state_columns(*state),
        }
        for one, *state in newest_states(deliveries, "user")
    ]
    upsert_newer(work, user, rows)


def copy_persons(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PersonCreated and PersonUpdated."""
    rows = [
        {**_card(one, one.personal.display_name, *state), "organization_ids": list(one.organization_ids)}
        for one, *state in newest_states(deliveries, "person")
    ]
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
            "person_id": one.person_id or None,
            "organization_id": one.organization_id or None,
            "create_time": one.create_time.ToDatetime(UTC) if one.HasField("create_time") else None,
            **state_columns(*state),
        }
        for one, *state in newest_states(deliveries, "deal")
    ]
    upsert_newer(work, deal, rows)


def follow_merged_person(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PersonMerged: the name stays known, so that what comes late of that card is no news."""
    copy_persons(work, deliveries)
    move_activities(work, deliveries)


def follow_merged_organization(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of OrganizationMerged, likewise."""
    copy_organizations(work, deliveries)
    move_activities(work, deliveries)


def follow_unmerged_person(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PersonUnmerged."""
    copy_persons(work, deliveries)
    return_activities(work, deliveries)


def follow_unmerged_organization(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of OrganizationUnmerged."""
    copy_organizations(work, deliveries)
    return_activities(work, deliveries)


def drop_persons(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PersonRemoved: no unit knows the person any more; the row stays for what comes late."""
    rows = [
        {**_card(one, one.personal.display_name, *state), "unit_ids": [], "owner_id": None, "organization_ids": []}
        for one, *state in newest_states(deliveries, "person")
    ]
    upsert_newer(work, person, rows)


def drop_organizations(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of OrganizationRemoved, likewise."""
    rows = [
        {**_card(one, one.display_name, *state), "unit_ids": [], "owner_id": None}
        for one, *state in newest_states(deliveries, "organization")
    ]
    upsert_newer(work, organization, rows)


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
    binding("contacts", "interaction"),
    binding("deals", "deal"),
)
HANDLERS = {
    **dict.fromkeys(UNIT_EVENTS, copy_units),
    directory.UnitUserMoved: take_over_activities,
    **dict.fromkeys((directory.UserCreated, directory.UserUpdated), copy_users),
    **dict.fromkeys((contacts.PersonCreated, contacts.PersonUpdated), copy_persons),
    **dict.fromkeys((contacts.OrganizationCreated, contacts.OrganizationUpdated), copy_organizations),
    contacts.InteractionLogged: note_interactions,
    contacts.PersonMerged: follow_merged_person,
    contacts.PersonUnmerged: follow_unmerged_person,
    contacts.OrganizationMerged: follow_merged_organization,
    contacts.OrganizationUnmerged: follow_unmerged_organization,
    contacts.PersonRemoved: drop_persons,
    contacts.OrganizationRemoved: drop_organizations,
    **dict.fromkeys((deals.DealOpened, deals.DealUpdated, deals.DealStageChanged), copy_deals),
}
COPIES = copies_in_place(unit, user, person, organization, deal)
