"""Who is responsible for customers: handing a user's customers over to another one, and how that changed over time."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from chassis.access import ASSIGN, READ
from chassis.database import UnitOfWork
from chassis.dates import to_time
from contacts.cards import AnyCard
from contacts.errors import OrganizationNotFound, PersonNotFound
from contacts.lists import require_seen
from contacts.queries import load_cards
from contacts.storing import update_cards
from contacts.tables import organization, person
from contacts.visibility import visible_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.merges import list_merged_into
from units.owners import HandOver, count_by_unit, list_owner_changes, read_hand_over
from units.visibility import unit_ids_below


def hand_over_customers(work: UnitOfWork, request: pb.HandOverCustomersRequest) -> pb.HandOverCustomersResponse:
    """Give customers of a user to another one, at most 500 in a call, persons first; a dry run only counts.

    Errors: FieldInvalid, UnitNotKnown.
    """
    asked = read_hand_over(work, request)
    persons = [] if request.dry_run else _hand_over(work, person, asked, asked.most)
    others = [] if request.dry_run else _hand_over(work, organization, asked, asked.most - len(persons))
    units = _count(work, asked, ASSIGN)
    left = sum(one.persons + one.organizations for one in units.values())
    seen = sum(one.persons + one.organizations for one in _count(work, asked, READ).values())
    return pb.HandOverCustomersResponse(
        persons=len(persons),
        organizations=len(others),
        remaining=left,
        not_allowed=seen - left,
        units=sorted(units.values(), key=lambda one: one.unit_id),
    )


def list_owner_changes_of_customer(
    work: UnitOfWork, request: pb.GetCustomerOwnerHistoryRequest
) -> pb.GetCustomerOwnerHistoryResponse:
    """How the responsible user of a card, and of those merged into it, changed, newest first.

    Errors: PersonNotFound, OrganizationNotFound.
    """
    card_id = request.organization_id or request.person_id
    if request.organization_id:
        card_id = require_seen(work, organization, card_id, OrganizationNotFound(card_id))
    else:
        card_id = require_seen(work, person, card_id, PersonNotFound(card_id))
    changes = [
        pb.CustomerOwnerChange(
            from_owner_id=one.from_id,
            to_owner_id=one.to_id,
            change_time=to_time(one.change_time),
            changer_id=one.changer_id,
            note=one.note,
        )
        for one in list_owner_changes(work, card_id, *list_merged_into(work, card_id))
    ]
    return pb.GetCustomerOwnerHistoryResponse(changes=changes)


def _hand_over(work: UnitOfWork, table: sa.Table, asked: HandOver, most: int) -> Sequence[AnyCard]:
    wanted = _theirs(work, table, asked, ASSIGN)
    found = list(work.execute(sa.select(table.c.id).where(*wanted).order_by(table.c.id).limit(most)).scalars())
    cards = [card for card in load_cards(work, table, found).values() if card.owner_id == asked.from_id]
    for card in cards:
        card.owner_id = asked.to_id
    update_cards(work, [(card, ["owner_id"]) for card in cards], asked.note)
    return cards


def _theirs(work: UnitOfWork, table: sa.Table, asked: HandOver, action: str) -> list[sa.ColumnElement[bool]]:
    """Cards of that user with which the caller may do this; in a unit are those whose home it is."""
    of_user = [visible_cards(work.access, table, action)]
    if asked.from_id:
        of_user.append(table.c.owner_id == asked.from_id)
    return of_user if asked.path is None else [*of_user, table.c.unit_id.in_(unit_ids_below(asked.path))]


def _count(work: UnitOfWork, asked: HandOver, action: str) -> dict[str, pb.CustomersOfUnit]:
    counts: dict[str, pb.CustomersOfUnit] = {}
    for name, table in (("persons", person), ("organizations", organization)):
        found = count_by_unit(work, table.c.unit_id, *_theirs(work, table, asked, action))
        for unit_id, cards in found.items():
            setattr(counts.setdefault(unit_id, pb.CustomersOfUnit(unit_id=unit_id)), name, cards)
    return counts
