"""An activity is planned, changed, handed over and ended, and everybody is told in full."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chassis import clock
from chassis.errors import Kind
from crm.scheduling.v1 import scheduling_pb2 as pb
from services.scheduling.tests.desk import (
    ADMIN,
    Desk,
    a_day,
    a_deal,
    a_person,
    a_time,
    a_user,
    an_activity,
    an_organization,
    at,
    every,
    head_of,
    id_of,
    seller_of,
    written,
)

NOON = at("2024-05-06T12:00")
CALL, MEETING = pb.ACTIVITY_KIND_CALL, pb.ACTIVITY_KIND_MEETING
ANNA, BORIS = seller_of("moscow", "Anna"), seller_of("moscow", "Boris")


def test_a_call_is_planned_with_what_its_kind_and_unit_bring_and_told_in_full(desk: Desk) -> None:
    desk.hear(a_person("Granin", "moscow"), an_organization("Epoch", "moscow"), a_user("Anna", "moscow"))
    with clock.at(NOON):
        planned = desk.plan(
            kind=CALL,
            subject="Ask about the drafts",
            owner_id=ANNA.user_id,
            person_id=id_of("Granin"),
            organization_id=id_of("Epoch"),
            due_time="2024-05-20T11:00",
            priority=pb.PRIORITY_HIGH,
        )
    assert (planned.state, planned.etag, planned.time_zone) == (pb.ACTIVITY_STATE_OPEN, "1", "Europe/Moscow")
    assert (planned.reminder_minutes, planned.waiting.side) == (15, pb.WAITING_SIDE_OWNER)
    assert (planned.owner_name, planned.person_name, planned.organization_name) == ("Anna", "Granin", "Epoch")
    assert (planned.creator_id, planned.occurrence, planned.series_id) == (ADMIN.user_id, 1, "")
    with clock.at(NOON):
        assert desk.get(planned.id) == planned
    (fact,) = desk.told("ActivityCreated")
    state = fact.message.activity
    assert (state.kind, state.status, state.owner_id, state.person_id) == (
        "call",
        "open",
        ANNA.user_id,
        id_of("Granin"),
    )
    assert (state.personal.subject, state.reminder_minutes) == ("Ask about the drafts", 15)
    assert fact.routing_key.startswith("crm.scheduling.activity.created.v1.p")
    assert fact.routing_key.endswith(".hq.moscow.e")
    assert desk.notified(ANNA) == [(pb.NOTIFICATION_KIND_ASSIGNED, planned.id)]


IMPOSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("activity.kind", {"kind": 0}),
    ("activity.kind", {"kind": 99}),
    ("activity.subject", {"subject": " "}),
    ("activity.subject", {"subject": "x" * 301}),
    ("activity.subject", {"subject": "a\0b"}),
    ("activity.description", {"description": "x" * 10_001}),
    ("activity.time_zone", {"time_zone": "../../etc/passwd"}),
    ("activity.time_zone", {"time_zone": "Europe/Atlantis"}),
    ("activity.due_date", {"due_date": "2024-05-20", "due_time": "2024-05-20T11:00"}),
    ("activity.end_time", {"end_time": "2024-05-20T12:00", "due_time": "2024-05-20T11:00"}),
    ("activity.end_time", {"kind": MEETING, "end_time": "2024-05-20T10:00", "due_time": "2024-05-20T11:00"}),
    ("activity.due_time", {"due_time": "1890-01-01T00:00"}),
    ("activity.owner_id", {"owner_id": "anna"}),
    ("activity.person_id", {"person_id": "1"}),
    ("activity.participant_user_ids[0]", {"participant_user_ids": ["x"]}),
    ("activity.participant_user_ids", {"participant_user_ids": [id_of(str(one)) for one in range(101)]}),
    ("activity.reminder_minutes", {"reminder_minutes": -2}),
    ("activity.reminder_minutes", {"reminder_minutes": 40_321}),
    ("activity.priority", {"priority": 9}),
    ("activity.repetition", {"repetition": every(1, pb.REPETITION_UNIT_DAY)}),
    ("activity.repetition.every", {"due_date": "2024-05-20", "repetition": every(0, pb.REPETITION_UNIT_DAY)}),
    ("activity.repetition.unit", {"due_date": "2024-05-20", "repetition": every(1, 0)}),
    (
        "activity.repetition.until_date",
        {"due_date": "2024-05-20", "repetition": every(1, pb.REPETITION_UNIT_DAY, until="2024-05-19")},
    ),
    (
        "activity.repetition.count",
        {"due_date": "2024-05-20", "repetition": every(1, pb.REPETITION_UNIT_DAY, until="2024-06-19", count=3)},
    ),
    ("activity.waiting.user_id", {"waiting": pb.Waiting(side=pb.WAITING_SIDE_USER)}),
    ("activity.waiting.note", {"waiting": pb.Waiting(side=pb.WAITING_SIDE_CUSTOMER, note="x" * 301)}),
]


def test_a_value_that_cannot_be_is_refused_by_its_field_and_leaves_nothing(desk: Desk) -> None:
    for field, fields in IMPOSSIBLE:
        refused = desk.refusal("CreateActivity", pb.CreateActivityRequest(activity=an_activity(**fields)))
        assert (refused.kind, [one.field for one in refused.violations]) == (Kind.INVALID, [field]), fields
    assert desk.told() == []


def test_the_same_request_sent_many_times_at_once_plans_one_activity(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: desk.plan(request_id="once", subject="One"), range(8)))
    assert len({answer.id for answer in answers}) == 1
    assert len(desk.told("ActivityCreated")) == 1
    other = desk.refusal(
        "CreateActivity", pb.CreateActivityRequest(request_id="once", activity=an_activity(subject="B"))
    )
    assert other.reason == "REQUEST_ID_REUSED"


def test_only_the_named_fields_change_and_the_change_is_told(desk: Desk) -> None:
    planned = desk.plan(subject="First", description="Long")
    changed = desk.change(planned, "subject", "due_time", subject="Second", due_time=a_time("2030-05-20T11:00"))
    assert (changed.subject, changed.description, changed.etag) == ("Second", "Long", "2")
    assert written(changed.due_time) == "2030-05-20T11:00"
    (fact,) = desk.told("ActivityUpdated")
    assert sorted(fact.message.changed.paths) == ["due_time", "subject"]
    assert desk.change(changed, "subject", subject="Second") == changed
    assert len(desk.told("ActivityUpdated")) == 1


def test_a_stale_etag_answers_the_current_values(desk: Desk) -> None:
    planned = desk.plan(subject="First")
    desk.change(planned, "subject", subject="Second")
    stale = desk.refusal(
        "UpdateActivity",
        pb.UpdateActivityRequest(activity=planned, update_mask={"paths": ["subject"]}, etag=planned.etag),  # type: ignore[arg-type]
    )
    assert (stale.kind, stale.reason) == (Kind.CONFLICT, "STALE_ETAG")
    assert "Second" in stale.metadata["current"]
    for method, request in (
        ("CompleteActivity", pb.CompleteActivityRequest(activity_id=planned.id, etag="1")),
        ("MoveActivity", pb.MoveActivityRequest(activity_id=planned.id, due_date=a_day("2030-01-01"), etag="1")),
        ("ReassignActivity", pb.ReassignActivityRequest(activity_id=planned.id, owner_id=ANNA.user_id, etag="1")),
    ):
        assert desk.refusal(method, request).reason == "STALE_ETAG"


@pytest.mark.parametrize("path", ["state", "id", "outcome", "kind", "waiting", "nonsense"])
def test_what_is_not_a_plain_field_is_not_changed_by_mask(desk: Desk, path: str) -> None:
    planned = desk.plan()
    request = pb.UpdateActivityRequest(activity=planned, update_mask={"paths": [path]}, etag=planned.etag)  # type: ignore[arg-type]
    assert desk.refusal("UpdateActivity", request).violations[0].field == "update_mask"


def test_a_meeting_dragged_keeps_its_length_and_may_get_another_owner(desk: Desk) -> None:
    planned = desk.plan(kind=MEETING, due_time="2030-05-20T11:00", end_time="2030-05-20T12:30", owner_id=ANNA.user_id)
    request = pb.MoveActivityRequest(
        activity_id=planned.id, due_time=a_time("2030-05-21T16:00"), owner_id=BORIS.user_id
    )
    moved = desk.call("MoveActivity", request).activity
    assert (written(moved.due_time), written(moved.end_time)) == ("2030-05-21T16:00", "2030-05-21T17:30")
    assert (moved.owner_id, moved.waiting.user_id) == (BORIS.user_id, BORIS.user_id)
    (fact,) = desk.told("ActivityReassigned")
    assert fact.message.from_owner_id == ANNA.user_id
    whole = desk.call("MoveActivity", pb.MoveActivityRequest(activity_id=planned.id, due_date=a_day("2030-05-22")))
    assert (whole.activity.due_date, whole.activity.HasField("due_time")) == (a_day("2030-05-22"), False)


def test_what_is_done_carries_its_outcome_and_changes_no_more(desk: Desk) -> None:
    with clock.at(NOON):
        planned = desk.plan(kind=CALL, due_time="2024-05-06T10:00")
        done = desk.complete(planned, "busy", summary="Call again").activity
        assert desk.complete(planned, "busy", summary="Call again").activity == done
    assert (done.state, done.outcome, done.summary) == (pb.ACTIVITY_STATE_DONE, "busy", "Call again")
    assert (written(done.close_time), done.closer_id, done.overdue) == ("2024-05-06T12:00", ADMIN.user_id, False)
    assert len(desk.told("ActivityCompleted")) == 1
    for method, request in (
        ("CompleteActivity", pb.CompleteActivityRequest(activity_id=planned.id, outcome="away")),
        ("CancelActivity", pb.CancelActivityRequest(activity_id=planned.id)),
        ("ReassignActivity", pb.ReassignActivityRequest(activity_id=planned.id, owner_id=ANNA.user_id)),
        ("RemindNow", pb.RemindNowRequest(activity_id=planned.id)),
    ):
        refused = desk.refusal(method, request)
        assert (refused.kind, refused.reason) == (Kind.PRECONDITION, "ACTIVITY_CLOSED")
    ahead = desk.refusal(
        "CompleteActivity",
        pb.CompleteActivityRequest(activity_id=desk.plan().id, close_time=a_time("2099-01-01T00:00")),
    )
    assert ahead.violations[0].field == "close_time"


def test_a_leavers_activities_are_handed_over_all_or_none_and_the_heir_is_told_once(desk: Desk) -> None:
    three = [desk.plan(owner_id=ANNA.user_id, subject=str(number)) for number in range(3)]
    ids = [one.id for one in three]
    missing = pb.BatchReassignActivitiesRequest(activity_ids=[*ids, id_of("nothing")], owner_id=BORIS.user_id)
    assert desk.refusal("BatchReassignActivities", missing).reason == "ACTIVITY_NOT_FOUND"
    assert desk.told("ActivityReassigned") == []
    request = pb.BatchReassignActivitiesRequest(activity_ids=ids, owner_id=BORIS.user_id, note="Anna has left")
    given = desk.call("BatchReassignActivities", request).activities
    assert [(one.id, one.owner_id) for one in given] == [(one, BORIS.user_id) for one in ids]
    assert len(desk.told("ActivityReassigned")) == 3
    with desk.as_caller(BORIS):
        (told,) = desk.call("ListNotifications", pb.ListNotificationsRequest()).notifications
    assert (told.kind, told.count, told.note) == (pb.NOTIFICATION_KIND_ASSIGNED, 3, "Anna has left")


def test_links_are_taken_before_the_news_of_them_and_get_their_names_later(desk: Desk) -> None:
    with desk.as_caller(head_of("moscow")):
        planned = desk.plan(person_id=id_of("Granin"), deal_id=id_of("Roof"))
        assert (planned.person_name, planned.deal_title) == ("", "")
        desk.hear(a_person("Granin", "moscow"), a_deal("Roof", "moscow"))
        known = desk.get(planned.id)
    assert (known.person_name, known.deal_title) == ("Granin", "Roof")


def test_a_customer_or_deal_of_a_foreign_unit_cannot_be_named(desk: Desk) -> None:
    desk.hear(a_person("Granin", "tula"), a_deal("Roof", "tula"), an_organization("Epoch", "tula"))
    with desk.as_caller(head_of("moscow")):
        for field, name in (("person_id", "Granin"), ("deal_id", "Roof"), ("organization_id", "Epoch")):
            asked = pb.CreateActivityRequest(activity=an_activity(**{field: id_of(name)}))
            assert desk.refusal("CreateActivity", asked).violations[0].field == f"activity.{field}"
    with desk.as_caller(head_of("tula")):
        assert desk.plan(unit_id=id_of("tula"), person_id=id_of("Granin")).person_name == "Granin"


def test_foreign_units_are_hidden_and_those_with_a_part_see_theirs(desk: Desk) -> None:
    planned = desk.plan(owner_id=ANNA.user_id, participant_user_ids=[BORIS.user_id])
    with desk.as_caller(head_of("tula")):
        for method, request in (
            ("GetActivity", pb.GetActivityRequest(activity_id=planned.id)),
            ("CompleteActivity", pb.CompleteActivityRequest(activity_id=planned.id)),
            ("CancelActivity", pb.CancelActivityRequest(activity_id=planned.id)),
            ("ReassignActivity", pb.ReassignActivityRequest(activity_id=planned.id, owner_id=ANNA.user_id)),
            ("MoveActivity", pb.MoveActivityRequest(activity_id=planned.id, owner_id=ANNA.user_id)),
            ("SetWaiting", pb.SetWaitingRequest(activity_id=planned.id)),
            ("RemindNow", pb.RemindNowRequest(activity_id=planned.id)),
            ("ListActivityHistory", pb.ListActivityHistoryRequest(activity_id=planned.id)),
        ):
            assert desk.refusal(method, request).reason == "ACTIVITY_NOT_FOUND", method
        assert desk.listed() == []
        found = desk.call("BatchGetActivities", pb.BatchGetActivitiesRequest(activity_ids=[planned.id]))
        assert list(found.activities) == []
        assert desk.listed(unit_id=id_of("moscow")) == []
    for access in (ANNA, BORIS, head_of("moscow")):
        with desk.as_caller(access):
            assert desk.listed() == [planned.id]
    with desk.as_caller(seller_of("moscow", "Vera")):
        assert desk.listed() == []


def test_a_participant_may_end_an_activity_but_not_change_it(desk: Desk) -> None:
    planned = desk.plan(owner_id=ANNA.user_id, participant_user_ids=[BORIS.user_id])
    with desk.as_caller(BORIS):
        given = pb.ReassignActivityRequest(activity_id=planned.id, owner_id=BORIS.user_id)
        assert desk.refusal("ReassignActivity", given).reason == "NOT_PERMITTED"
        assert desk.complete(planned).activity.closer_id == BORIS.user_id


def test_a_seller_plans_for_a_colleague_of_the_own_unit_only(desk: Desk) -> None:
    with desk.as_caller(ANNA):
        asked = desk.plan(owner_id=BORIS.user_id)
        assert desk.get(asked.id).owner_id == BORIS.user_id
        foreign = an_activity(unit_id=id_of("tula"), owner_id=BORIS.user_id)
        assert desk.refusal("CreateActivity", pb.CreateActivityRequest(activity=foreign)).reason == "NOT_PERMITTED"


def test_pages_follow_the_time_and_a_token_belongs_to_its_question(desk: Desk) -> None:
    days = ["2030-05-03", "2030-05-01", "2030-05-02"]
    by_day = {day: desk.plan(due_date=day).id for day in days}
    undated = desk.plan().id
    expected = [*(by_day[day] for day in sorted(days)), undated]
    assert desk.listed() == expected
    assert desk.listed(latest_first=True) == expected[::-1]
    found: list[str] = []
    token = ""
    while True:
        page = desk.call("ListActivities", pb.ListActivitiesRequest(page_size=1, page_token=token))
        found += [one.id for one in page.activities]
        token = page.next_page_token
        if not token:
            break
        stolen = pb.ListActivitiesRequest(page_token=token, overdue=True)
        assert desk.refusal("ListActivities", stolen).reason == "PAGE_TOKEN_INVALID"
    assert found == expected


def test_lists_are_narrowed_by_every_filter(desk: Desk) -> None:
    with clock.at(NOON):
        late = desk.plan(due_time="2024-05-06T11:00", person_id=id_of("P"), owner_id=ANNA.user_id)
        guest = desk.plan(kind=MEETING, due_time="2024-05-07T11:00", participant_person_ids=[id_of("P")])
        other = desk.plan(unit_id=id_of("tula"), deal_id=id_of("D"), organization_id=id_of("O"))
        done = desk.complete(desk.plan()).activity
        assert desk.listed(overdue=True) == [late.id]
        assert desk.listed(person_id=id_of("P")) == [late.id, guest.id]
        assert desk.listed(owner_id=ANNA.user_id) == [late.id]
        assert desk.listed(unit_id=id_of("tula")) == [other.id]
        assert desk.listed(deal_id=id_of("D")) == desk.listed(organization_id=id_of("O")) == [other.id]
        assert desk.listed(state=pb.ACTIVITY_STATE_DONE) == [done.id]
        assert desk.listed(kind=MEETING) == [guest.id]
        assert desk.listed(due_from_time=a_time("2024-05-07T00:00"), due_before_time=a_time("2024-05-08T00:00")) == [
            guest.id
        ]


def test_the_next_step_of_each_customer_and_deal_comes_in_one_answer(desk: Desk) -> None:
    later = desk.plan(person_id=id_of("P"), due_date="2030-05-02", deal_id=id_of("D"))
    first = desk.plan(person_id=id_of("P"), due_date="2030-05-01")
    desk.complete(desk.plan(organization_id=id_of("O")))
    desk.plan(person_id=id_of("P"), unit_id=id_of("tula"), due_date="2030-04-01")
    request = pb.BatchGetNextStepsRequest(
        person_ids=[id_of("P"), id_of("P"), id_of("Q")], organization_ids=[id_of("O")], deal_ids=[id_of("D")]
    )
    with desk.as_caller(head_of("moscow")):
        steps = desk.call("BatchGetNextSteps", request).next_steps
    found = {(one.person_id, one.deal_id): (one.activity.id, one.open_count) for one in steps}
    assert found == {(id_of("P"), ""): (first.id, 2), ("", id_of("D")): (later.id, 1)}
    many = pb.BatchGetNextStepsRequest(person_ids=[id_of(str(one)) for one in range(501)])
    assert desk.refusal("BatchGetNextSteps", many).violations[0].field == "person_ids"


def test_open_activities_of_a_leaver_go_to_a_colleague_who_is_told_once(desk: Desk) -> None:
    first, second = (desk.plan(subject=name, owner_id=id_of("leaver")) for name in ("Call Vega", "Meet Altair"))
    done = desk.plan(subject="Done before", owner_id=id_of("leaver"))
    desk.complete(done)
    asked = pb.HandOverActivitiesRequest(from_owner_id=id_of("leaver"), to_owner_id=id_of("heir"), note="left")
    asked.dry_run = True
    seen = desk.call("HandOverActivities", asked)
    assert (seen.activities, seen.remaining, desk.get(first.id).owner_id) == (0, 2, id_of("leaver"))
    assert [(one.unit_id, one.activities) for one in seen.units] == [(id_of("moscow"), 2)]
    asked.dry_run = False
    handed = desk.call("HandOverActivities", asked)
    assert (handed.activities, handed.remaining) == (2, 0)
    owners = [desk.get(one.id).owner_id for one in (first, second, done)]
    assert owners == [id_of("heir"), id_of("heir"), id_of("leaver")]
    assert len(desk.notified(seller_of("moscow", "heir"))) == 1
    assert len(desk.told("ActivityReassigned")) == 2
