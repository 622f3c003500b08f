"""After a reorganization figures are restated to the tree of now, or shown as the tree was on a day; totals stay."""

from __future__ import annotations

from typing import Any

from crm.directory.events.v1 import directory_events_pb2 as directory
from services.reporting.tests.world import keys_of, table_of


def place(start: str, name: str, path: str, merged_into_id: str = "", kind: str = "branch") -> directory.UnitPlace:
    return directory.UnitPlace(start_date=start, name=name, kind=kind, path=path, merged_into_id=merged_into_id)


def a_merged_company(world: Any) -> tuple[str, str]:
    """Old Town was merged into New Town and this moved to the West, all on the first of June."""
    company = world.a_unit("hq", kind="company")
    east, west = (world.a_unit(one, company, "region") for one in ("east", "west"))
    old, new = (world.a_unit(one, east, name=f"{one.title()} Town") for one in ("old", "new"))
    pipeline = world.a_pipeline()
    world.a_deal(pipeline, old, "Won", "100 EUR", open_date="2026-01-10", close_date="2026-02-10")
    world.a_deal(pipeline, new, "Won", "30 EUR", open_date="2026-01-10", close_date="2026-02-10")
    for unit_id, code, path, merged in ((new, "new", "hq.west.new", ""), (old, "old", "hq.west.new.old", new)):
        name = f"{code.title()} Town"
        places = [place("", name, f"hq.east.{code}"), place("2026-06-01", name, path, merged)]
        state = directory.UnitState(id=unit_id, parent_id=merged or west, kind="branch", code=code, path=path,
                                    name=name, currency_code="EUR", merged_into_id=merged, places=places)  # fmt: skip
        world.tell(directory.UnitUpdated(unit=state), version=2)
    return old, new


def sums(reporting: Any, by: str, **asked: Any) -> dict[str, str]:
    answer = reporting.run("won", group_by=by, **asked)
    return {row[by]: row["amount"] for row in table_of(answer)}


def test_the_tree_of_now_counts_the_merged_under_what_it_became(reporting: Any) -> None:
    old, new = a_merged_company(reporting.world)
    for by, name in (("unit", "New Town"), ("branch", "New Town"), ("region", "West")):
        assert sums(reporting, by) == {name: "130"}
    assert sums(reporting, "branch", unit_id=new) == {"New Town": "130"}


def test_the_tree_of_a_day_shows_who_was_what_then(reporting: Any) -> None:
    old, new = a_merged_company(reporting.world)
    then = {"year": 2026, "month": 5, "day": 31}
    for by in ("unit", "branch"):
        assert sums(reporting, by, tree_date=then) == {"Old Town": "100", "New Town": "30"}
    assert sums(reporting, "region", tree_date=then) == {"East": "130"}
    assert sums(reporting, "branch", unit_id=new, tree_date=then) == {"New Town": "30"}
    after = {"year": 2026, "month": 6, "day": 1}
    assert sums(reporting, "region", tree_date=after) == {"West": "130"}


def test_a_restated_figure_leads_to_the_records_of_both(reporting: Any) -> None:
    a_merged_company(reporting.world)
    answer = reporting.run("won", group_by="unit")
    records = reporting.records("won", keys_of(answer)[0]["amount"], group_by="unit")
    assert len(records) == 2


def test_customers_of_a_merged_unit_count_once_where_both_knew_them(reporting: Any) -> None:
    old, new = a_merged_company(reporting.world)
    reporting.world.an_organization("Acme", [old, new])
    [row] = table_of(reporting.run("customers", group_by="unit"))
    assert (row["unit"], row["organizations"]) == ("New Town", "1")
