"""Reporting's read models, filled from events only, and the monthly rollups kept beside the deals."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

metadata = sa.MetaData()


def _id(name: str, *, key: bool = False, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UUID(as_uuid=False), primary_key=key, nullable=not (key or required))


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def _amount(name: str = "amount") -> sa.Column[Any]:
    return sa.Column(name, sa.Numeric(20, 6))


def _sum(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Numeric(30, 6), nullable=False)  # a million of the largest amounts still fit


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _state() -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Which state of the aggregate a row shows: only a greater (epoch, version) replaces it."""
    return sa.Column("epoch", sa.Integer, nullable=False), sa.Column("version", sa.BigInteger, nullable=False)


user = sa.Table("user", metadata, _id("id", key=True), _text("display_name"), *_state())

position = sa.Table(
    "position",
    metadata,
    _id("id", key=True),
    _id("user_id", required=True),
    _id("unit_id", required=True),
    _text("title"),
    _text("role"),
    sa.Column("start_date", sa.Date),
    sa.Column("end_date", sa.Date),
    sa.Index("position_user", "user_id"),
)

# What a unit was from a day on, until its next row; units of which nothing was told so have none.
unit_place = sa.Table(
    "unit_place",
    metadata,
    _id("unit_id", key=True),
    sa.Column("start_date", sa.Date, primary_key=True),
    _text("name"),
    _text("kind"),
    _text("path"),
    _id("merged_into_id"),
)

person = sa.Table(
    "person",
    metadata,
    _id("id", key=True),
    _text("display_name"),
    _id("unit_id"),
    _id("owner_id"),
    sa.Column("individual_customer", sa.Boolean, nullable=False),
    *_state(),
)

person_unit = sa.Table(
    "person_unit",
    metadata,
    _id("person_id", key=True),
    _id("unit_id", key=True),
    sa.Index("person_unit_unit", "unit_id", "person_id"),
)

organization = sa.Table(
    "organization",
    metadata,
    _id("id", key=True),
    _text("display_name"),
    _id("unit_id"),
    _id("owner_id"),
    _text("industry"),
    _text("city"),
    _text("country"),
    *_state(),
)

organization_unit = sa.Table(
    "organization_unit",
    metadata,
    _id("organization_id", key=True),
    _id("unit_id", key=True),
    sa.Index("organization_unit_unit", "unit_id", "organization_id"),
)

interaction = sa.Table(
    "interaction",
    metadata,
    _id("id", key=True),
    _text("kind"),
    sa.Column("day", sa.Date),
    _id("unit_id"),
    _id("author_id"),
    _id("person_id"),
    _id("organization_id"),
    _text("outcome"),
    *_state(),
    sa.Index("interaction_day", "day"),
)

product = sa.Table(
    "product", metadata, _id("id", key=True), *map(_text, ("name", "code", "category", "unit_of_measure")), *_state()
)

pipeline = sa.Table("pipeline", metadata, _id("id", key=True), _text("name"), *_state())

stage = sa.Table(
    "stage",
    metadata,
    _id("pipeline_id", key=True),
    _id("id", key=True),
    _text("name"),
    _text("kind"),
    sa.Column("position", sa.Integer, nullable=False),
)

# cohort_date: day the deal began, by which the funnel groups. entered: every stage it was in, sorted, so that what
# "reached this stage or a later one" means is decided when the report runs, by the pipeline as it is then known.
deal = sa.Table(
    "deal",
    metadata,
    _id("id", key=True),
    _id("pipeline_id", required=True),
    _id("stage_id", required=True),
    _text("status"),
    _id("organization_id"),
    _id("person_id"),
    _id("unit_id"),
    _id("owner_id"),
    _amount(),
    _text("currency_code"),
    sa.Column("open_date", sa.Date),
    sa.Column("close_date", sa.Date),
    sa.Column("cohort_date", sa.Date),
    *map(_text, ("loss_reason", "business_line", "title", "external_id")),
    sa.Column("entered", ARRAY(UUID(as_uuid=False)), nullable=False),
    *_state(),
    sa.Index("deal_closed", "close_date", "status"),
    sa.Index("deal_cohort", "cohort_date"),
    sa.Index("deal_organization", "organization_id"),
    sa.Index("deal_open", "unit_id", "stage_id", postgresql_where=sa.text("status = 'open'")),
)

# number 0 is what the lines leave of the deal's amount, so that lines always add up to the deal; it counts as a line
# (counted = 1) only where a deal has no lines at all.
deal_line = sa.Table(
    "deal_line",
    metadata,
    _id("deal_id", key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    _id("product_id"),
    _text("product_name"),
    sa.Column("counted", sa.Integer, nullable=False),
    sa.Column("quantity", sa.Numeric(20, 6)),
    _amount(),
    sa.Index("deal_line_product", "product_id"),
)

deal_stage_entry = sa.Table(
    "deal_stage_entry",
    metadata,
    _id("deal_id", key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    _id("stage_id", required=True),
    sa.Column("change_time", sa.TIMESTAMP(timezone=True)),
    _id("user_id"),
)

plan = sa.Table(
    "plan",
    metadata,
    _id("id", key=True),
    _id("unit_id", required=True),
    _id("user_id"),
    _id("product_id"),
    sa.Column("start_date", sa.Date, nullable=False),
    sa.Column("end_date", sa.Date, nullable=False),
    _text("metric"),
    _amount(),
    _text("currency_code"),
    sa.Column("quantity", sa.Numeric(20, 6)),
    *_state(),
    sa.Index("plan_period", "metric", "start_date"),
)

run = sa.Table(
    "run",
    metadata,
    _id("id", key=True),
    _text("kind"),
    _id("unit_id", required=True),
    _id("user_id"),
    _text("file_name"),
    _text("state"),
    sa.Column("first_date", sa.Date),
    sa.Column("last_date", sa.Date),
    *(_count(name) for name in ("rows_read", "created", "updated", "unchanged", "merged", "refused")),
    sa.Column("create_time", sa.TIMESTAMP(timezone=True)),
    *_state(),
    sa.Index("run_unit", "unit_id", "kind"),
)

exchange_rate = sa.Table(
    "exchange_rate",
    metadata,
    sa.Column("from_currency", sa.Text, primary_key=True),
    sa.Column("to_currency", sa.Text, primary_key=True),
    sa.Column("start_date", sa.Date, primary_key=True),
    sa.Column("rate", sa.Numeric(24, 12), nullable=False),
    _text("source"),
)


def _rollup(name: str, keys: tuple[sa.Column[Any], ...], measures: tuple[sa.Column[Any], ...]) -> sa.Table:
    """A table of sums by key; a missing value is a key like any other."""
    names = [column.name for column in keys]
    return sa.Table(
        name,
        metadata,
        *keys,
        *measures,
        sa.Index(f"{name}_key", *names, unique=True, postgresql_nulls_not_distinct=True),
    )


# Closed deals by the month they were closed in.
deal_month = _rollup(
    "deal_month",
    (
        sa.Column("month", sa.Date), _text("status"), _id("unit_id"), _id("owner_id"), _id("pipeline_id"),
        _text("currency_code"),
    ),
    (_count("deals"), _sum("amount")),
)  # fmt: skip

# Their lines likewise.
line_month = _rollup(
    "line_month",
    (
        sa.Column("month", sa.Date), _text("status"), _id("unit_id"), _id("owner_id"), _id("pipeline_id"),
        _text("currency_code"), _id("product_id"),
    ),
    (_count("lines"), _sum("amount"), _sum("quantity"), _count("quantities")),
)  # fmt: skip

# All deals by the month they began in, with the stages they were in.
funnel_month = _rollup(
    "funnel_month",
    (
        sa.Column("month", sa.Date), _id("pipeline_id"), _id("unit_id"), _id("owner_id"), _text("status"),
        _id("stage_id"), sa.Column("entered", ARRAY(UUID(as_uuid=False)), nullable=False),
    ),
    (_count("deals"),),
)  # fmt: skip

ROLLUPS = (deal_month, line_month, funnel_month)
READ_MODELS = tuple(table for table in metadata.sorted_tables if table is not exchange_rate and table not in ROLLUPS)
