"""A unit that was split off takes over the open deals of those who went; what is closed stays where it was."""

from __future__ import annotations

from typing import NamedTuple

from crm.directory.events.v1 import directory_events_pb2 as events
from deals.taking_over import take_over_deals
from services.deals.tests.desk import Desk, id_of

GOER, FROM, INTO = id_of("goer"), id_of("moscow"), id_of("tula")


class News(NamedTuple):
    """An event as the handler gets it."""

    message: events.UnitUserMoved


def test_open_deals_go_with_who_is_responsible_once(desk: Desk) -> None:
    goes = desk.open(title="Goes", owner_id=GOER, unit_id=FROM, amount="100 EUR")
    stays = desk.open(title="Stays", owner_id=id_of("stayer"), unit_id=FROM)
    lost = desk.move(desk.open(title="Lost", owner_id=GOER, unit_id=FROM), "Lost", loss_reason="Price")
    news = News(events.UnitUserMoved(unit_id=INTO, from_unit_id=FROM, user_id=GOER))
    desk.work(lambda work: take_over_deals(work, [news]))
    assert [desk.get(one.id).unit_id for one in (goes, stays, lost)] == [INTO, FROM, FROM]
    assert desk.get(goes.id).amount == goes.amount
    told = desk.told("DealUpdated", goes.id)
    assert [list(one.message.changed.paths) for one in told] == [["unit_id"]]
    desk.work(lambda work: take_over_deals(work, [news]))
    assert len(desk.told("DealUpdated", goes.id)) == len(told)
