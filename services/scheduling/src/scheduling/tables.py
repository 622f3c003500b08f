"""The tables of scheduling; the only place where column names are written."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

metadata = sa.MetaData()
TIME = sa.TIMESTAMP(timezone=True)
IDS = ARRAY(UUID(as_uuid=False))


def _id(name: str, *, key: bool = False, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UUID(as_uuid=False), primary_key=key, nullable=not (key or required))


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _time(name: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TIME, nullable=not required)


def _number(name: str, kind: Any = sa.Integer) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _where(text: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(text)}


# start_time and stop_time follow from the due columns and stand here for the indexes: the moment or the begin of the
# day, and the end or the begin of the next day; year 9999 where there is no time. An open activity is
# overdue from stop_time on; lapse_time is the same moment until the alert has come.
activity = sa.Table(
    "activity",
    metadata,
    _id("id", key=True),
    _number("version", sa.BigInteger),
    _number("revision", sa.BigInteger),
    _text("kind"),
    _text("state"),
    _text("subject"),
    _text("description"),
    _id("unit_id", required=True),
    _id("owner_id", required=True),
    sa.Column("participant_user_ids", IDS, nullable=False),
    sa.Column("participant_person_ids", IDS, nullable=False),
    _time("due_time"),
    sa.Column("due_date", sa.Date),
    _time("end_time"),
    _text("time_zone"),
    _time("start_time", required=True),
    _time("stop_time", required=True),
    _id("person_id"),
    _id("organization_id"),
    _id("deal_id"),
    _text("priority"),
    _number("reminder_minutes"),
    sa.Column("repeat_every", sa.Integer),
    sa.Column("repeat_unit", sa.Text),
    sa.Column("repeat_until", sa.Date),
    sa.Column("repeat_count", sa.Integer),
    _id("series_id"),
    _number("occurrence"),
    sa.Column("first_local", sa.TIMESTAMP(timezone=False)),
    _text("waiting_side"),
    _id("waiting_user_id"),
    _text("waiting_note"),
    _time("waiting_time", required=True),
    _text("outcome"),
    _text("summary"),
    _time("close_time"),
    _id("closer_id"),
    _time("remind_time"),
    _time("lapse_time"),
    _id("creator_id"),
    _time("create_time", required=True),
    _time("update_time", required=True),
    sa.CheckConstraint("kind IN ('task','call','meeting')", name="activity_kind"),
    sa.CheckConstraint("state IN ('open','done','cancelled')", name="activity_state"),
    sa.CheckConstraint("(state = 'open') = (close_time IS NULL)", name="activity_closed_has_time"),
    sa.CheckConstraint("state = 'open' OR coalesce(remind_time, lapse_time) IS NULL", name="activity_closed_is_mute"),
    sa.CheckConstraint("due_time IS NULL OR due_date IS NULL", name="activity_time_or_day"),
    sa.CheckConstraint("(repeat_every IS NULL) OR (series_id IS NOT NULL)", name="activity_repeats_in_series"),
    sa.Index("activity_owner", "owner_id", "state", "start_time", "id"),
    sa.Index("activity_unit", "unit_id", "state", "start_time", "id"),
    sa.Index("activity_person", "person_id", "start_time", "id", **_where("person_id IS NOT NULL")),
    sa.Index("activity_organization", "organization_id", "start_time", "id", **_where("organization_id IS NOT NULL")),
    sa.Index("activity_deal", "deal_id", "start_time", "id", **_where("deal_id IS NOT NULL")),
    sa.Index("activity_waiting", "waiting_user_id", "waiting_time", "id", **_where("waiting_side = 'user'")),
    sa.Index("activity_closer", "closer_id", "close_time", **_where("state = 'done'")),
    sa.Index("activity_creator", "creator_id", "start_time", "id"),
    sa.Index("activity_guest", "participant_user_ids", postgresql_using="gin"),
    sa.Index("activity_guest_person", "participant_person_ids", postgresql_using="gin"),
    sa.Index("activity_remind", "remind_time", **_where("remind_time IS NOT NULL")),
    sa.Index("activity_lapse", "lapse_time", **_where("lapse_time IS NOT NULL")),
    # What makes the next occurrence come exactly once, whoever closes this one how often.
    sa.Index("activity_series", "series_id", "occurrence", unique=True, **_where("series_id IS NOT NULL")),
)

activity_change = sa.Table(
    "activity_change",
    metadata,
    sa.Column("activity_id", UUID(as_uuid=False), sa.ForeignKey("activity.id"), nullable=False),
    _number("version", sa.BigInteger),
    _time("change_time", required=True),
    _text("user_id"),
    _text("change"),
    sa.Column("changed_fields", ARRAY(sa.Text), nullable=False),
    _id("owner_id", required=True),
    _text("waiting_side"),
    _id("waiting_user_id"),
    _text("state"),
    _text("note"),
    _time("due_time"),
    sa.PrimaryKeyConstraint("activity_id", "version"),
)

notification = sa.Table(
    "notification",
    metadata,
    _id("id", key=True),
    _id("user_id", required=True),
    _text("kind"),
    _id("activity_id"),
    _id("actor_id"),
    _text("note"),
    _number("count"),
    _time("create_time", required=True),
    _time("read_time"),
    # What is new at a customer: filled for this kind only. `customer_id` is the person, else the organization.
    _id("customer_id"),
    _id("interaction_id"),
    sa.Column("interaction_kind", sa.Text),
    _id("person_id"),
    _id("organization_id"),
    _id("deal_id"),
    _id("unit_id"),
    sa.CheckConstraint("kind IN ('reminder','overdue','nudge','assigned','customer_news')", name="notification_kind"),
    sa.CheckConstraint("(kind = 'customer_news') = (activity_id IS NULL)", name="notification_is_about_something"),
    sa.Index("notification_user", "user_id", "id"),
    sa.Index("notification_unread", "user_id", "id", **_where("read_time IS NULL")),
    # What makes one unread line of all that is new at a customer.
    sa.Index(
        "notification_customer",
        "user_id",
        "customer_id",
        unique=True,
        **_where("kind = 'customer_news' AND read_time IS NULL"),
    ),
)

# Interactions of the last days, of which those who work on the customer's open deals are told: not a copy of what
# contacts owns but work to be done, looked at several times since news of deals and cards may come later.
interaction = sa.Table(
    "interaction",
    metadata,
    _id("id", key=True),
    _text("kind"),
    _id("author_id"),
    _id("unit_id", required=True),
    _id("person_id"),
    _id("organization_id"),
    _time("occur_time", required=True),
    _time("create_time", required=True),
    _number("look_count"),
    _time("look_time"),
    sa.Column("told_user_ids", IDS, nullable=False),
    sa.Index("interaction_look", "look_time", **_where("look_time IS NOT NULL")),
    sa.Index("interaction_occur", "occur_time"),
)

absence = sa.Table(
    "absence",
    metadata,
    _id("id", key=True),
    _number("version", sa.BigInteger),
    _id("user_id", required=True),
    _id("unit_id", required=True),
    sa.Column("start_date", sa.Date, nullable=False),
    sa.Column("end_date", sa.Date, nullable=False),
    _text("reason"),
    sa.CheckConstraint("start_date < end_date", name="absence_period"),
    sa.Index("absence_user", "user_id", "end_date"),
    sa.Index("absence_unit", "unit_id", "end_date"),
)

# `hours` are the stretches of work as [weekday, start, end], in minutes after midnight. A unit without a row works as
# the nearest unit above it that has one.
working_week = sa.Table(
    "working_week",
    metadata,
    _id("id", key=True),
    _number("version", sa.BigInteger),
    _id("unit_id", required=True),
    sa.Column("hours", JSONB, nullable=False),
    sa.UniqueConstraint("unit_id", name="working_week_unit"),
)

holiday = sa.Table(
    "holiday",
    metadata,
    _id("id", key=True),
    _number("version", sa.BigInteger),
    _id("unit_id", required=True),
    sa.Column("day", sa.Date, nullable=False),
    _text("name"),
    sa.Column("works", sa.Boolean, nullable=False),
    sa.UniqueConstraint("unit_id", "day", name="holiday_unit_day"),
)


def _state() -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Which state of somebody else's aggregate a row shows: only a greater (epoch, version) replaces it."""
    return _number("epoch"), _number("version", sa.BigInteger)


# Copies of what others own, filled from their events only; links may point to what has not arrived.
user = sa.Table(
    "user",
    metadata,
    _id("id", key=True),
    _text("display_name"),
    _id("unit_id"),
    *_state(),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
)

person = sa.Table(
    "person",
    metadata,
    _id("id", key=True),
    _text("display_name"),
    _id("owner_id"),
    sa.Column("unit_ids", IDS, nullable=False),
    sa.Column("organization_ids", IDS, nullable=False, server_default="{}"),
    *_state(),
)

organization = sa.Table(
    "organization",
    metadata,
    _id("id", key=True),
    _text("display_name"),
    _id("owner_id"),
    sa.Column("unit_ids", IDS, nullable=False),
    *_state(),
)

deal = sa.Table(
    "deal",
    metadata,
    _id("id", key=True),
    _text("title"),
    _id("owner_id"),
    sa.Column("unit_ids", IDS, nullable=False),
    _text("status"),
    _id("person_id"),
    _id("organization_id"),
    _time("create_time"),
    *_state(),
    sa.Index("deal_person", "person_id", **_where("status = 'open'")),
    sa.Index("deal_organization", "organization_id", **_where("status = 'open'")),
)
