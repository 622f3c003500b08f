"""How cards are read: one statement for a card with its channels, memberships and sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID, aggregate_order_by

from chassis.database import UnitOfWork
from chassis.ids import is_id
from contacts.cards import Address, Affiliation, AnyCard, Channel, Contribution, OrganizationCard, PersonCard
from contacts.tables import affiliation, channel, organization, person, provenance
from units.tables import unit

IDS = ARRAY(UUID(as_uuid=False))


def ids(values: Iterable[str]) -> sa.BindParameter[Any]:
    """Ids as one parameter; those that are no ids are left out."""
    return sa.bindparam(None, [one for one in values if is_id(one)], type_=IDS, unique=True)


def _rows_of(entries: sa.Select[Any], table: sa.Table) -> sa.ScalarSelect[Any]:
    return entries.correlate(table).scalar_subquery()


def _channels(table: sa.Table) -> sa.ScalarSelect[Any]:
    c = channel.c
    entry = sa.func.json_build_array(c.kind, c.value, c.raw, c.extension, c.label, c.verified, c.problem)
    ordered = sa.func.json_agg(aggregate_order_by(entry, c.position))
    return _rows_of(sa.select(ordered).where(c.owner_id == table.c.id), table)


def _affiliations() -> sa.ScalarSelect[Any]:
    c = affiliation.c
    entry = sa.func.json_build_array(
        c.id, c.organization_id, organization.c.display_name, c.role, c.start_date, c.end_date
    )
    joined = affiliation.join(organization, organization.c.id == c.organization_id)
    return _rows_of(sa.select(sa.func.json_agg(entry)).select_from(joined).where(c.person_id == person.c.id), person)


def _contributions(table: sa.Table) -> sa.ScalarSelect[Any]:
    c = provenance.c
    entry = sa.func.json_build_array(
        c.source, c.external_id, c.run_id, sa.func.replace(c.fingerprint.cast(sa.Text), "-", "")
    )
    said = sa.select(sa.func.json_agg(entry)).where(c.record_id == table.c.id, sa.not_(c.superseded))
    return _rows_of(said, table)


def _select(table: sa.Table, contributions: bool) -> sa.Select[Any]:
    columns = [column for column in table.c if column.name not in ("search", "sort_key", "name_key")]
    more = [_channels(table).label("channels"), unit.c.path.label("unit_path")]
    more += [_affiliations().label("affiliations")] if table is person else []
    more += [_contributions(table).label("contributions")] if contributions else []
    return sa.select(*columns, *more).select_from(table.outerjoin(unit, unit.c.id == table.c.unit_id))


_SELECTS = {(table.name, full): _select(table, full) for table in (person, organization) for full in (False, True)}


def select_cards(table: sa.Table, *, contributions: bool = False) -> sa.Select[Any]:
    """The statement that reads whole cards; the caller adds what to read."""
    return _SELECTS[table.name, contributions]


def read_cards(
    work: UnitOfWork, table: sa.Table, statement: sa.Select[Any], parameters: dict[str, Any] | None = None
) -> list[Any]:
    """The cards that a statement of `select_cards` finds, in its order."""
    return [card_of(table, row) for row in work.execute(statement, parameters)]


def card_of(table: sa.Table, row: Any) -> AnyCard:
    """The card that a row of `select_cards` is."""
    return _person(row) if table is person else _organization(row)


def load_cards(work: UnitOfWork, table: sa.Table, card_ids: Sequence[str]) -> dict[str, AnyCard]:
    """Cards by id, locked until the transaction ends, with all that sources said of them.

    Locked in the order of ids and read after that, so that what is read is what the last writer left.
    """
    if not card_ids:
        return {}
    wanted = table.c.id == sa.any_(ids(card_ids))
    work.execute(sa.select(table.c.id).where(wanted).order_by(table.c.id).with_for_update())
    return peek_cards(work, table, card_ids)


def peek_cards(work: UnitOfWork, table: sa.Table, card_ids: Sequence[str]) -> dict[str, AnyCard]:
    """Cards by id with all that sources said of them, not locked: good for looking only."""
    wanted = table.c.id == sa.any_(ids(card_ids))
    return {card.id: card for card in read_cards(work, table, select_cards(table, contributions=True).where(wanted))}


def _shared(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "version": row.version,
        "display_name": row.display_name,
        "unit_id": row.unit_id,
        "tax_id": row.tax_id,
        "tax_country": row.tax_country,
        "owner_id": row.owner_id,
        "attributes": row.attributes,
        "tags": list(row.tags),
        "creator_id": row.creator_id,
        "create_time": row.create_time,
        "update_time": row.update_time,
        "unit_ids": list(row.unit_ids),
        "unit_path": row.unit_path or "",
        "channels": [Channel(*entry) for entry in row.channels or ()],
        "address": Address(row.street, row.city, row.region, row.postal_code, row.country),
        "contributions": [Contribution(*entry) for entry in getattr(row, "contributions", None) or ()],
    }


def _person(row: Any) -> PersonCard:
    return PersonCard(
        given_name=row.given_name,
        middle_name=row.middle_name,
        family_name=row.family_name,
        birth_date=row.birth_date,
        individual_customer=row.individual_customer,
        affiliations=[_affiliation(*entry) for entry in row.affiliations or ()],
        **_shared(row),
    )


def _organization(row: Any) -> OrganizationCard:
    return OrganizationCard(industry=row.industry, parent_id=row.parent_id or "", **_shared(row))


def _affiliation(
    affiliation_id: str, organization_id: str, name: str, role: str, start: str | None, end: str | None
) -> Affiliation:
    return Affiliation(affiliation_id, organization_id, name, role, _day(start), _day(end))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
