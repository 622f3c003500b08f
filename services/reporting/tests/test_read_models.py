"""The read models end the same for the same events, however they arrive; and adding up holds whatever is asked."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.ids import new_id
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.directory.events.v1 import directory_events_pb2 as directory
from crm.reporting.v1 import reporting_pb2 as pb
from reporting.freshness import digest
from reporting.rebuilding import forget_everything
from reporting.tables import deal_month, funnel_month, line_month
from services.reporting.tests.world import Told, deliver, keys_of, reader_of, seller, table_of


def busy_world(world: Any, chance: random.Random, count: int = 40) -> list[str]:
    """Random deals in random states, some changed and moved again and again; answers the owners."""
    with world.at_once():
        return _fill(world, chance, count)


def _fill(world: Any, chance: random.Random, count: int) -> list[str]:
    company = world.a_unit("hq", kind="company")
    units = [world.a_unit(code, company) for code in ("north", "south")]
    units.append(world.a_unit("team", units[0], kind="team"))
    owners = [world.a_user("Anna"), world.a_user("Boris")]
    pipelines = [world.a_pipeline()]
    products = [world.a_product("Saw", "tools"), world.a_product("Nail", "small", "kg"), ""]
    organizations = [world.an_organization("Acme", units[:1], country="DE"), ""]
    for _ in range(count):
        deal_id = new_id()
        for version in range(1, chance.randint(1, 4) + 1):
            stage = chance.choice(("Lead", "Offer", "Won", "Won", "Lost"))
            days = sorted(
                f"202{chance.randint(4, 5)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}" for _ in "ab"
            )
            lines = [
                (
                    chance.choice(products),
                    str(chance.randint(-2, 9)),
                    f"{chance.randint(-500, 9_999)}.{chance.randint(0, 99):02d} EUR",
                )
                for _ in range(chance.choice((0, 0, 1, 2)))
            ]
            state = world.deal_state(
                pipelines[0], chance.choice(units), stage,
                chance.choice(("", "12.34 EUR", "99.999999 EUR", "7 USD", f"{chance.randint(0, 10**6)} EUR")),
                id=deal_id, lines=lines, path=chance.sample(("Lead", "Offer"), chance.randint(0, 2)) + [stage],
                open_date=chance.choice((days[0], "")), close_date=days[1] if stage in ("Won", "Lost") else "",
                owner_id=chance.choice((*owners, "")), organization_id=chance.choice(organizations),
            )  # fmt: skip
            kind = deals.DealOpened if version == 1 else deals.DealUpdated
            world.tell(kind(deal=state), version=version)
    world.a_run(units[0], "finished", "2024-01-01", "2024-02-01")
    world.a_plan(company, "2024-01-01", "2025-01-01", "100 EUR")
    world.a_person("Private", units, individual_customer=True)
    return owners


def digest_of(reporting: Any) -> str:
    with reporting.database.transaction() as work:
        return digest(work)


@pytest.mark.parametrize("seed", range(2))
def test_shuffled_doubled_and_replayed_events_give_the_same_digest(reporting: Any, seed: int) -> None:
    chance = random.Random(seed)
    busy_world(reporting.world, chance)
    told: list[Told] = reporting.world.told
    first = digest_of(reporting)
    with reporting.database.transaction() as work:
        forget_everything(work)
    assert digest_of(reporting) != first
    mixed = told + chance.sample(told, len(told) // 5)
    chance.shuffle(mixed)
    deliver(reporting.database, mixed, batch=chance.choice((1, 7, 500)))
    assert digest_of(reporting) == first
    deliver(reporting.database, told, batch=3)
    assert digest_of(reporting) == first


def test_another_fact_gives_another_digest(reporting: Any) -> None:
    busy_world(reporting.world, random.Random(5), count=5)
    first = digest_of(reporting)
    reporting.world.a_user("Clara")
    assert digest_of(reporting) != first


def test_the_rollups_are_what_a_count_from_scratch_says(reporting: Any) -> None:
    busy_world(reporting.world, random.Random(11), count=50)
    closed = "month(close_date), status, unit_id, owner_id, pipeline_id, currency_code"
    direct = {
        deal_month: f"SELECT {closed}, count(*), coalesce(sum(amount), 0) FROM deal WHERE status <> 'open'"
        f" GROUP BY {closed}",
        line_month: f"SELECT {closed}, product_id, sum(counted), coalesce(sum(l.amount), 0),"
        " coalesce(sum(quantity), 0), count(quantity)"
        " FROM deal d JOIN deal_line l ON l.deal_id = d.id WHERE status <> 'open'"
        f" GROUP BY {closed}, product_id",
        funnel_month: "SELECT month(cohort_date), pipeline_id, unit_id, owner_id, status, stage_id, entered, count(*)"
        " FROM deal GROUP BY 1, 2, 3, 4, 5, 6, 7",
    }
    with reporting.database.transaction() as work:
        for table, statement in direct.items():
            count = next(column for column in table.c if isinstance(column.type, sa.BigInteger))
            some = sa.or_(count != 0, *_sums(table))
            kept = sorted(_like(row) for row in work.execute(sa.select(table).where(some)))
            assert kept == sorted(_like(row) for row in work.execute(sa.text(_in_sql(statement))))


def _in_sql(statement: str) -> str:
    return re.sub(r"month\((\w+)\)", r"date_trunc('month', \1::timestamp)::date", statement)


def _sums(table: sa.Table) -> list[Any]:
    return [column != 0 for column in table.c if isinstance(column.type, sa.Numeric)]


def _like(row: Any) -> list[str]:
    """A row as texts, figures with six places."""
    return [
        f"{value:.6f}" if isinstance(value, int | Decimal) else str(value).replace("UUID(", "").replace(")", "")
        for value in row
    ]


PERIODS: tuple[dict[str, str], ...] = (
    {},
    {"from_date": "2024-02-10", "to_date": "2025-03-20"},
    {"to_date": "2024-12-31"},
    {"from_date": "2024-07-15"},
)
QUESTIONS = (
    ("won", ("", "branch month", "unit person", "product", "category quarter", "organization year", "country")),
    ("win-rate", ("branch", "person month", "product", "loss_reason")),
    ("pipeline", ("stage", "unit", "person")),
    ("cycle", ("branch", "person quarter")),
    ("funnel", ("", "branch", "person quarter")),
    ("plan-fact", ("branch month", "person", "")),
)


@pytest.mark.parametrize("seed", range(2))
def test_rows_and_records_add_up_to_the_totals_whoever_asks(reporting: Any, seed: int) -> None:
    chance = random.Random(100 + seed)
    owners = busy_world(reporting.world, chance, count=40)
    readers = (None, reader_of("hq.north"), reader_of("hq"), seller(owners[0]))
    for name, groupings in QUESTIONS:
        for group_by in groupings:
            parameters = {**chance.choice(PERIODS), "group_by": group_by}
            reader = chance.choice(readers)
            given = {"access": reader} if reader else {}
            answer = reporting.run(name, **given, **parameters)
            assert_adds_up(answer)
            for row, keys in chance.sample(both(answer), min(3, len(both(answer)))):
                assert_records_add_up(reporting, name, row, keys, answer, {**given, **parameters})


def both(answer: pb.RunReportResponse) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Rows and the last total, each with its keys."""
    rows = table_of(answer) + table_of(answer, "totals")[-1:]
    return list(zip(rows, keys_of(answer) + keys_of(answer, "totals")[-1:], strict=True))


def assert_adds_up(answer: pb.RunReportResponse) -> None:
    """Counts of the rows make the total; amounts of each currency make the last total that is stated in it."""
    word = {"funnel": "stage", "cycle": "outcome"}.get(answer.name, "")
    for total in table_of(answer, "totals") if word else table_of(answer, "totals")[-1:]:
        rows = [row for row in table_of(answer) if not word or row[word] == total[word]]
        for column in answer.columns:
            if column.type == "count":
                assert sum(int(row[column.name]) for row in rows) == int(total[column.name]), column.name
    for at, described in enumerate(answer.columns):
        if described.name in ("amount", "converted", "plan", "fact"):
            of_rows: dict[str, Decimal] = defaultdict(Decimal)
            for row in answer.rows:
                if row.cells[at].value:
                    of_rows[row.cells[at].currency_code] += Decimal(row.cells[at].value)
            cells = [row.cells[at] for row in answer.totals]
            assert of_rows == {cell.currency_code: Decimal(cell.value) for cell in cells if cell.value}, described.name


def assert_records_add_up(
    reporting: Any,
    name: str,
    row: dict[str, str],
    keys: dict[str, str],
    answer: pb.RunReportResponse,
    given: dict[str, Any],
) -> None:
    kinds = {column.name: column.type for column in answer.columns}
    for column, key in keys.items():
        if key and kinds[column] in ("count", "money", "quantity") and column != "average":
            records = reporting.records(name, key, **given)
            assert sum((Decimal(record[column] or 0) for record in records), Decimal(0)) == Decimal(row[column]), column


def test_freshness_counts_and_is_for_those_who_may_read_everything(reporting: Any) -> None:
    busy_world(reporting.world, random.Random(1), count=3)
    answer = reporting.call("GetFreshness", pb.GetFreshnessRequest(with_digest=True))
    assert answer.counts["deal"] == 3
    assert answer.digest == digest_of(reporting)
    from chassis.errors import RemoteError

    with pytest.raises(RemoteError) as refused:
        reporting.call("GetFreshness", pb.GetFreshnessRequest(), reader_of("hq"))
    assert refused.value.reason == "NOT_PERMITTED"


def test_an_older_state_of_a_unit_changes_nothing(reporting: Any) -> None:
    world = reporting.world
    company = world.a_unit("hq", kind="company", name="New")
    older = directory.UnitState(id=company, kind="company", code="hq", path="hq", name="Old")
    deliver(reporting.database, [Told(directory.UnitUpdated(unit=older), version=0)])
    pipeline = world.a_pipeline()
    world.a_deal(pipeline, company, "Won", "1 EUR", close_date="2026-01-01")
    assert table_of(reporting.run("won", group_by="unit"))[0]["unit"] == "New"
