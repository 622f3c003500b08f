"""Which organizations a request says a person belongs to, by id or by name."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.cards import Affiliation, OrganizationCard
from contacts.drafts import Batch, read_affiliation
from contacts.errors import OrganizationNotFound, invalid
from contacts.mentions import Mention, NoCard, find_organizations
from contacts.queries import ids
from contacts.tables import organization
from contacts.visibility import visible_cards
from crm.contacts.v1 import contacts_pb2 as pb

MOST = 100
FIELD = "person.affiliations"


def read_memberships(
    work: UnitOfWork, asked: Sequence[pb.Affiliation], batch: Batch, known: Sequence[Affiliation] = ()
) -> list[Affiliation]:
    """The memberships a request states; organizations only named are joined or made.

    An id must be that of a membership `known` before, and stand once; a new membership has none. Errors:
    OrganizationNotFound, FieldInvalid, KnownElsewhere.
    """
    _check_ids([one.id for one in asked if one.id], {one.id for one in known})
    if len(asked) > MOST:
        raise invalid(FIELD, f"has {len(asked)} entries; at most {MOST} are kept", "TOO_MANY")
    by_name = {Mention(one.organization_name.strip()) for one in asked if not one.organization_id}
    if Mention() in by_name:
        raise invalid(f"{FIELD}.organization_id", "is empty, and so is organization_name; give one of them", "MISSING")
    made = _find(work, by_name, batch)
    names = _visible_names(work, [one.organization_id for one in asked if one.organization_id])
    return [_read(one, made.get(Mention(one.organization_name.strip())), names) for one in asked]


def _find(work: UnitOfWork, by_name: set[Mention], batch: Batch) -> dict[Mention, OrganizationCard | NoCard]:
    if not by_name:
        return {}
    return find_organizations(work, sorted(by_name, key=lambda one: one.name), batch, only_seen=True)


def _check_ids(given: list[str], known: set[str]) -> None:
    if len(set(given)) < len(given) or not known.issuperset(given):
        raise invalid(f"{FIELD}.id", "is not that of a membership of this person, or stands twice", "UNKNOWN")


def _read(one: pb.Affiliation, found: OrganizationCard | NoCard | None, names: dict[str, str]) -> Affiliation:
    if one.organization_id:
        if one.organization_id not in names:
            raise OrganizationNotFound(one.organization_id)
        read = read_affiliation(one, FIELD)
        return read._replace(organization_name=names[one.organization_id])
    if not isinstance(found, OrganizationCard):
        raise invalid(f"{FIELD}.organization_name", found.message if found else "is unknown")
    return read_affiliation(one, FIELD)._replace(organization_id=found.id, organization_name=found.display_name)


def _visible_names(work: UnitOfWork, organization_ids: list[str]) -> dict[str, str]:
    if not organization_ids:
        return {}
    c = organization.c
    seen = sa.select(c.id, c.display_name).where(
        c.id == sa.any_(ids(organization_ids)), visible_cards(work.access, organization)
    )
    # Shared, so that none becomes part of another one before this is committed.
    seen = seen.with_for_update(read=True, key_share=True, of=organization)
    return {row.id: row.display_name for row in work.execute(seen)}
