"""Every figure counts what its caller may see and nothing else, and the records behind it are those."""

from __future__ import annotations

from typing import Any

from chassis.access import READ, Access
from chassis.ids import new_id
from crm.reporting.v1 import reporting_pb2 as pb
from services.reporting.tests.world import keys_of, table_of
from units.records import DEAL, INTERACTION
from units.testing import may, some_accesses

CALLERS, EACH = 40, 2  # of callers, and of records for each unit and owner
OWNERS = tuple(new_id() for _ in range(3))
Records = dict[str, tuple[str, str]]


def fill(world: Any) -> tuple[Records, Records]:
    """Won deals and interactions of every unit and person: path and owner by id."""
    company = world.a_unit("hq", kind="company")
    north, south = world.a_unit("north", company), world.a_unit("south", company)
    team = world.a_unit("team", north, kind="team")
    pipeline = world.a_pipeline()
    deals, talks = {}, {}
    with world.at_once():
        for unit in (company, north, south, team):
            for owner in OWNERS:
                for _ in range(EACH):
                    seen = (world.paths[unit], owner)
                    deals[world.a_deal(pipeline, unit, "Won", "1 EUR", owner_id=owner, close_date="2026-03-03")] = seen
                    talks[world.an_interaction(unit, owner)] = seen
    return deals, talks


def total(answer: pb.RunReportResponse, figure: str) -> str:
    """The last total of a figure; 0 where there is no row at all."""
    rows = table_of(answer, "totals")
    return rows[-1][figure] if rows else "0"


def drilled(reporting: Any, caller: Access, name: str, figure: str, **asked: Any) -> set[str]:
    """The ids of the records behind every row of a figure."""
    answer = reporting.run(name, caller, **asked)
    keys = [row[figure] for row in keys_of(answer) if row[figure]]
    return {row["id"] for key in keys for row in reporting.records(name, key, caller, **asked)}


def test_every_caller_is_told_the_figures_and_the_records_that_the_rules_allow(reporting: Any) -> None:
    deals, talks = fill(reporting.world)
    paths = sorted({path for path, _ in deals.values()})
    cases = 0
    for caller in some_accesses(DEAL, paths, OWNERS, "", CALLERS):
        seen = {one for one, (path, owner) in deals.items() if may(caller, READ, DEAL, path, owner)}
        heard = {one for one, (path, owner) in talks.items() if may(caller, READ, INTERACTION, path, owner)}
        assert total(reporting.run("won", caller), "deals") == str(len(seen)), caller
        for asked in ({}, {"group_by": "unit"}, {"group_by": "person month"}):
            rows = table_of(reporting.run("won", caller, **asked))
            assert sum(int(row["deals"]) for row in rows) == len(seen), (caller, asked)
        assert drilled(reporting, caller, "won", "deals", group_by="unit") == seen, caller
        assert total(reporting.run("activities", caller), "interactions") == str(len(heard)), caller
        cases += 5 * len(deals) + len(talks)
    assert cases >= 5_700
