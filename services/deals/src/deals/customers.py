"""Which persons and organizations there are, as contacts tells it; and whether a deal may name one.

The copy holds ids only: whether an id means somebody is all that deals must know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from chassis.copying import plain_array
from chassis.database import UnitOfWork
from chassis.naming import binding
from chassis.prepared import Prepared
from chassis.schema import consumer_mark
from crm.contacts.events.v1 import contacts_events_pb2 as events
from deals.errors import invalid
from deals.merged_customers import lead_customers
from deals.records import Facts
from deals.rules import may_be_on_its_way
from deals.tables import customer

# Only what makes a card or takes it back: who was changed was made before.
CUSTOMER_BINDINGS = tuple(
    binding("contacts", aggregate, fact) for aggregate in ("person", "organization") for fact in ("created", "removed")
)
PERSON, ORGANIZATION, REMOVED = "person", "organization", "removed"
CONSUMER, SOURCE = "deals", "crm/%/contacts"

_IDS = sa.cast(sa.bindparam("ids", type_=ARRAY(sa.Text)), ARRAY(UUID(as_uuid=False)))
_KNOWN = Prepared(
    sa.select(
        sa.func.array(
            sa.select(customer.c.kind + "/" + sa.cast(customer.c.id, sa.Text))
            .where(customer.c.id == sa.any_(_IDS))
            # Shared: who moves the deals of a merged customer waits for this one.
            .with_for_update(read=True, key_share=True)
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
    sa.text("""
INSERT INTO customer (id, kind, epoch, version)
SELECT DISTINCT ON (e.id) e.id, CAST(:kind AS text), e.epoch, e.version
FROM unnest(CAST(:ids AS uuid[]), CAST(:epochs AS int[]), CAST(:versions AS bigint[])) AS e(id, epoch, version)
ORDER BY e.id, e.epoch DESC, e.version DESC
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, epoch = excluded.epoch, version = excluded.version
WHERE (customer.epoch, customer.version) < (excluded.epoch, excluded.version)""")
)


def copy_persons(work: UnitOfWork, deliveries: Sequence[Any]) -> None:
    """Note persons that were made; handler of PersonCreated."""
    _note(work, PERSON, deliveries)


def copy_organizations(work: UnitOfWork, deliveries: Sequence[Any]) -> None:
    """Note organizations that were made; handler of OrganizationCreated."""
    _note(work, ORGANIZATION, deliveries)


def drop_customers(work: UnitOfWork, deliveries: Sequence[Any]) -> None:
    """Note that cards are no more; handler of PersonRemoved and OrganizationRemoved. No deal names them from now on."""
    _note(work, REMOVED, deliveries)


HANDLERS = {
    events.PersonCreated: copy_persons,
    events.OrganizationCreated: copy_organizations,
    events.PersonRemoved: drop_customers,
    events.OrganizationRemoved: drop_customers,
}


def require_customers(work: UnitOfWork, facts: Facts, before: Facts | None = None) -> Facts:
    """The facts, with the survivor in the place of a customer that is newly named and was merged.

    Errors: FieldInvalid when a person or organization that a deal newly names cannot be one of contacts.
    """
    named = {
        name: getattr(facts, name)
        for name in ("person_id", "organization_id")
        if getattr(facts, name) and (before is None or getattr(before, name) != getattr(facts, name))
    }
    if not named:
        return facts
    [copy] = work.fetch(_KNOWN, {"ids": list(named.values())})
    for name, id_ in named.items():
        kind = name.removesuffix("_id")
        is_known = f"{kind}/{id_}" in copy.known
        is_gone = f"{REMOVED}/{id_}" in copy.known
        if is_gone or not is_known and not may_be_on_its_way(id_, copy.first, copy.heard_until, work.now):
            raise invalid(f"deal.{name}", f"{id_} is no {kind} that contacts has told of; choose one from the list")
    [led] = lead_customers(work, [facts])
    return led


def _note(work: UnitOfWork, kind: str, deliveries: Sequence[Any]) -> None:
    heard = {
        "ids": plain_array(one.aggregate_id for one in deliveries),
        "epochs": plain_array(str(one.epoch) for one in deliveries),
        "versions": plain_array(str(one.version) for one in deliveries),
    }
    work.run(_NOTE, {**heard, "kind": kind})
