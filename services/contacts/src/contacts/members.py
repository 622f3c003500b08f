"""Who belongs or belonged to organizations, with roles: the people of a page, and who stood there on a day."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis import paging
from chassis.database import UnitOfWork
from chassis.dates import from_date, to_date
from chassis.errors import PageTokenInvalid
from chassis.ids import is_id
from contacts import lists
from contacts.errors import invalid
from contacts.queries import ids
from contacts.tables import affiliation, organization, person
from contacts.visibility import visible_cards
from crm.contacts.v1 import contacts_pb2 as pb

MOST_ORGANIZATIONS = 100
ORDER = (affiliation.c.organization_id, affiliation.c.end_date.is_not(None), person.c.sort_key, affiliation.c.id)


def list_affiliations(work: UnitOfWork, request: pb.ListAffiliationsRequest) -> pb.ListAffiliationsResponse:
    """The page of memberships of visible persons in visible organizations. Errors: PageTokenInvalid, FieldInvalid."""
    size = paging.page_size(request.page_size, 100, 500)
    if not 0 < len(request.organization_ids) <= MOST_ORGANIZATIONS:
        raise invalid("organization_ids", f"has {len(request.organization_ids)} ids; name 1 to {MOST_ORGANIZATIONS}")
    question = lists.question_of("affiliations", request)
    statement = _members(work, request)
    after = paging.read_token(question, request.page_token)
    if after is not None:
        statement = statement.where(sa.tuple_(*ORDER) > sa.tuple_(*_mark(after)))
    rows = work.execute(statement.order_by(*ORDER).limit(size + 1)).all()
    token = ""
    if len(rows) > size:
        last = rows[size - 1]
        token = paging.make_token(question, [last.organization_id, last.end_date is not None, last.sort_key, last.id])
    return pb.ListAffiliationsResponse(affiliations=[_message(row) for row in rows[:size]], next_page_token=token)


def _members(work: UnitOfWork, request: pb.ListAffiliationsRequest) -> sa.Select[Any]:
    c = affiliation.c
    joined = affiliation.join(person, person.c.id == c.person_id).join(
        organization, organization.c.id == c.organization_id
    )
    names = (person.c.display_name.label("person_name"), organization.c.display_name.label("organization_name"))
    statement = (
        sa.select(*c, *names, person.c.sort_key)
        .select_from(joined)
        .where(
            c.organization_id == sa.any_(ids(request.organization_ids)),
            visible_cards(work.access, person),
            visible_cards(work.access, organization),
        )
    )
    if request.with_role_only:
        statement = statement.where(c.role != "")
    day = from_date(request.on_date, "on_date")
    if day is not None:
        begun = sa.or_(c.start_date.is_(None), c.start_date <= day)
        statement = statement.where(begun, sa.or_(c.end_date.is_(None), c.end_date > day))
    return statement


def _message(row: Any) -> pb.Affiliation:
    return pb.Affiliation(
        id=row.id,
        person_id=row.person_id,
        person_name=row.person_name,
        organization_id=row.organization_id,
        organization_name=row.organization_name,
        role=row.role,
        start_date=to_date(row.start_date),
        end_date=to_date(row.end_date),
    )


def _mark(after: list[Any]) -> list[Any]:
    fits = len(after) == 4 and is_id(str(after[0])) and isinstance(after[1], bool) and is_id(str(after[3]))
    if not fits or not isinstance(after[2], str) or "\x00" in after[2]:
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    types: tuple[Any, ...] = (affiliation.c.organization_id.type, sa.Boolean(), sa.Text(), affiliation.c.id.type)
    return [sa.literal(value, kind) for value, kind in zip(after, types, strict=True)]
