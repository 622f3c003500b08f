"""The second wall: without the filter of the service PostgreSQL still shows a caller what he may see and no more."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from chassis.access import READ, Access
from chassis.database import Database
from crm.deals.v1 import deals_pb2 as pb
from deals import board, finding, queries, sorting
from deals.tables import deal
from services.deals.tests.desk import PATHS, Desk, id_of, seller_of, steward_of
from services.deals.tests.test_matrix import CHANNELS, OWNERS, some_deals
from units.records import DEAL
from units.testing import may, open_to_all, some_accesses
from units.wall import wall_of

CALLERS = 32


@pytest.fixture
def without_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service asks for everything, whoever calls."""
    for module in (board, finding, queries, sorting):
        monkeypatch.setattr(module, "sight_of", open_to_all)
    monkeypatch.setattr(queries, "visible", lambda *_asked: sa.true())


@pytest.mark.usefixtures("without_filter")
def test_without_the_services_own_filter_nobody_reads_more(desk: Desk) -> None:
    deals = some_deals(desk)
    for caller in some_accesses(DEAL, list(PATHS.values()), OWNERS[1:], id_of("moscow"), CALLERS):
        expected = {one for one, (_, owner, path) in deals.items() if may(caller, READ, DEAL, path, owner)}
        with desk.as_caller(caller):
            shown = {name: read(desk) for name, read in CHANNELS.items() if name != "search"}
            batch = desk.call("BatchGetDeals", pb.BatchGetDealsRequest(deal_ids=list(deals)))
            shown["batch"] = {one.id for one in batch.deals}
            assert desk.call("SumDeals", pb.SumDealsRequest()).count == len(expected), caller
            found = desk.call("SearchDeals", pb.SearchDealsRequest(query="moscow", page_size=50)).deals
            assert {one.id for one in found} <= expected, caller
        assert shown == dict.fromkeys(shown, expected), caller


def read_ids(database: Database, access: Access | None, **how: Any) -> set[str]:
    with database.reading(access, **how) as work:
        return {row.id for row in work.execute(sa.select(deal.c.id))}


def test_a_connection_keeps_nothing_of_the_caller_before(desk: Desk) -> None:
    tula = desk.open(unit_id=id_of("tula")).id
    moscow = desk.open(unit_id=id_of("moscow")).id
    database = Database(desk.database.url, "deals", pool_size=1, overflow=0, wall=wall_of(DEAL))
    for _ in range(2):
        assert read_ids(database, steward_of("tula")) == {tula}
        assert read_ids(database, None) == {tula, moscow}  # a handler's own reading
        assert read_ids(database, steward_of("moscow")) >= {moscow}
        assert read_ids(database, seller_of("tula", "Anna"), walled=False) == {tula, moscow}
        with database.transaction(steward_of("tula")) as work:  # the owner's role again, who may write
            assert work.execute(sa.text("SELECT current_user = session_user")).scalar_one()
            assert work.execute(sa.text("SELECT current_setting('branchline.sight', true)")).scalar_one() in (None, "")
    database.close()


def test_behind_the_wall_nothing_is_written(desk: Desk) -> None:
    made = desk.open(unit_id=id_of("tula")).id
    database = Database(desk.database.url, "deals", wall=wall_of(DEAL))
    with (
        pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
        database.reading(steward_of("tula")) as work,
    ):
        work.execute(sa.update(deal).where(deal.c.id == made).values(title="x"))
    database.close()


def test_a_reader_without_a_caller_sees_nothing(desk: Desk) -> None:
    desk.open(unit_id=id_of("tula"))
    with desk.database.transaction() as work:
        work.execute(sa.text("SET LOCAL ROLE branchline_reader"))
        assert work.execute(sa.select(sa.func.count()).select_from(deal)).scalar_one() == 0
