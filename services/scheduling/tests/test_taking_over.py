"""A unit that was split off takes over the open activities of those who went; what is done stays where it was."""

from __future__ import annotations

from crm.directory.events.v1 import directory_events_pb2 as events
from services.scheduling.tests.desk import Desk, id_of

GOER, FROM, INTO = id_of("goer"), id_of("moscow"), id_of("tula")


def test_open_activities_go_with_who_does_them_once(desk: Desk) -> None:
    goes = desk.plan(owner_id=GOER, unit_id=FROM)
    stays = desk.plan(owner_id=id_of("stayer"), unit_id=FROM)
    done = desk.plan(owner_id=GOER, unit_id=FROM)
    desk.complete(done)
    desk.hear(events.UnitUserMoved(unit_id=INTO, from_unit_id=FROM, user_id=GOER))
    assert [desk.get(one.id).unit_id for one in (goes, stays, done)] == [INTO, FROM, FROM]
    told = desk.told("ActivityUpdated", goes.id)
    assert [list(one.message.changed.paths) for one in told] == [["unit_id"]]
    desk.hear(events.UnitUserMoved(unit_id=INTO, from_unit_id=FROM, user_id=GOER), version=2)
    assert len(desk.told("ActivityUpdated", goes.id)) == 1
