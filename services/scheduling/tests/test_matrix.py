"""Every way to read activities shows a caller the same ones: those that the rules, read one by one, let him see."""

from __future__ import annotations

from chassis.access import READ
from chassis.errors import RemoteError
from crm.scheduling.v1 import scheduling_pb2 as pb
from services.scheduling.tests.desk import PATHS, Desk, a_day, id_of
from units.records import ACTIVITY
from units.testing import may, some_accesses

CALLERS, EACH = 40, 2  # of callers, and of activities for each unit and owner
OWNERS = (id_of("anna"), id_of("boris"), id_of("vera"))
DAY = "2030-05-20"


def some_activities(desk: Desk) -> dict[str, tuple[str, str]]:
    """Owner and path of each activity by its id."""
    made = {}
    for name, path in PATHS.items():
        for owner in OWNERS:
            for number in range(EACH):
                one = desk.plan(subject=f"{name} {number}", unit_id=id_of(name), owner_id=owner, due_date=a_day(DAY))
                made[one.id] = (owner, path)
    return made


def listed(desk: Desk, **asked: object) -> set[str]:
    """The ids of all pages of a list."""
    found, token = set[str](), ""
    while True:
        request = pb.ListActivitiesRequest(page_size=7, page_token=token, **asked)  # type: ignore[arg-type]
        answer = desk.call("ListActivities", request)
        found |= {one.id for one in answer.activities}
        token = answer.next_page_token
        if not token:
            return found


def opened(desk: Desk, ids: list[str]) -> set[str]:
    """The ids of those that can be read one by one; others are said not to be there."""
    found = set()
    for one in ids:
        try:
            found.add(desk.call("GetActivity", pb.GetActivityRequest(activity_id=one)).activity.id)
        except RemoteError as refused:
            if refused.reason != "ACTIVITY_NOT_FOUND":
                raise
    return found


def test_every_caller_sees_the_same_activities_through_every_channel_and_no_other(desk: Desk) -> None:
    activities = some_activities(desk)
    cases = 0
    for caller in some_accesses(ACTIVITY, list(PATHS.values()), OWNERS, id_of("moscow"), CALLERS):
        expected = {one for one, (owner, path) in activities.items() if may(caller, READ, ACTIVITY, path, owner)}
        with desk.as_caller(caller):
            by_owner = [listed(desk, owner_id=owner) for owner in OWNERS]
            shown = {
                "list": listed(desk),
                "open ones": listed(desk, state=pb.ACTIVITY_STATE_OPEN),
                "by owner": set[str]().union(*by_owner),
                "one by one": opened(desk, list(activities)),
            }
        assert shown == dict.fromkeys(shown, expected), caller
        cases += len(shown) * len(activities)
    assert cases >= 3_800
