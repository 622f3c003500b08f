"""Who belongs or belonged to organizations, with roles: the people of a page, and who stood there on a day."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from chassis import paging
from chassis.database import UnitOfWork
from chassis.dates import from_date, to_date
from chassis.errors import PageTokenInvalid
from chassis.ids import is_id
from chassis.prepared import Prepared
from contacts import lists
from contacts.errors import invalid
from contacts.tables import affiliation, organization, person
from contacts.visibility import seen_cards
from crm.contacts.v1 import contacts_pb2 as pb
from units.records import CUSTOMER
from units.visibility import Sight, sight_of

MOST_ORGANIZATIONS = 100
AFTER: dict[str, Any] = {
    "after_organization": affiliation.c.organization_id.type,
    "after_ended": sa.Boolean(),
    "after_name": sa.Text(),
    "after_id": affiliation.c.id.type,
}
ORDER = (affiliation.c.organization_id, affiliation.c.end_date.is_not(None), person.c.sort_key, affiliation.c.id)


def list_affiliations(work: UnitOfWork, request: pb.ListAffiliationsRequest) -> pb.ListAffiliationsResponse:
    """The page of memberships of visible persons in visible organizations. Errors: PageTokenInvalid, FieldInvalid."""
    size = paging.page_size(request.page_size, 100, 500)
    if not 0 < len(request.organization_ids) <= MOST_ORGANIZATIONS:
        raise invalid("organization_ids", f"has {len(request.organization_ids)} ids; name 1 to {MOST_ORGANIZATIONS}")
    question = lists.question_of("affiliations", request)
    sight, values = sight_of(work.access, CUSTOMER)
    values |= {"organizations": [one for one in request.organization_ids if is_id(one)], "size": size + 1}
    day = from_date(request.on_date, "on_date")
    after = paging.read_token(question, request.page_token)
    values |= {"day": day} if day else {}
    values |= dict(zip(AFTER, _mark(after), strict=True)) if after is not None else {}
    statement = _members(sight, request.with_role_only, day is not None, after is not None)
    rows = work.fetch(statement, values)
    token = ""
    if len(rows) > size:
        last = rows[size - 1]
        token = paging.make_token(question, [last.organization_id, last.end_date is not None, last.sort_key, last.id])
    return pb.ListAffiliationsResponse(affiliations=[_message(row) for row in rows[:size]], next_page_token=token)


@lru_cache(maxsize=64)
def _members(sight: Sight, with_role: bool, on_day: bool, further: bool) -> Prepared:
    c = affiliation.c
    joined = affiliation.join(person, person.c.id == c.person_id).join(
        organization, organization.c.id == c.organization_id
    )
    names = (person.c.display_name.label("person_name"), organization.c.display_name.label("organization_name"))
    asked = sa.bindparam("organizations", type_=sa.ARRAY(c.organization_id.type))
    where = [c.organization_id == sa.any_(asked), seen_cards(sight, person), seen_cards(sight, organization)]
    where += [c.role != ""] if with_role else []
    if on_day:
        day = sa.bindparam("day", type_=sa.Date)
        where += [sa.or_(c.start_date.is_(None), c.start_date <= day), sa.or_(c.end_date.is_(None), c.end_date > day)]
    if further:
        where.append(sa.tuple_(*ORDER) > sa.tuple_(*(sa.bindparam(name, type_=kind) for name, kind in AFTER.items())))
    found = sa.select(*c, *names, person.c.sort_key).select_from(joined).where(*where)
    return Prepared(found.order_by(*ORDER).limit(sa.bindparam("size", type_=sa.Integer)))


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
    return after
