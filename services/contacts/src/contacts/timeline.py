"""The line of time of a person, an organization, an author or a unit: a page of its interactions, newest first.

An organization's line has its own interactions and those with its members on days they were members, by the calendar of
the unit each was had for; one that names another organization belongs there.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from chassis import paging
from chassis.database import UnitOfWork
from chassis.errors import PageTokenInvalid
from chassis.ids import is_id
from chassis.prepared import Prepared
from contacts import lists
from contacts.errors import OrganizationNotFound, PersonNotFound, invalid
from contacts.fields import read_moment
from contacts.interactions import KINDS, interaction_message
from contacts.tables import affiliation, interaction, organization, person
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import INTERACTION
from units.tables import unit
from units.visibility import Sight, get_unit, seen_in, sight_of, unit_ids_under

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
    sight, values = sight_of(work.access, INTERACTION)
    values |= {"size": size + 1, **_wanted(work, request), **_read_customer(work, request)}
    after = paging.read_token(question, request.page_token)
    if after is not None:
        values["after_time"], values["after_id"] = _mark(after)
    asked = frozenset(name for name in values if name in CONDITIONS or name in TARGETS)
    rows = [row._asdict() for row in work.fetch(_page(sight, asked), values)]
    token = ""
    if len(rows) > size:
        last = rows[size - 1]
        token = paging.make_token(question, [last["occur_time"].isoformat(), last["id"]])
    return pb.ListInteractionsResponse(
        interactions=[interaction_message(row) for row in rows[:size]], next_page_token=token
    )


def _wanted(work: UnitOfWork, request: pb.ListInteractionsRequest) -> dict[str, Any]:
    """What the line is narrowed to, by the names of CONDITIONS. Errors: FieldInvalid, UnitNotKnown."""
    wanted: dict[str, Any] = {}
    if request.kind:
        wanted["kind"] = KINDS.get(request.kind, "")
    if request.author_id:
        lists.check_id("author_id", request.author_id)
        wanted["author_id"] = request.author_id
    if request.unit_id:
        wanted["paths"] = [get_unit(work, request.unit_id).path]
    if request.HasField("occur_from_time"):
        wanted["from_time"] = read_moment("occur_from_time", request.occur_from_time)
    if request.HasField("occur_before_time"):
        wanted["before_time"] = read_moment("occur_before_time", request.occur_before_time)
    return wanted


def _read_customer(work: UnitOfWork, request: pb.ListInteractionsRequest) -> dict[str, str]:
    """Whose interactions are asked for, by the name of its target. Errors: PersonNotFound, OrganizationNotFound."""
    person_id, organization_id = request.person_id, request.organization_id
    if person_id:
        return {"person_id": lists.require_seen(work, person, person_id, PersonNotFound(person_id))}
    if organization_id:
        missing = OrganizationNotFound(organization_id)
        return {"organization_id": lists.require_seen(work, organization, organization_id, missing)}
    return {}


def _bound(name: str, column: sa.ColumnElement[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=column.type)


_C = interaction.c
TARGETS = ("person_id", "organization_id")
CONDITIONS: dict[str, sa.ColumnElement[bool]] = {
    "kind": _C.kind == _bound("kind", _C.kind),
    "author_id": _C.author_id == _bound("author_id", _C.author_id),
    "paths": _C.unit_id.in_(unit_ids_under("paths")),
    "from_time": _C.occur_time >= _bound("from_time", _C.occur_time),
    "before_time": _C.occur_time < _bound("before_time", _C.occur_time),
    "after_time": sa.tuple_(_C.occur_time, _C.id)
    < sa.tuple_(_bound("after_time", _C.occur_time), _bound("after_id", _C.id)),
}
_SIZE: sa.BindParameter[int] = sa.bindparam("size", type_=sa.Integer)


@lru_cache(maxsize=256)
def _page(sight: Sight, asked: frozenset[str]) -> Prepared:
    """The statement for a line narrowed by what is asked."""
    where = [seen_in(sight, _C.unit_id, _C.author_id), *(CONDITIONS[name] for name in CONDITIONS if name in asked)]
    for name in TARGETS:
        if name in asked:
            where_of = [_C[name] == _bound(name, _C[name]), *where]
            own = _newest(sa.select(interaction).where(*where_of))
            return Prepared(own if name == "person_id" else _with_members(own.subquery(), where))
    return Prepared(_newest(sa.select(interaction).where(*where)))


def _with_members(own: sa.Subquery, where: list[Any]) -> sa.Select[Any]:
    both = sa.union(sa.select(own), sa.select(_of_members(where))).subquery()
    return sa.select(both).order_by(both.c.occur_time.desc(), both.c.id.desc()).limit(_SIZE)


def _of_members(where: list[Any]) -> sa.Subquery:
    """The newest of each membership: one index walk a member, bounded by the page."""
    belongs = affiliation.c.organization_id == _bound("organization_id", affiliation.c.organization_id)
    member = sa.select(affiliation).where(belongs).subquery("member")
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
    newest = _newest(inside).correlate(member).lateral("had")
    return sa.select(newest).select_from(member.join(newest, sa.true())).subquery()


def _newest(statement: sa.Select[Any]) -> sa.Select[Any]:
    return statement.order_by(interaction.c.occur_time.desc(), interaction.c.id.desc()).limit(_SIZE)


def _mark(after: list[Any]) -> tuple[datetime, str]:
    try:
        moment, interaction_id = datetime.fromisoformat(after[0]), str(after[1])
    except (ValueError, TypeError, IndexError):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again") from None
    if not is_id(interaction_id) or moment.tzinfo is None:
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    return moment, interaction_id
