"""Rows are staged in time that grows with their number, whatever the planner knew before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.ids import new_id
from chassis.migrate import migrate
from chassis.testing.postgres import fresh_database
from imports.kinds import KINDS
from imports.reading.cells import Cell, CellKind, SourceRow
from imports.records import BranchDefaults, MappedColumn, RecordReader
from imports.settings import MIGRATIONS
from imports.staging import stage_rows

MOSCOW = BranchDefaults("RU", "495", "RUB", "Europe/Moscow")
FIELDS = ("external_id", "product", "organization")


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """The service's own database."""
    made = Database(fresh_database(postgres, "imports", lambda url: migrate(url, MIGRATIONS)), "imports")
    yield made
    made.close()


def stage_deals(database: Database, count: int) -> str:
    """Stage lines of deals, two a number, and twice as many equal ones without a number; answers the run."""
    run_id, kind = new_id(), KINDS["deals"]
    columns = [MappedColumn(place, name, kind.field(name)) for place, name in enumerate(FIELDS)]
    reader = RecordReader(kind, columns, MOSCOW)
    texts = [(f"N{place // 2}", "Tea", f"Company {place}") for place in range(count)]
    texts += [("", "Tea", f"Company {place // 2}") for place in range(count)]
    rows = (
        SourceRow("Sheet1", number, [_cell(text) for text in row], (1, 2, 3)) for number, row in enumerate(texts, 2)
    )
    stage_rows(database, run_id, reader, rows, lambda _work, _rows: None)
    return run_id


def _cell(text: str) -> Cell:
    return Cell(CellKind.TEXT, text) if text else Cell(CellKind.BLANK, None)


def test_rows_are_joined_with_themselves_by_a_plan_that_has_seen_them(database: Database) -> None:
    """Where the planner knew small runs only it looped over all pairs: 8,800 rows took a minute."""
    stage_deals(database, 5)
    plans: list[str] = []

    def explain(connection: sa.Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("UPDATE run_row r"):
            lines = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars()
            plans.append("\n".join(lines))

    sa.event.listen(database.engine, "before_cursor_execute", explain)

    run_id = stage_deals(database, 3_000)

    assert len(plans) == 2
    assert not [plan for plan in plans if "Nested Loop" in plan], plans
    with database.transaction() as work:
        question = sa.text(
            "SELECT count(*), count(DISTINCT record_place), count(DISTINCT record_key) FROM run_row WHERE run_id = :run"
        )
        assert tuple(work.execute(question, {"run": run_id}).one()) == (6_000, 4_500, 4_500)
