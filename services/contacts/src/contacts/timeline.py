"""The line of time of a person, an organization, an author or a unit: a page of its interactions, newest first.

An organization's line has its own interactions and those with its members on days they were members, by the calendar of
the unit each was had for; one that names another organization belongs there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from chassis import paging
from chassis.database import UnitOfWork
from chassis.errors import PageTokenInvalid
from chassis.ids import is_id
from contacts import lists
from contacts.errors import OrganizationNotFound, PersonNotFound, invalid
from contacts.fields import read_moment
from contacts.interactions import KINDS, interaction_message
from contacts.tables import affiliation, interaction, organization, person
from crm.contacts.v1 import contacts_pb2 as pb
from units.tables import unit
from units.visibility import get_unit, unit_ids_below, visible

MOST = 200


def list_interactions(work: UnitOfWork, request: pb.ListInteractionsRequest) -> pb.ListInteractionsResponse:
    """The page of interactions.

    Errors: PersonNotFound, OrganizationNotFound, PageTokenInvalid, FieldInvalid, UnitNotKnown.
    """
    size = paging.page_size(request.page_size, 50, MOST)
    if request.person_id and request.organization_id:
        raise invalid("person_id", "and organization_id: give one of them", "MISSING")
    if not (request.person_id or request.organization_id or request.author_id or request.unit_id):
        raise invalid("person_id", "is empty; name a person, an organization, an author or a unit", "MISSING")
    question = lists.question_of("interactions", request)
    where = [visible(work.access, interaction.c.unit_id, interaction.c.author_id), *_wanted(work, request)]
    after = paging.read_token(question, request.page_token)
    if after is not None:
        where.append(sa.tuple_(interaction.c.occur_time, interaction.c.id) < sa.tuple_(*_mark(after)))
    rows = work.execute(_page(work, request, where, size + 1)).mappings().all()
    token = ""
    if len(rows) > size:
        last = rows[size - 1]
        token = paging.make_token(question, [last["occur_time"].isoformat(), last["id"]])
    return pb.ListInteractionsResponse(
        interactions=[interaction_message(row) for row in rows[:size]], next_page_token=token
    )


def _wanted(work: UnitOfWork, request: pb.ListInteractionsRequest) -> list[sa.ColumnElement[bool]]:
    """What the request narrows the line to. Errors: FieldInvalid, UnitNotKnown."""
    where: list[sa.ColumnElement[bool]] = []
    if request.kind:
        where.append(interaction.c.kind == KINDS.get(request.kind, ""))
    if request.author_id:
        lists.check_id("author_id", request.author_id)
        where.append(interaction.c.author_id == request.author_id)
    if request.unit_id:
        where.append(interaction.c.unit_id.in_(unit_ids_below(get_unit(work, request.unit_id).path)))
    if request.HasField("occur_from_time"):
        where.append(interaction.c.occur_time >= read_moment("occur_from_time", request.occur_from_time))
    if request.HasField("occur_before_time"):
        where.append(interaction.c.occur_time < read_moment("occur_before_time", request.occur_before_time))
    return where


def _page(work: UnitOfWork, request: pb.ListInteractionsRequest, where: list[Any], limit: int) -> sa.Select[Any]:
    if request.person_id:
        lists.read_one(work, person, request.person_id, PersonNotFound(request.person_id))
        return _newest(sa.select(interaction).where(interaction.c.person_id == request.person_id, *where), limit)
    if not request.organization_id:
        return _newest(sa.select(interaction).where(*where), limit)
    lists.read_one(work, organization, request.organization_id, OrganizationNotFound(request.organization_id))
    own = _newest(
        sa.select(interaction).where(interaction.c.organization_id == request.organization_id, *where), limit
    ).subquery()
    both = sa.union(sa.select(own), sa.select(_of_members(request.organization_id, where, limit))).subquery()
    return sa.select(both).order_by(both.c.occur_time.desc(), both.c.id.desc()).limit(limit)


def _of_members(organization_id: str, where: list[Any], limit: int) -> sa.Subquery:
    """The newest of each membership: one index walk a member, bounded by the page."""
    member = sa.select(affiliation).where(affiliation.c.organization_id == organization_id).subquery("member")
    zone = sa.func.coalesce(sa.func.nullif(unit.c.time_zone, ""), "UTC")
    day = sa.cast(sa.func.timezone(zone, interaction.c.occur_time), sa.Date)
    inside = (
        sa.select(interaction)
        .outerjoin(unit, unit.c.id == interaction.c.unit_id)
        .where(
            interaction.c.person_id == member.c.person_id,
            interaction.c.organization_id.is_(None),
            sa.or_(member.c.start_date.is_(None), day >= member.c.start_date),
            sa.or_(member.c.end_date.is_(None), day < member.c.end_date),
            *where,
        )
    )
    newest = _newest(inside, limit).correlate(member).lateral("had")
    return sa.select(newest).select_from(member.join(newest, sa.true())).subquery()


def _newest(statement: sa.Select[Any], limit: int) -> sa.Select[Any]:
    return statement.order_by(interaction.c.occur_time.desc(), interaction.c.id.desc()).limit(limit)


def _mark(after: list[Any]) -> tuple[Any, Any]:
    try:
        moment, interaction_id = datetime.fromisoformat(after[0]), str(after[1])
    except (ValueError, TypeError, IndexError):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again") from None
    if not is_id(interaction_id) or moment.tzinfo is None:
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    return sa.literal(moment, interaction.c.occur_time.type), sa.literal(interaction_id, interaction.c.id.type)
