"""Units move, merge, split and close: seen before, done at once or on a day, with a history that stays as it was."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from google.protobuf.field_mask_pb2 import FieldMask

from chassis.clock import at, now
from chassis.dates import to_date
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from crm.directory.v1 import directory_pb2 as pb
from directory.reorganizing import carry_out_planned

MOVE, MERGE = pb.REORGANIZATION_KIND_MOVE, pb.REORGANIZATION_KIND_MERGE
SPLIT, CLOSE = pb.REORGANIZATION_KIND_SPLIT, pb.REORGANIZATION_KIND_CLOSE


def reorganize(directory: Any, dry_run: bool = False, **values: Any) -> pb.ReorganizeUnitResponse:
    asked = pb.ReorganizeUnitRequest(reorganization=pb.Reorganization(**values), dry_run=dry_run)
    return directory.call("ReorganizeUnit", asked)  # type: ignore[no-any-return]


def get(directory: Any, unit: str) -> pb.Unit:
    return directory.call("GetUnit", pb.GetUnitRequest(unit=unit)).unit  # type: ignore[no-any-return]


def positions(directory: Any, user_id: str) -> list[tuple[str, str, str]]:
    """Unit, first and last day of each position."""
    user = directory.call("GetUser", pb.GetUserRequest(user_id=user_id)).user
    return [(one.unit_id, _day(one.start_date), _day(one.end_date)) for one in user.positions]


def _day(day: Any) -> str:
    return date(day.year, day.month, day.day).isoformat() if day.year else ""


def today() -> date:
    """The day that the company's units have."""
    return now().astimezone(ZoneInfo("Europe/Berlin")).date()


def test_a_preview_says_who_will_see_more_and_less_and_changes_nothing(directory: Any) -> None:
    east, west = (directory.a_unit(one, kind=pb.UNIT_KIND_REGION) for one in ("east", "west"))
    branch = directory.a_unit("lodz", east.id)
    directory.a_user("Ewa East", east.id, pb.ROLE_HEAD)
    directory.a_user("Wim West", west.id, pb.ROLE_HEAD)
    directory.a_user("Lena Lodz", branch.id)
    directory.events()
    answer = reorganize(directory, True, kind=MOVE, unit_id=branch.id, into_unit_id=west.id)
    seen = answer.preview
    assert (seen.path_before, seen.path_after) == ("hq.east.lodz", "hq.west.lodz")
    assert (seen.units, seen.people, seen.positions) == (1, 1, 0)
    assert (list(seen.losing_names), list(seen.gaining_names)) == (["Ewa East"], ["Wim West"])
    assert (answer.reorganization.id, directory.events(), get(directory, branch.id).path) == ("", [], "hq.east.lodz")


def test_a_merged_unit_lies_closed_below_the_other_one_and_its_people_work_there(directory: Any) -> None:
    old, new = directory.a_unit("old"), directory.a_unit("new")
    team = directory.a_unit("phones", old.id, kind=pb.UNIT_KIND_TEAM)
    seller = directory.a_user("Sara Seller", old.id)
    directory.events()
    done = reorganize(directory, kind=MERGE, unit_id=old.id, into_unit_id=new.id, note="one office").reorganization
    assert (done.state, done.into_unit_id) == (pb.REORGANIZATION_STATE_DONE, new.id)
    merged = get(directory, old.id)
    assert (merged.path, merged.merged_into_id, _day(merged.end_date)) == ("hq.new.old", new.id, today().isoformat())
    assert get(directory, team.id).path == "hq.new.old.phones"
    assert positions(directory, seller.id) == [(old.id, "", today().isoformat()), (new.id, today().isoformat(), "")]
    told = directory.events()
    assert [type(one).__name__ for one in told] == ["UnitUpdated", "UnitUpdated", "UserUpdated"]
    assert told[0].unit.merged_into_id == new.id


def test_who_works_in_a_unit_alone_reads_what_became_part_of_it(directory: Any) -> None:
    role = pb.RoleDefinition(code="clerk", name="Clerk", permissions=[pb.Permission(action="read", scope="team")])
    directory.call("SetRole", pb.SetRoleRequest(role=role))
    old, new = directory.a_unit("old"), directory.a_unit("new")
    directory.a_user("Cleo Clerk", login="cleo", positions=[pb.Position(unit_id=new.id, role_code="clerk")])
    reorganize(directory, kind=MERGE, unit_id=old.id, into_unit_id=new.id)
    access = directory.verifier.verify(directory.sign_in("cleo").access_token)
    assert {one.unit_path for one in access.grants} == {"hq.new", "hq.new.old"}


def test_a_split_tells_for_each_who_goes_and_leaves_the_others(directory: Any, refused: Any) -> None:
    region = directory.a_unit("south", kind=pb.UNIT_KIND_REGION, currency_code="CHF")
    branch = directory.a_unit("bern", region.id, area_code="31")
    goes, stays = directory.a_user("Gina Goes", branch.id), directory.a_user("Sven Stays", branch.id)
    stranger = directory.a_user("Xenia Other", region.id)
    asked = {"kind": SPLIT, "unit_id": branch.id, "code": "bern_west", "name": "Bern West"}
    directory.events()
    refused("USER_NOT_FOUND", lambda: reorganize(directory, **asked, user_ids=[goes.id, stranger.id]))
    preview = reorganize(directory, True, **asked, user_ids=[goes.id]).preview
    assert (preview.path_after, preview.positions, list(preview.losing_names)) == (
        "hq.south.bern_west",
        1,
        ["Sven Stays"],
    )
    done = reorganize(directory, **asked, user_ids=[goes.id]).reorganization
    made = get(directory, done.into_unit_id)
    assert (made.path, made.area_code, made.currency_code) == ("hq.south.bern_west", "31", "CHF")
    assert positions(directory, goes.id)[-1][0] == made.id
    assert positions(directory, stays.id) == [(branch.id, "", "")]
    [taken] = [one for one in directory.events() if isinstance(one, events_pb.UnitUserMoved)]
    assert (taken.unit_id, taken.from_unit_id, taken.user_id) == (made.id, branch.id, goes.id)


def test_a_unit_closes_once_nobody_works_there(directory: Any, refused: Any) -> None:
    branch = directory.a_unit("oslo")
    seller = directory.a_user("Siri Seller", branch.id)
    refused("UNIT_NOT_EMPTY", lambda: reorganize(directory, kind=CLOSE, unit_id=branch.id))
    end = pb.EndPositionRequest(position_id=seller.positions[0].id, end_date=to_date(today()))
    directory.call("EndPosition", end)
    reorganize(directory, kind=CLOSE, unit_id=branch.id)
    assert _day(get(directory, branch.id).end_date) == today().isoformat()
    refused("UNIT_CLOSED", lambda: reorganize(directory, kind=CLOSE, unit_id=branch.id))


def test_what_is_planned_waits_for_its_day_and_is_done_then(directory: Any) -> None:
    region, branch = directory.a_unit("north", kind=pb.UNIT_KIND_REGION), directory.a_unit("kiel")
    day = today() + timedelta(days=3)
    planned = reorganize(
        directory, kind=MOVE, unit_id=branch.id, into_unit_id=region.id, day=to_date(day)
    ).reorganization
    assert (planned.state, get(directory, branch.id).path) == (pb.REORGANIZATION_STATE_PLANNED, "hq.kiel")
    carry_out_planned(directory.database)
    assert get(directory, branch.id).path == "hq.kiel"
    with at(now() + timedelta(days=4)):
        carry_out_planned(directory.database)
    assert get(directory, branch.id).path == "hq.north.kiel"
    [known] = directory.call("ListReorganizations", pb.ListReorganizationsRequest()).reorganizations
    assert (known.id, known.state) == (planned.id, pb.REORGANIZATION_STATE_DONE)


def test_what_is_no_longer_possible_on_its_day_says_why(directory: Any) -> None:
    one, two = directory.a_unit("one"), directory.a_unit("two")
    day = to_date(today() + timedelta(days=1))
    reorganize(directory, kind=MOVE, unit_id=one.id, into_unit_id=two.id, day=day)
    reorganize(directory, kind=MOVE, unit_id=two.id, into_unit_id=one.id)
    with at(now() + timedelta(days=2)):
        carry_out_planned(directory.database)
    known = directory.call("ListReorganizations", pb.ListReorganizationsRequest()).reorganizations[-1]
    assert (known.state, "below itself" in known.refusal) == (pb.REORGANIZATION_STATE_REFUSED, True)


def test_what_is_planned_can_be_taken_back_once(directory: Any, refused: Any) -> None:
    one, two = directory.a_unit("one"), directory.a_unit("two")
    day = to_date(today() + timedelta(days=1))
    planned = reorganize(directory, kind=MOVE, unit_id=one.id, into_unit_id=two.id, day=day).reorganization
    cancel = pb.CancelReorganizationRequest(reorganization_id=planned.id)
    assert directory.call("CancelReorganization", cancel).reorganization.state == pb.REORGANIZATION_STATE_CANCELLED
    refused("REORGANIZATION_DECIDED", lambda: directory.call("CancelReorganization", cancel))


def test_a_day_that_is_over_is_refused_and_so_is_who_runs_only_one_side(directory: Any, refused: Any) -> None:
    one, two = directory.a_unit("one"), directory.a_unit("two")
    asked = {"kind": MOVE, "unit_id": one.id, "into_unit_id": two.id}
    yesterday = to_date(today() - timedelta(days=1))
    refused("FIELD_INVALID", lambda: reorganize(directory, **asked, day=yesterday), "reorganization.day")
    directory.a_user("Hans Head", one.id, pb.ROLE_HEAD, login="hans")
    with directory.acting_as("hans"):
        refused("NOT_PERMITTED", lambda: reorganize(directory, **asked))


def test_the_tree_is_shown_as_it_was_on_a_day(directory: Any) -> None:
    region, branch = directory.a_unit("north", kind=pb.UNIT_KIND_REGION), directory.a_unit("kiel")
    then = today()
    with at(now() + timedelta(days=2)):
        directory.sign_in("admin")
        renamed = pb.Unit(id=branch.id, name="Kiel Harbour")
        directory.call("UpdateUnit", pb.UpdateUnitRequest(unit=renamed, update_mask=FieldMask(paths=["name"])))
        reorganize(directory, kind=MOVE, unit_id=branch.id, into_unit_id=region.id)
        was = directory.call("ListUnits", pb.ListUnitsRequest(as_of=to_date(then))).units
        tree = directory.call("ListUnits", pb.ListUnitsRequest()).units
    assert {one.path: one.name for one in was} == {"hq": "Acme", "hq.kiel": "Kiel", "hq.north": "North"}
    assert {one.path: one.name for one in tree} == {"hq": "Acme", "hq.north": "North", "hq.north.kiel": "Kiel Harbour"}
