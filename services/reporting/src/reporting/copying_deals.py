"""Takes over deals with their lines and history from the deals' events, and keeps the monthly rollups true."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.money import from_money
from chassis.projection import Delivered, Row, newest_states, state_columns, upsert_newer
from reporting import tables
from reporting.copying import any_of, day_of, number_of, replace_children
from reporting.rollups import add_to_rollups
from reporting.rules.lines import Line, add_remainder

# Two batches that change the same deal would each take its old figures out of the rollups: one at a time.
ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtext('reporting.deal'))")


def copy_deals(work: UnitOfWork, deliveries: Sequence[Delivered]) -> None:
    """Handler of DealOpened, DealUpdated and DealStageChanged.

    What the replaced states had added to the rollups is taken out, then what the new ones add is put in.
    """
    work.execute(ONE_AT_A_TIME)
    states, known = _newer_than_known(work, newest_states(deliveries, "deal"))
    if not states:
        return
    rows = [_deal(*state) for state in states]
    add_to_rollups(work, known, -1)
    _, replaced = upsert_newer(work, tables.deal, rows)
    by_id = {row["id"]: row for row in rows}
    lines = [
        (one.id, line.number, line.product_id, line.product_name, line.counted, line.quantity, line.amount)
        for one, _, _ in states
        for line in _lines(one, by_id[one.id])
    ]
    entries = [
        (one.id, number, entry.stage_id, _time(entry), entry.user_id or None)
        for one, _, _ in states
        for number, entry in enumerate(one.stage_history, 1)
    ]
    replace_children(work, tables.deal_line, "deal_id", replaced, lines)
    replace_children(work, tables.deal_stage_entry, "deal_id", replaced, entries)
    add_to_rollups(work, list(by_id), 1)


def _newer_than_known(
    work: UnitOfWork, states: list[tuple[Any, int, int]]
) -> tuple[list[tuple[Any, int, int]], list[str]]:
    """The states that are newer than what stands here, and the ids of those that replace something."""
    deal = tables.deal
    found = work.execute(
        sa.select(deal.c.id, deal.c.epoch, deal.c.version).where(deal.c.id == any_of(one.id for one, _, _ in states))
    )
    known = {row.id: (row.epoch, row.version) for row in found}
    newer = [state for state in states if known.get(state[0].id, (-1, -1)) < state[1:]]
    return newer, [one.id for one, _, _ in newer if one.id in known]


def _deal(one: Any, epoch: int, version: int) -> Row:
    amount, currency = _amount(one)
    entered = sorted({entry.stage_id for entry in one.stage_history} | {one.stage_id})
    return {
        "id": one.id,
        "pipeline_id": one.pipeline_id,
        "stage_id": one.stage_id,
        "amount": amount,
        "currency_code": currency,
        "open_date": day_of(one.open_date),
        "close_date": day_of(one.close_date),
        "cohort_date": _cohort_date(one),
        "entered": entered,
        **{name: getattr(one, name) or None for name in ("organization_id", "person_id", "unit_id", "owner_id")},
        **{name: getattr(one, name) for name in ("status", "loss_reason", "business_line", "title", "external_id")},
        **state_columns(epoch, version),
    }


def _amount(one: Any) -> tuple[Decimal | None, str]:
    """The deal's amount; the sum of its lines where only they say one, in one currency."""
    if one.HasField("amount"):
        return from_money(one.amount)
    told = [from_money(line.amount) for line in one.line_items if line.HasField("amount")]
    if len({currency for _, currency in told}) != 1:
        return None, ""
    return sum((amount for amount, _ in told), Decimal(0)), told[0][1]


def _lines(one: Any, row: Row) -> list[Line]:
    """The lines in the deal's currency; what they leave of its amount is line 0."""
    given = []
    for number, line in enumerate(one.line_items, 1):
        amount, currency = from_money(line.amount) if line.HasField("amount") else (None, "")
        own = amount if currency == row["currency_code"] else None
        given.append(Line(number, line.product_id or None, line.product_name, 1, number_of(line.quantity), own))
    return add_remainder(given, row["amount"])


def _cohort_date(one: Any) -> date | None:
    """Day the deal began: as stated, else its first stage entry, else its recording (UTC)."""
    if one.open_date:
        return day_of(one.open_date)
    times = [entry.change_time for entry in one.stage_history if entry.HasField("change_time")]
    if not times and one.HasField("create_time"):
        times = [one.create_time]
    return min(time.ToDatetime(UTC) for time in times).date() if times else None


def _time(entry: Any) -> Any:
    return entry.change_time.ToDatetime(UTC) if entry.HasField("change_time") else None
