"""A call every two weeks comes again, once, with its outcomes kept; whose move it is is shown with the days waited."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from chassis import clock
from chassis.errors import RemoteError
from crm.scheduling.v1 import scheduling_pb2 as pb
from services.scheduling.tests.desk import Desk, a_time, at, every, id_of, seller_of, written

SAZONOVA, BOSS, DEPUTY = (seller_of("moscow", name) for name in ("Sazonova", "Boss", "Deputy"))
CALL = pb.ACTIVITY_KIND_CALL


def test_a_call_every_two_weeks_keeps_its_rhythm_and_its_outcomes(desk: Desk) -> None:
    with desk.as_caller(SAZONOVA):
        with clock.at(at("2024-03-20T09:00")):
            call = desk.plan(
                kind=CALL,
                person_id=id_of("Granin"),
                due_time="2024-03-25T11:00",
                repetition=every(2, pb.REPETITION_UNIT_WEEK),
            )
        for day, outcome in (("03-25", "away"), ("04-08", "busy"), ("04-22", "away"), ("05-06", "busy")):
            with clock.at(at(f"2024-{day}T11:05")):
                answer = desk.complete(call, outcome)
                assert written(answer.activity.due_time) == f"2024-{day}T11:00"
                call = answer.next_activity
        assert (written(call.due_time), call.occurrence, call.state) == ("2024-05-20T11:00", 5, pb.ACTIVITY_STATE_OPEN)
        series = desk.call("ListActivities", pb.ListActivitiesRequest(series_id=call.series_id)).activities
    assert [one.outcome for one in series] == ["away", "busy", "away", "busy", ""]
    assert [one.message.activity.outcome for one in desk.told("ActivityCompleted")] == ["away", "busy", "away", "busy"]


def test_what_was_missed_does_not_pile_up(desk: Desk) -> None:
    with clock.at(at("2024-05-06T09:00")):
        call = desk.plan(kind=CALL, due_time="2024-05-06T11:00", repetition=every(1, pb.REPETITION_UNIT_DAY))
    with clock.at(at("2024-05-09T12:00")):
        again = desk.complete(call, "no_answer").next_activity
    assert (written(again.due_time), again.occurrence) == ("2024-05-10T11:00", 5)


def test_many_who_complete_at_once_bring_one_next_occurrence(desk: Desk) -> None:
    call = desk.plan(kind=CALL, due_time="2030-05-06T11:00", repetition=every(1, pb.REPETITION_UNIT_MONTH))

    def complete(number: int) -> str:
        try:
            return str(desk.complete(call, f"outcome {number}").next_activity.id)
        except RemoteError as refused:
            return refused.reason

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(complete, range(6)), key=len)
    assert answers[:-1] == ["ACTIVITY_CLOSED"] * 5
    assert desk.listed(series_id=call.series_id) == [call.id, answers[-1]]


def test_an_occurrence_moved_leaves_the_rhythm_alone(desk: Desk) -> None:
    with clock.at(at("2024-05-01T09:00")):
        call = desk.plan(kind=CALL, due_time="2024-05-06T11:00", repetition=every(1, pb.REPETITION_UNIT_WEEK))
        desk.call("MoveActivity", pb.MoveActivityRequest(activity_id=call.id, due_time=a_time("2024-05-07T15:00")))
    with clock.at(at("2024-05-07T15:30")):
        again = desk.complete(call).next_activity
        assert written(again.due_time) == "2024-05-13T11:00"
        changed = desk.change(again, "repetition", repetition=every(1, pb.REPETITION_UNIT_DAY))
        assert (changed.occurrence, changed.series_id == again.series_id) == (1, False)


def test_a_repetition_ends_when_asked_or_goes_on_without_the_one_left_out(desk: Desk) -> None:
    weekly = every(1, pb.REPETITION_UNIT_WEEK)
    calls = [desk.plan(kind=CALL, due_time="2030-05-06T11:00", repetition=weekly) for _ in range(3)]
    assert not desk.complete(calls[0], "declined", end_series=True).HasField("next_activity")
    cancelled = desk.call("CancelActivity", pb.CancelActivityRequest(activity_id=calls[1].id))
    assert not cancelled.HasField("next_activity")
    left_out = desk.call("CancelActivity", pb.CancelActivityRequest(activity_id=calls[2].id, only_this=True))
    assert written(left_out.next_activity.due_time) == "2030-05-13T11:00"
    assert left_out.activity.state == pb.ACTIVITY_STATE_CANCELLED


def test_whose_move_it_is_is_shown_reminded_and_handed_over_with_the_time_spent(desk: Desk) -> None:
    with clock.at(at("2024-05-01T10:00")), desk.as_caller(SAZONOVA):
        step = desk.plan(subject="Sign the invoice", due_date="2024-05-04")
        waiting = pb.Waiting(side=pb.WAITING_SIDE_USER, user_id=BOSS.user_id, note="sign the invoice")
        step = desk.call("SetWaiting", pb.SetWaitingRequest(activity_id=step.id, waiting=waiting)).activity
    with clock.at(at("2024-05-06T10:00")):
        with desk.as_caller(SAZONOVA):
            shown = desk.today()
            assert [(one.waiting.user_id, one.waiting.days, one.overdue) for one in shown.waiting] == [
                (BOSS.user_id, 5, True)
            ]
            reminded = desk.call("RemindNow", pb.RemindNowRequest(activity_id=step.id, note="please"))
            assert reminded.user_id == BOSS.user_id
            assert desk.get(step.id).etag == step.etag
        with desk.as_caller(BOSS):
            assert [one.id for one in desk.today().asked] == [step.id]
        assert desk.notified(BOSS) == [(pb.NOTIFICATION_KIND_NUDGE, step.id)] * 2
        with desk.as_caller(SAZONOVA):
            handed = pb.Waiting(side=pb.WAITING_SIDE_USER, user_id=DEPUTY.user_id)
            desk.call("SetWaiting", pb.SetWaitingRequest(activity_id=step.id, waiting=handed))
    with clock.at(at("2024-05-07T10:00")):
        history = desk.call("ListActivityHistory", pb.ListActivityHistoryRequest(activity_id=step.id))
    change = pb.ActivityChange
    assert [one.change for one in history.entries] == [
        change.ACTIVITY_CHANGE_CREATED,
        change.ACTIVITY_CHANGE_WAITING_SET,
        change.ACTIVITY_CHANGE_REMINDED,
        change.ACTIVITY_CHANGE_WAITING_SET,
    ]
    assert [(one.user_id, one.seconds // 3600) for one in history.holdings if one.seconds] == [
        (BOSS.user_id, 120),
        (DEPUTY.user_id, 24),
    ]
    assert len(desk.told("ActivityNudged")) == 1


def test_a_reassigned_activity_shows_who_had_it_when(desk: Desk) -> None:
    with clock.at(at("2024-05-01T10:00")):
        task = desk.plan(owner_id=SAZONOVA.user_id)
    with clock.at(at("2024-05-03T10:00")):
        request = pb.ReassignActivityRequest(activity_id=task.id, owner_id=DEPUTY.user_id, note="leave")
        given = desk.call("ReassignActivity", request).activity
    assert (given.owner_id, given.waiting.user_id) == (DEPUTY.user_id, DEPUTY.user_id)
    history = desk.call("ListActivityHistory", pb.ListActivityHistoryRequest(activity_id=task.id, page_size=1))
    assert [(one.user_id, one.start_time.ToJsonString()[:10]) for one in history.holdings] == [
        (SAZONOVA.user_id, "2024-05-01"),
        (DEPUTY.user_id, "2024-05-03"),
    ]
    rest = desk.call(
        "ListActivityHistory",
        pb.ListActivityHistoryRequest(activity_id=task.id, page_token=history.next_page_token),
    )
    assert [(one.note, one.owner_id) for one in rest.entries] == [("leave", DEPUTY.user_id)]


def test_a_customer_who_has_the_move_cannot_be_reminded(desk: Desk) -> None:
    task = desk.plan(waiting=pb.Waiting(side=pb.WAITING_SIDE_CUSTOMER, note="papers"))
    assert (task.waiting.side, task.waiting.user_id) == (pb.WAITING_SIDE_CUSTOMER, "")
    assert desk.refusal("RemindNow", pb.RemindNowRequest(activity_id=task.id)).reason == "NOBODY_TO_REMIND"
