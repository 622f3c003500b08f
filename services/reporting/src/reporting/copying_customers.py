"""Takes over persons, organizations and interactions from the contacts' events, and users from the directory's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from chassis.database import UnitOfWork
from chassis.projection import Delivered, Row, newest_states, state_columns, upsert_newer
from reporting import tables
from reporting.copying import day_of, replace_children


def copy_persons(work: UnitOfWork, deliveries: Sequence[Delivered], *, merged: bool = False) -> None:
    """Handler of PersonCreated, PersonUpdated and PersonUnmerged; a `merged` card is known to no unit."""
    states = newest_states(deliveries, "person")
    rows = [
        {
            "id": one.id,
            "display_name": one.personal.display_name,
            "unit_id": one.unit_id or None,
            "owner_id": one.owner_id or None,
            "individual_customer": one.individual_customer,
            **state_columns(epoch, version),
        }
        for one, epoch, version in states
    ]
    written, replaced = upsert_newer(work, tables.person, rows)
    known_in = [] if merged else [pair for one, _, _ in states if one.id in written for pair in _units_of(one)]
    replace_children(work, tables.person_unit, "person_id", replaced, known_in)


def copy_organizations(work: UnitOfWork, deliveries: Sequence[Delivered], *, merged: bool = False) -> None:
    """Handler of OrganizationCreated, -Updated and -Unmerged; a `merged` card is known to no unit."""
    states = newest_states(deliveries, "organization")
    rows = [
        {
            "id": one.id,
            "display_name": one.display_name,
            "unit_id": one.unit_id or None,
            "owner_id": one.owner_id or None,
            "industry": one.industry,
            "city": one.city,
            "country": one.country,
            **state_columns(epoch, version),
        }
        for one, epoch, version in states
    ]
    written, replaced = upsert_newer(work, tables.organization, rows)
    known_in = [] if merged else [pair for one, _, _ in states if one.id in written for pair in _units_of(one)]
    replace_children(work, tables.organization_unit, "organization_id", replaced, known_in)


def drop_persons(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of PersonMerged and PersonRemoved: counted nowhere from now on; the row stays for what comes late."""
    copy_persons(work, deliveries, merged=True)


def drop_organizations(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of OrganizationMerged and OrganizationRemoved, likewise."""
    copy_organizations(work, deliveries, merged=True)


def copy_interactions(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of InteractionLogged and InteractionMoved. What was said stays with the contacts."""
    upsert_newer(work, tables.interaction, [_interaction(*state) for state in newest_states(deliveries, "interaction")])


def copy_users(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of UserCreated and UserUpdated: names and dated positions."""
    states = newest_states(deliveries, "user")
    rows = [{"id": one.id, "display_name": one.display_name, **state_columns(*state)} for one, *state in states]
    written, replaced = upsert_newer(work, tables.user, rows)
    positions = [
        (each.id, one.id, each.unit_id, each.title, each.role, day_of(each.start_date), day_of(each.end_date))
        for one, _, _ in states
        if one.id in written
        for each in one.positions
    ]
    replace_children(work, tables.position, "user_id", replaced, positions)


def _units_of(one: Any) -> list[tuple[str, str]]:
    """Units that know a customer; the unit of the card where none is named."""
    return [(one.id, unit_id) for unit_id in sorted(set(one.unit_ids) or {one.unit_id} - {""})]


def _interaction(one: Any, epoch: int, version: int) -> Row:
    return {
        "id": one.id,
        "kind": one.kind,
        "day": one.occur_time.ToDatetime(UTC).date() if one.HasField("occur_time") else None,
        "unit_id": one.unit_id or None,
        "author_id": one.author_id or None,
        "person_id": one.person_id or None,
        "organization_id": one.organization_id or None,
        "outcome": one.outcome,
        **state_columns(epoch, version),
    }
