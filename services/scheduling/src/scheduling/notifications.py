"""What a user was told of: reminders, alerts, nudges, what others gave, news of customers; read once seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.ids import is_id
from chassis.prepared import Prepared
from scheduling.errors import invalid
from scheduling.queries import get_activities
from scheduling.records import CUSTOMER_NEWS, Activity, CustomerNews, Notification
from scheduling.tables import deal, notification, organization, person, user
from units.known import visible_known
from units.records import CUSTOMER, DEAL, INTERACTION
from units.visibility import visible

MAX_AT_ONCE = 500


def list_notifications(
    work: UnitOfWork, size: int, before: str, unread: bool
) -> tuple[list[Notification], dict[str, Activity]]:
    """Up to `size` of the caller's notifications older than `before`, newest first, with the visible activities."""
    terms = [_mine(work)]
    if before:
        terms.append(notification.c.id < before)
    if unread:
        terms.append(notification.c.read_time.is_(None))
    statement = _select(work).where(*terms, _seen(work)).order_by(notification.c.id.desc()).limit(size)
    found = [_notification_of(row) for row in work.execute(statement)]
    about = get_activities(work, {one.activity_id for one in found if one.activity_id})
    return found, {one.id: one for one in about}


def mark_read(work: UnitOfWork, ids: Sequence[str]) -> int:
    """Mark notifications of the caller as read, all of them where none is named; how many are left unread.

    Errors: FieldInvalid for more than 500 and for what is no id; another user's are passed over.
    """
    if len(ids) > MAX_AT_ONCE:
        raise invalid("notification_ids", f"has {len(ids)} ids; give at most {MAX_AT_ONCE}")
    for number, one in enumerate(ids):
        if not is_id(one):
            raise invalid(f"notification_ids[{number}]", f"is {one[:60]!r}, which is no id")
    terms = [_mine(work), notification.c.read_time.is_(None)]
    if ids:
        terms.append(notification.c.id.in_(ids))
    work.execute(sa.update(notification).where(*terms).values(read_time=work.now))
    return count_unread(work)


def count_unread(work: UnitOfWork) -> int:
    """How many notifications the caller has not read, of those still to be seen."""
    user_id = work.access.user_id
    if not is_id(user_id):
        return 0
    found = work.fetch(_UNREAD, {"user_id": user_id})[0]
    if not found.news:
        return int(found.unread)
    seen = sa.select(sa.func.count()).where(_mine(work), notification.c.read_time.is_(None), _IS_NEWS, _seen(work))
    return int(found.unread) - int(found.news) + int(work.execute(seen).scalar_one())


_WHOSE = notification.c.user_id == sa.bindparam("user_id", type_=notification.c.user_id.type)
_IS_NEWS = notification.c.kind == sa.literal_column(f"'{CUSTOMER_NEWS}'")
_UNREAD = Prepared(
    sa.select(sa.func.count().label("unread"), sa.func.count().filter(_IS_NEWS).label("news")).where(
        _WHOSE, notification.c.read_time.is_(None)
    )
)


_person, _organization = person.alias("seen_person"), organization.alias("seen_organization")


def _select(work: UnitOfWork) -> sa.Select[Any]:
    """Notifications with the names known here; of a deal only what the caller may see."""
    n = notification.c
    may_see = sa.and_(deal.c.id == n.deal_id, visible_known(work.access, DEAL, deal.c.unit_ids, deal.c.owner_id))
    return sa.select(
        notification,
        user.c.display_name,
        person.c.display_name.label("person_name"),
        organization.c.display_name.label("organization_name"),
        deal.c.id.label("seen_deal_id"),
        deal.c.title.label("deal_title"),
    ).select_from(
        notification.outerjoin(user, user.c.id == n.actor_id)
        .outerjoin(person, person.c.id == n.person_id)
        .outerjoin(organization, organization.c.id == n.organization_id)
        .outerjoin(deal, may_see)
    )


def _seen(work: UnitOfWork) -> sa.ColumnElement[bool]:
    """A predicate: of what is new at customers only that whose interaction and card the caller may see by now."""
    n, access = notification.c, work.access
    # Asked card by card: a few are new, and a list of all that the caller may see would be gone through for each page.
    cards = [
        sa.exists()
        .where(table.c.id == column, visible_known(access, CUSTOMER, table.c.unit_ids, table.c.owner_id))
        .correlate(notification)
        for table, column in ((_person, n.person_id), (_organization, n.organization_id))
    ]
    return sa.or_(sa.not_(_IS_NEWS), sa.and_(visible(access, INTERACTION, n.unit_id), sa.or_(*cards)))


def _mine(work: UnitOfWork) -> sa.ColumnElement[bool]:
    user_id = work.access.user_id
    return notification.c.user_id == user_id if is_id(user_id) else sa.false()


def _notification_of(row: Any) -> Notification:
    return Notification(
        id=row.id,
        user_id=row.user_id,
        kind=row.kind,
        activity_id=row.activity_id or "",
        actor_id=row.actor_id or "",
        note=row.note,
        count=row._mapping["count"],
        create_time=row.create_time,
        read_time=row.read_time,
        actor_name=row.display_name or "",
        news=_news_of(row) if row.kind == CUSTOMER_NEWS else None,
    )


def _news_of(row: Any) -> CustomerNews:
    return CustomerNews(
        interaction_id=row.interaction_id,
        interaction_kind=row.interaction_kind,
        person_id=row.person_id or "",
        organization_id=row.organization_id or "",
        deal_id=row.seen_deal_id or "",
        person_name=row.person_name or "",
        organization_name=row.organization_name or "",
        deal_title=row.deal_title or "",
    )
