"""The tables of the deals service; the only place where column names are written."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, UUID

metadata = sa.MetaData()
TIME = sa.TIMESTAMP(timezone=True)
MONEY = sa.Numeric(20, 6)  # also quantities: six places are more than any trade writes, 14 digits more than any sum
CURRENCY = sa.CHAR(3)


def _uuid() -> UUID[str]:
    return UUID(as_uuid=False)


pipeline = sa.Table(
    "pipeline",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False, unique=True),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Index("pipeline_one_default", "is_default", unique=True, postgresql_where=sa.text("is_default")),
)

stage = sa.Table(
    "stage",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("pipeline_id", _uuid(), sa.ForeignKey("pipeline.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("aliases", ARRAY(sa.Text), nullable=False),
    sa.Column("probability", sa.SmallInteger, nullable=False, server_default="0"),
    sa.UniqueConstraint("pipeline_id", "position"),
    sa.CheckConstraint("kind IN ('open','won','lost')", name="stage_kind"),
    sa.CheckConstraint("probability BETWEEN 0 AND 100", name="stage_probability"),
)

loss_reason = sa.Table(
    "loss_reason",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("name_key", sa.Text, nullable=False, unique=True),
    sa.Column("aliases", ARRAY(sa.Text), nullable=False),
    sa.Column("position", sa.Integer, nullable=False, unique=True),
)

product = sa.Table(
    "product",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False, unique=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("code_key", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("unit_of_measure", sa.Text, nullable=False),
    sa.Column("fraction_allowed", sa.Boolean, nullable=False),
    sa.Column("list_price", MONEY),
    sa.Column("currency", CURRENCY),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.CheckConstraint("(list_price IS NULL) = (currency IS NULL)", name="product_price_has_currency"),
    sa.Index("product_code_key", "code_key", unique=True, postgresql_where=sa.text("code_key <> ''")),
)

# status repeats the stage's kind, so that a list by status needs no join; both are set in one statement. stage_time
# repeats the time of the last step, or the creation where that has none, so that a board is read in its order.
deal = sa.Table(
    "deal",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("pipeline_id", _uuid(), nullable=False),
    sa.Column("stage_id", _uuid(), sa.ForeignKey("stage.id"), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("organization_id", _uuid()),
    sa.Column("person_id", _uuid()),
    sa.Column("unit_id", _uuid(), nullable=False),
    sa.Column("owner_id", _uuid()),
    sa.Column("amount", MONEY),
    sa.Column("currency", CURRENCY),
    sa.Column("open_date", sa.Date),
    sa.Column("close_date", sa.Date),
    sa.Column("loss_reason", sa.Text, sa.ForeignKey("loss_reason.name", onupdate="CASCADE")),
    sa.Column("loss_comment", sa.Text, nullable=False),
    sa.Column("business_line", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("attributes", JSONB, nullable=False),
    sa.Column("creator_id", sa.Text, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("update_time", TIME, nullable=False),
    sa.Column("stage_time", TIME, nullable=False, server_default=sa.func.now()),
    sa.Column("expected_close_date", sa.Date),
    sa.CheckConstraint("status IN ('open','won','lost')", name="deal_status"),
    sa.CheckConstraint("(status = 'lost') = (loss_reason IS NOT NULL)", name="deal_loss_has_reason"),
    sa.CheckConstraint("status <> 'open' OR close_date IS NULL", name="deal_open_is_not_closed"),
    sa.CheckConstraint("amount IS NULL OR currency IS NOT NULL", name="deal_amount_has_currency"),
    sa.Index("deal_unit", "unit_id", "status", "id"),
    sa.Index("deal_board", "stage_id", "stage_time", "id"),
    sa.Index("deal_close", "close_date", postgresql_where=sa.text("close_date IS NOT NULL")),
    sa.Index("deal_owner", "owner_id", "id"),
    sa.Index("deal_organization", "organization_id", "id", postgresql_where=sa.text("organization_id IS NOT NULL")),
    sa.Index("deal_person", "person_id", "id", postgresql_where=sa.text("person_id IS NOT NULL")),
    sa.Index(
        "deal_words", "title", "external_id", postgresql_using="gin",
        postgresql_ops={"title": "gin_trgm_ops", "external_id": "gin_trgm_ops"},
    ),
)  # fmt: skip

deal_line = sa.Table(
    "deal_line",
    metadata,
    sa.Column("deal_id", _uuid(), sa.ForeignKey("deal.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("product_id", _uuid(), sa.ForeignKey("product.id")),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("quantity", MONEY, nullable=False),
    sa.Column("unit_price", MONEY),
    sa.Column("discount", MONEY, nullable=False),
    sa.Column("amount", MONEY),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("deal_id", "position"),
)

# change_time is NULL where a source knew the stage and not the day.
deal_step = sa.Table(
    "deal_step",
    metadata,
    sa.Column("deal_id", _uuid(), sa.ForeignKey("deal.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("stage_id", _uuid(), nullable=False),
    sa.Column("stage_name", sa.Text, nullable=False),
    sa.Column("change_time", TIME),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("deal_id", "position"),
    sa.Index("deal_step_time", "change_time", postgresql_where=sa.text("change_time IS NOT NULL")),
)

# What a source last said of a deal (a serialized crm.deals.v1.Deal): only what it says anew is news.
deal_source = sa.Table(
    "deal_source",
    metadata,
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("external_id", sa.Text, nullable=False),
    sa.Column("deal_id", _uuid(), sa.ForeignKey("deal.id", deferrable=True, initially="DEFERRED"), nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("said", BYTEA, nullable=False),
    sa.PrimaryKeyConstraint("source", "external_id"),
)

plan = sa.Table(
    "plan",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("unit_id", _uuid(), nullable=False),
    sa.Column("user_id", _uuid()),
    sa.Column("product_id", _uuid(), sa.ForeignKey("product.id")),
    sa.Column("start_date", sa.Date, nullable=False),
    sa.Column("end_date", sa.Date, nullable=False),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("currency", CURRENCY),
    sa.Column("figure", MONEY, nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("create_time", TIME, nullable=False),
    sa.Column("update_time", TIME, nullable=False),
    sa.UniqueConstraint(
        "unit_id", "user_id", "product_id", "start_date", "end_date", "metric", "currency",
        name="plan_one_figure", postgresql_nulls_not_distinct=True,
    ),
    sa.CheckConstraint("(metric = 'revenue') = (currency IS NOT NULL)", name="plan_money_has_currency"),
    sa.CheckConstraint("start_date < end_date", name="plan_period"),
    sa.Index("plan_order", "start_date", "end_date", "unit_id", "id"),
)  # fmt: skip

# Where an imported record or change of it came from: file, sheet, row, user and time; only ever added to.
provenance = sa.Table(
    "provenance",
    metadata,
    sa.Column("record_id", _uuid(), nullable=False),
    sa.Column("run_id", sa.Text, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("sheet", sa.Text, nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("user_id", sa.Text, nullable=False),
    sa.Column("take_time", TIME, nullable=False),
    sa.Index("provenance_record", "record_id"),
)

# The ids of contacts' persons and organizations, filled from its events only: see customers.py.
customer = sa.Table(
    "customer",
    metadata,
    sa.Column("id", _uuid(), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="1"),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
)
