"""How the database goes about a prepared statement, for tests that say what it may read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chassis.database import UnitOfWork
from chassis.prepared import Prepared


def plan_of(work: UnitOfWork, statement: Prepared, values: Mapping[str, Any]) -> dict[str, Any]:
    """Run the statement and answer its plan with what each step read, as PostgreSQL's JSON has it."""
    text, own = statement.compile(work.connection.dialect)
    explained = work.connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", {**own, **values})
    answer = explained.scalar_one()
    return (answer if isinstance(answer, list) else json.loads(answer))[0]["Plan"]  # type: ignore[no-any-return]


def rows_read(plan: Mapping[str, Any]) -> float:
    """The most rows that any step of a plan handled, those it threw away included."""
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return max([float(own), *(rows_read(step) for step in plan.get("Plans", ()))])
