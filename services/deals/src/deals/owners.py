"""Who is responsible for deals: handing a user's open deals over to another one, and how that changed over time."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.access import ASSIGN, READ
from chassis.database import UnitOfWork
from chassis.dates import to_time
from crm.deals.v1 import deals_pb2 as pb
from deals.assigning import give_deals
from deals.queries import get_deal, lock_deals
from deals.records import OPEN
from deals.tables import deal
from units.owners import HandOver, count_by_unit, list_owner_changes, read_hand_over
from units.records import DEAL
from units.visibility import unit_ids_below, visible


def hand_over_deals(work: UnitOfWork, request: pb.HandOverDealsRequest) -> pb.HandOverDealsResponse:
    """Give open deals of a user to another one, at most 500 in a call; a dry run only counts.

    Errors: FieldInvalid, UnitNotKnown.
    """
    asked = read_hand_over(work, request)
    handed = 0 if request.dry_run else _hand_over(work, asked)
    units = _count(work, asked, ASSIGN)
    left = sum(units.values())
    return pb.HandOverDealsResponse(
        deals=handed,
        remaining=left,
        not_allowed=sum(_count(work, asked, READ).values()) - left,
        units=[pb.DealsOfUnit(unit_id=unit_id, deals=count) for unit_id, count in sorted(units.items())],
    )


def list_owner_changes_of_deal(
    work: UnitOfWork, request: pb.GetDealOwnerHistoryRequest
) -> pb.GetDealOwnerHistoryResponse:
    """How the responsible user of a deal changed, newest first. Errors: DealNotFound."""
    known = get_deal(work, request.deal_id)
    changes = [
        pb.DealOwnerChange(
            from_owner_id=one.from_id,
            to_owner_id=one.to_id,
            change_time=to_time(one.change_time),
            changer_id=one.changer_id,
            note=one.note,
        )
        for one in list_owner_changes(work, known.id)
    ]
    return pb.GetDealOwnerHistoryResponse(changes=changes)


def _hand_over(work: UnitOfWork, asked: HandOver) -> int:
    wanted = sa.select(deal.c.id).where(*_theirs(work, asked, ASSIGN)).order_by(deal.c.id).limit(asked.most)
    locked = lock_deals(work, list(work.execute(wanted).scalars()))
    theirs = [(one, path) for one, path in locked.values() if one.facts.owner_id == asked.from_id]
    give_deals(work, [(one, path, asked.to_id) for one, path in theirs], asked.note)
    return len(theirs)


def _theirs(work: UnitOfWork, asked: HandOver, action: str) -> list[sa.ColumnElement[bool]]:
    """Open deals of that user with which the caller may do this."""
    may = visible(work.access, DEAL, deal.c.unit_id, deal.c.owner_id, action)
    of_user = [*([deal.c.owner_id == asked.from_id] if asked.from_id else []), deal.c.status == OPEN, may]
    return of_user if asked.path is None else [*of_user, deal.c.unit_id.in_(unit_ids_below(asked.path))]


def _count(work: UnitOfWork, asked: HandOver, action: str) -> dict[str, int]:
    return count_by_unit(work, deal.c.unit_id, *_theirs(work, asked, action))
