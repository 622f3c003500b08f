"""One reminder before and one alert after, each exactly once, whatever clocks and processes do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import clock
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling import reminding
from scheduling.reminding import remind_due
from scheduling.tables import activity
from services.scheduling.tests.desk import Desk, a_time, at, every, seller_of

ANNA, BORIS, BOSS = (seller_of("moscow", name) for name in ("Anna", "Boris", "Boss"))
REMINDER, OVERDUE = pb.NOTIFICATION_KIND_REMINDER, pb.NOTIFICATION_KIND_OVERDUE


def look(desk: Desk, moment: str) -> int:
    """One look of the worker at what is due, at a moment of Moscow's clock."""
    with clock.at(at(moment)):
        return remind_due(desk.database)


def plan(desk: Desk, **fields: Any) -> pb.Activity:
    with clock.at(at("2024-05-06T09:00")), desk.as_caller(ANNA):
        return desk.plan(**{"kind": pb.ACTIVITY_KIND_CALL, "due_time": "2024-05-06T11:00", **fields})


def test_a_reminder_comes_once_before_and_an_alert_once_after(desk: Desk) -> None:
    call = plan(desk, participant_user_ids=[BORIS.user_id])
    assert look(desk, "2024-05-06T10:44") == 0
    assert look(desk, "2024-05-06T10:45") == 1
    assert look(desk, "2024-05-06T10:50") == 0
    assert desk.notified(ANNA) == desk.notified(BORIS) == [(REMINDER, call.id)]
    assert look(desk, "2024-05-06T11:00") == 1
    assert look(desk, "2024-05-07T11:00") == 0
    assert desk.notified(ANNA) == [(REMINDER, call.id), (OVERDUE, call.id)]
    assert desk.notified(BORIS) == [(REMINDER, call.id)]
    (reminded,), (lapsed,) = desk.told("ActivityReminded"), desk.told("ActivityLapsed")
    assert list(reminded.message.user_ids) == [ANNA.user_id, BORIS.user_id]
    assert (reminded.version, lapsed.version, lapsed.message.activity.status) == (2, 3, "open")
    with clock.at(at("2024-05-07T11:00")), desk.as_caller(ANNA):
        assert (desk.get(call.id).etag, desk.get(call.id).overdue) == ("1", True)


def test_a_clock_that_jumps_back_and_forth_tells_nothing_twice(desk: Desk) -> None:
    plan(desk)
    assert look(desk, "2024-05-06T12:00") == 2
    assert look(desk, "2024-05-06T08:00") == 0
    assert look(desk, "2030-01-01T00:00") == 0
    assert [look(desk, "2024-05-06T10:50"), look(desk, "2024-05-06T12:00")] == [0, 0]


def test_many_workers_looking_at_once_tell_each_thing_once(desk: Desk) -> None:
    calls = [plan(desk, subject=str(number)) for number in range(20)]
    with clock.at(at("2024-05-06T12:00")), ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda _: remind_due(desk.database), range(12)))
        assert sum(told) + remind_due(desk.database) == 40
    assert sorted(desk.notified(ANNA)) == sorted((kind, one.id) for one in calls for kind in (REMINDER, OVERDUE))


def test_more_than_one_transaction_holds_is_told_all_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminding, "MAX_AT_ONCE", 2)
    for number in range(5):
        plan(desk, subject=str(number))
    assert look(desk, "2024-05-06T10:50") == 5
    assert len(desk.told("ActivityReminded")) == 5


def test_a_new_time_sets_reminder_and_alert_anew_and_a_new_subject_does_not(desk: Desk) -> None:
    call = plan(desk)
    assert look(desk, "2024-05-06T11:30") == 2
    with clock.at(at("2024-05-06T11:40")), desk.as_caller(ANNA):
        desk.change(call, "subject", subject="Other")
        assert remind_due(desk.database) == 0
        desk.call("MoveActivity", pb.MoveActivityRequest(activity_id=call.id, due_time=a_time("2024-05-07T11:00")))
    assert look(desk, "2024-05-06T12:00") == 0
    assert look(desk, "2024-05-07T10:45") == 1
    assert look(desk, "2024-05-07T11:00") == 1


def test_what_is_done_or_cancelled_in_time_tells_nobody(desk: Desk) -> None:
    one, other = plan(desk), plan(desk)
    with clock.at(at("2024-05-06T10:00")), desk.as_caller(ANNA):
        desk.complete(one)
        desk.call("CancelActivity", pb.CancelActivityRequest(activity_id=other.id))
    assert look(desk, "2024-05-06T12:00") == 0


def test_each_occurrence_is_told_once(desk: Desk) -> None:
    call = plan(desk, repetition=every(1, pb.REPETITION_UNIT_DAY))
    told = 0
    for day in ("06", "07", "08"):
        told += look(desk, f"2024-05-{day}T10:50")
        with clock.at(at(f"2024-05-{day}T10:55")), desk.as_caller(ANNA):
            call = desk.complete(call).next_activity
    assert told == len(desk.told("ActivityReminded")) == 3
    assert desk.told("ActivityLapsed") == []


def test_the_one_whose_move_it_is_is_told_when_the_time_has_passed(desk: Desk) -> None:
    task = plan(desk, waiting=pb.Waiting(side=pb.WAITING_SIDE_USER, user_id=BOSS.user_id))
    look(desk, "2024-05-06T12:00")
    assert desk.notified(BOSS) == [(OVERDUE, task.id)]


def test_a_row_that_a_user_holds_is_told_at_the_next_look(desk: Desk) -> None:
    call = plan(desk)
    with desk.database.transaction() as work:
        work.execute(sa.select(activity.c.id).where(activity.c.id == call.id).with_for_update())
        assert look(desk, "2024-05-06T10:50") == 0
    assert look(desk, "2024-05-06T10:50") == 1


def test_a_telling_that_is_cut_off_has_told_nothing_and_comes_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(desk)
    with monkeypatch.context() as broken:
        broken.setattr(reminding, "store_notifications", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            look(desk, "2024-05-06T10:50")
    assert desk.told("ActivityReminded") == []
    assert look(desk, "2024-05-06T10:50") == 1


@pytest.mark.parametrize("moment", ["remind_time", "lapse_time"])
def test_looking_at_what_is_due_reads_an_index_of_what_is_yet_to_come(desk: Desk, moment: str) -> None:
    with desk.database.transaction() as work:
        work.execute(sa.text("SET LOCAL enable_seqscan = off"))
        look_at = sa.text(f"EXPLAIN SELECT id FROM activity WHERE {moment} <= now() ORDER BY {moment} LIMIT 500")
        found = " ".join(row[0] for row in work.execute(look_at))
    assert f"activity_{moment.removesuffix('_time')}" in found


def test_notifications_are_read_by_their_user_only(desk: Desk) -> None:
    plan(desk)
    look(desk, "2024-05-06T12:00")
    with desk.as_caller(ANNA):
        found = desk.call("ListNotifications", pb.ListNotificationsRequest(page_size=1))
        assert (len(found.notifications), found.unread_count) == (1, 2)
        assert desk.today().unread_count == 2
        newest = found.notifications[0]
    with desk.as_caller(BORIS):
        request = pb.MarkNotificationsReadRequest(notification_ids=[newest.id])
        assert desk.call("MarkNotificationsRead", request).unread_count == 0
    with desk.as_caller(ANNA):
        assert desk.call("MarkNotificationsRead", request).unread_count == 1
        unread = desk.call("ListNotifications", pb.ListNotificationsRequest(unread=True)).notifications
        assert [one.kind for one in unread] == [REMINDER]
        older = desk.call("ListNotifications", pb.ListNotificationsRequest(page_token=found.next_page_token))
        assert [one.id for one in older.notifications] == [unread[0].id]
        assert desk.call("MarkNotificationsRead", pb.MarkNotificationsReadRequest()).unread_count == 0
    bad = pb.MarkNotificationsReadRequest(notification_ids=["x"])
    assert desk.refusal("MarkNotificationsRead", bad).violations[0].field == "notification_ids[0]"
