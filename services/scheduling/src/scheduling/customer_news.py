"""Telling those who work on a customer's open deals that somebody was in touch with that customer.

What is new is noted as it arrives, and looked at by a timer: at once, and again after a minute, ten, and so on, since
news of the deal, of the card or of who works where may come later than that of the interaction. The row of an
interaction keeps whom it was told to, and is locked while it is looked at: nobody is told twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Database, UnitOfWork
from chassis.ids import is_id, new_id
from chassis.projection import Delivered
from scheduling.events import tell_news
from scheduling.queries import paths_of
from scheduling.records import CUSTOMER_NEWS, OPEN
from scheduling.tables import IDS, activity, deal, interaction, notification, person

NEWEST = timedelta(days=2)  # what took place earlier is history, which is read and not rung
LOOKS = 5  # after 0, 1, 10, 100 and 1,000 minutes: within NEWEST
MAX_AT_ONCE = 500  # rows of one transaction


def note_interactions(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of InteractionLogged: what is new and no row of a file waits to be told; what is past is let go."""
    told = [one.message.interaction for one in deliveries]
    first = work.now - NEWEST
    new = {one.id: one for one in told if not one.run_id and one.HasField("create_time") and _occurred(one) >= first}
    if not new:
        return
    work.execute(sa.delete(interaction).where(interaction.c.occur_time < first))
    work.execute(insert(interaction).on_conflict_do_nothing(), [_row(new[key], work.now) for key in sorted(new)])


def tell_customer_news(database: Database) -> int:
    """Tell everything that waits; how many users were told of an interaction."""
    told = 0
    while True:
        with database.transaction() as work:
            looked, count = _tell_some(work)
        told += count
        if looked < MAX_AT_ONCE:
            return told


def _tell_some(work: UnitOfWork) -> tuple[int, int]:
    looked = {one.id: one for one in _claim(work)}
    rows = list(work.execute(_parts(list(looked)))) if looked else []
    if not rows:
        return len(looked), 0
    users: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        users[row.id].append(row.user_id)
    _keep_told(work, rows)
    _add_lines(work, [(looked[row.id], row.user_id, row.deal_id) for row in rows])
    paths = paths_of(work, {looked[key].unit_id for key in users})
    for key, told in users.items():
        tell_news(work, looked[key], paths.get(looked[key].unit_id, ""), told)
    return len(looked), len(rows)


def _claim(work: UnitOfWork) -> Sequence[Any]:
    """Take the interactions whose look has come, and say when the next one is: one statement."""
    c = interaction.c
    due = (
        sa.select(c.id)
        .where(c.look_time <= work.now)
        .order_by(c.look_time)
        .limit(MAX_AT_ONCE)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    waits = sa.func.make_interval(0, 0, 0, 0, 0, sa.cast(sa.func.power(10, c.look_count), sa.Integer))
    later = sa.case((c.look_count + 1 < LOOKS, sa.cast(work.now, c.look_time.type) + waits))
    claim = sa.update(interaction).where(c.id == due.c.id).values(look_count=c.look_count + 1, look_time=later)
    return work.execute(claim.returning(*c)).all()


def _parts(ids: Sequence[str]) -> sa.Select[Any]:
    """Who has a part in open deals with the customer and is yet to be told: interaction, user and one of the deals.

    A part has the owner of a deal, and whoever does or takes part in an open activity of it; never the author.
    """
    found = _deals_with_customer(ids).cte("found")
    guests = sa.func.unnest(sa.func.array_append(activity.c.participant_user_ids, activity.c.owner_id))
    working = sa.select(found.c.id, found.c.deal_id, guests.label("user_id")).join(
        activity, sa.and_(activity.c.deal_id == found.c.deal_id, activity.c.state == OPEN)
    )
    owning = sa.select(found.c.id, found.c.deal_id, found.c.owner_id.label("user_id"))
    part = sa.union_all(owning, working).subquery("part")
    c, user_id = interaction.c, part.c.user_id
    return (
        sa.select(part.c.id, user_id, sa.func.min(sa.cast(part.c.deal_id, sa.Text)).label("deal_id"))
        .join(interaction, c.id == part.c.id)
        .where(user_id.is_not(None), user_id.is_distinct_from(c.author_id), user_id != sa.all_(c.told_user_ids))
        .group_by(part.c.id, user_id)
        .order_by(part.c.id, user_id)
    )


def _deals_with_customer(ids: Sequence[str]) -> sa.CompoundSelect[Any]:
    """The open deals with whom the interactions were had: the person, the organization, or where the person works."""
    c = interaction.c
    columns = (c.id, deal.c.id.label("deal_id"), deal.c.owner_id)
    before = sa.or_(deal.c.create_time.is_(None), deal.c.create_time <= c.create_time)
    # 'open' is written into the statement, as the indexes have it.
    is_open = deal.c.status == sa.literal_column("'open'")
    asked = sa.and_(c.id == sa.any_(sa.cast(list(ids), IDS)), is_open, before)
    theirs = sa.select(*columns).join(deal, deal.c.person_id == c.person_id).where(asked)
    its = sa.select(*columns).join(deal, deal.c.organization_id == c.organization_id).where(asked)
    works_there = (
        sa.select(*columns)
        .select_from(interaction.join(person, person.c.id == c.person_id))
        .join(deal, deal.c.organization_id == sa.any_(person.c.organization_ids))
        .where(asked)
    )
    return sa.union(theirs, its, works_there)


def _keep_told(work: UnitOfWork, rows: Sequence[Any]) -> None:
    told = sa.func.unnest(sa.cast([row.id for row in rows], IDS), sa.cast([row.user_id for row in rows], IDS))
    pairs = told.table_valued(sa.column("id", IDS.item_type), sa.column("user_id", IDS.item_type), name="told")
    pairs = pairs.render_derived()
    users = sa.select(pairs.c.id, sa.func.array_agg(pairs.c.user_id).label("user_ids")).group_by(pairs.c.id).subquery()
    c = interaction.c
    work.execute(
        sa.update(interaction).where(c.id == users.c.id).values(told_user_ids=c.told_user_ids + users.c.user_ids)
    )


def _add_lines(work: UnitOfWork, told: Sequence[tuple[Any, str, str]]) -> None:
    """One line a user and customer: an unread one is counted up, shows the newest, and comes first again."""
    lines: dict[tuple[str, str], dict[str, Any]] = {}
    for one, user_id, deal_id in sorted(told, key=lambda each: (each[1], each[0].occur_time, each[0].id)):
        customer_id = one.person_id or one.organization_id
        known = lines.get((user_id, customer_id))
        lines[user_id, customer_id] = _line(work, one, user_id, deal_id, known["count"] if known else 0)
    statement = insert(notification)
    new = statement.excluded
    replaced = {name: new[name] for name in _NEWEST} | {"count": notification.c["count"] + new["count"]}
    statement = statement.on_conflict_do_update(
        index_elements=["user_id", "customer_id"],
        index_where=sa.text("kind = 'customer_news' AND read_time IS NULL"),
        set_=replaced,
    )
    work.execute(statement, [lines[key] for key in sorted(lines)])


_NEWEST = (
    "id", "actor_id", "create_time", "interaction_id", "interaction_kind", "person_id", "organization_id", "deal_id",
    "unit_id",
)  # fmt: skip


def _line(work: UnitOfWork, one: Any, user_id: str, deal_id: str, before: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "user_id": user_id,
        "kind": CUSTOMER_NEWS,
        "actor_id": one.author_id,
        "note": "",
        "count": before + 1,
        "create_time": work.now,
        "customer_id": one.person_id or one.organization_id,
        "interaction_id": one.id,
        "interaction_kind": one.kind,
        "person_id": one.person_id,
        "organization_id": one.organization_id,
        "deal_id": deal_id,
        "unit_id": one.unit_id,
    }


def _row(one: Any, now: datetime) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "author_id": one.author_id if is_id(one.author_id) else None,
        "unit_id": one.unit_id,
        "person_id": one.person_id or None,
        "organization_id": one.organization_id or None,
        "occur_time": _occurred(one),
        "create_time": one.create_time.ToDatetime(UTC),
        "look_count": 0,
        "look_time": now,
        "told_user_ids": [],
    }


def _occurred(one: Any) -> datetime:
    moment: datetime = one.occur_time.ToDatetime(UTC)
    return moment
