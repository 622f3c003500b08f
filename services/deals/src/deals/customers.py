"""Which persons and organizations there are, as contacts tells it; and whether a deal may name one.

The copy holds ids only: whether an id means somebody is all that deals must know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID, insert

from chassis.database import UnitOfWork
from chassis.naming import binding
from chassis.prepared import Prepared
from chassis.schema import consumer_mark
from crm.contacts.events.v1 import contacts_events_pb2 as events
from deals.errors import invalid
from deals.records import Facts
from deals.rules import may_be_on_its_way
from deals.tables import customer

# Only what makes a card: who was changed was made before.
CUSTOMER_BINDINGS = (binding("contacts", "person", "created"), binding("contacts", "organization", "created"))
PERSON, ORGANIZATION = "person", "organization"
CONSUMER, SOURCE = "deals", "crm/%/contacts"

_IDS = sa.cast(sa.bindparam("ids", type_=ARRAY(sa.Text)), ARRAY(UUID(as_uuid=False)))
_KNOWN = Prepared(
    sa.select(
        sa.func.array(
            sa.select(customer.c.kind + "/" + sa.cast(customer.c.id, sa.Text))
            .where(customer.c.id == sa.any_(_IDS))
            .scalar_subquery()
        ).label("known"),
        sa.select(customer.c.id).order_by(customer.c.id).limit(1).scalar_subquery().label("first"),
        sa.select(sa.func.max(consumer_mark.c.event_time))
        .where(consumer_mark.c.consumer == CONSUMER, consumer_mark.c.source.like(SOURCE))
        .scalar_subquery()
        .label("heard_until"),
    )
)

_NOTE = Prepared(
    insert(customer)
    .from_select(["id", "kind"], sa.select(sa.func.unnest(_IDS), sa.bindparam("kind", type_=sa.Text)))
    .on_conflict_do_nothing()
)


def copy_persons(work: UnitOfWork, deliveries: Sequence[Any]) -> None:
    """Note persons that were made; handler of PersonCreated."""
    _note(work, PERSON, (one.message.person.id for one in deliveries))


def copy_organizations(work: UnitOfWork, deliveries: Sequence[Any]) -> None:
    """Note organizations that were made; handler of OrganizationCreated."""
    _note(work, ORGANIZATION, (one.message.organization.id for one in deliveries))


HANDLERS = {events.PersonCreated: copy_persons, events.OrganizationCreated: copy_organizations}


def require_customers(work: UnitOfWork, facts: Facts, before: Facts | None = None) -> None:
    """Errors: FieldInvalid when a person or organization that a deal newly names cannot be one of contacts."""
    named = {
        name: getattr(facts, name)
        for name in ("person_id", "organization_id")
        if getattr(facts, name) and (before is None or getattr(before, name) != getattr(facts, name))
    }
    if not named:
        return
    [copy] = work.fetch(_KNOWN, {"ids": list(named.values())})
    for name, id_ in named.items():
        kind = name.removesuffix("_id")
        is_known = f"{kind}/{id_}" in copy.known
        if not is_known and not may_be_on_its_way(id_, copy.first, copy.heard_until, work.now):
            raise invalid(f"deal.{name}", f"{id_} is no {kind} that contacts has told of; choose one from the list")


def _note(work: UnitOfWork, kind: str, ids: Iterable[str]) -> None:
    work.run(_NOTE, {"ids": sorted(set(ids)), "kind": kind})
