"""The tree of units: growing, inheriting, moving, and who sees it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date

from chassis.errors import RemoteError
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from crm.directory.v1 import directory_pb2 as pb


def update(directory: Any, unit: pb.Unit, *paths: str, etag: str = "") -> pb.Unit:
    request = pb.UpdateUnitRequest(unit=unit, update_mask=FieldMask(paths=paths), etag=etag)
    return directory.call("UpdateUnit", request).unit  # type: ignore[no-any-return]


def get(directory: Any, text: str) -> pb.Unit:
    return directory.call("GetUnit", pb.GetUnitRequest(unit=text)).unit  # type: ignore[no-any-return]


def test_a_unit_inherits_country_zone_and_currency_and_tells_of_itself(directory: Any) -> None:
    moscow = directory.a_unit("moscow", country_code="RU", time_zone="Europe/Moscow", area_code="495")
    team = directory.a_unit("north", moscow.id, kind=pb.UNIT_KIND_TEAM)
    assert (team.path, team.country_code, team.time_zone, team.currency_code, team.area_code) == (
        "hq.moscow.north",
        "RU",
        "Europe/Moscow",
        "EUR",
        "495",
    )
    told = directory.events()
    assert [type(event) for event in told] == [events_pb.UnitCreated, events_pb.UnitCreated]
    assert told[1].unit.path == "hq.moscow.north"
    assert told[1].unit.kind == "team"


def test_a_move_rewrites_the_subtree_at_once_and_tells_of_each_unit(directory: Any) -> None:
    region = directory.a_unit("east", kind=pb.UNIT_KIND_REGION, currency_code="PLN")
    branch = directory.a_unit("lodz")
    team = directory.a_unit("phones", branch.id, kind=pb.UNIT_KIND_TEAM)
    other = directory.a_unit("lodzx")
    directory.events()
    branch.parent_id = region.id
    moved = update(directory, branch, "parent_id")
    assert (moved.path, moved.currency_code, moved.etag) == ("hq.east.lodz", "PLN", "2")
    assert get(directory, team.id).path == "hq.east.lodz.phones"
    assert get(directory, other.id).etag == "1"
    told = directory.events()
    assert [(event.unit.path, event.unit.currency_code) for event in told] == [
        ("hq.east.lodz", "PLN"),
        ("hq.east.lodz.phones", "PLN"),
    ]


def test_a_changed_country_reaches_only_units_that_inherit_it(directory: Any) -> None:
    region = directory.a_unit("baltic", kind=pb.UNIT_KIND_REGION)
    plain = directory.a_unit("riga", region.id)
    own = directory.a_unit("vilnius", region.id, country_code="LT")
    region.country_code = "LV"
    update(directory, region, "country_code")
    assert (get(directory, plain.id).country_code, get(directory, own.id).country_code) == ("LV", "LT")


def test_a_unit_cannot_move_below_itself(directory: Any, refused: Any) -> None:
    branch = directory.a_unit("bonn")
    team = directory.a_unit("one", branch.id, kind=pb.UNIT_KIND_TEAM)
    branch.parent_id = team.id
    refused("UNIT_CYCLE", lambda: update(directory, branch, "parent_id"))
    branch.parent_id = branch.id
    refused("UNIT_CYCLE", lambda: update(directory, branch, "parent_id"))


def test_two_moves_at_once_never_make_a_ring(directory: Any) -> None:
    one, two = directory.a_unit("one"), directory.a_unit("two")

    def move(unit: pb.Unit, parent: pb.Unit) -> str:
        try:
            return update(directory, pb.Unit(id=unit.id, parent_id=parent.id), "parent_id").etag
        except RemoteError as refusal:
            return refusal.reason

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(move, (one, two), (two, one))) == ["2", "UNIT_CYCLE"]


@pytest.mark.parametrize("text", ["hq.koeln", "koeln", "Köln Süd", "KOLN SUD"])
def test_a_unit_is_found_by_path_code_and_name(directory: Any, text: str) -> None:
    unit = directory.a_unit("koeln", name="Köln Süd")
    assert get(directory, text).id == get(directory, unit.id).id == unit.id


def test_a_name_that_two_units_have_is_not_guessed(directory: Any, refused: Any) -> None:
    for code in ("north", "south"):
        branch = directory.a_unit(code)
        directory.a_unit("sales", branch.id, name="Sales", kind=pb.UNIT_KIND_DEPARTMENT)
    refused("UNIT_AMBIGUOUS", lambda: get(directory, "sales"))
    assert get(directory, "hq.north.sales").name == "Sales"


def test_the_same_code_twice_below_a_parent_is_refused(directory: Any, refused: Any) -> None:
    unit = directory.a_unit("ulm")
    refused("UNIT_CODE_TAKEN", lambda: directory.a_unit("ulm"))
    other = directory.a_unit("aalen")
    other.code = "ulm"
    refused("UNIT_CODE_TAKEN", lambda: update(directory, other, "code"))
    assert get(directory, "hq.ulm").id == unit.id


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"code": "Ulm"}, "unit.code"),
        ({"code": ""}, "unit.code"),
        ({"code": "a" * 31}, "unit.code"),
        ({"name": " "}, "unit.name"),
        ({"name": "x" * 201}, "unit.name"),
        ({"name": "a\0b"}, "unit.name"),
        ({"country_code": "Germany"}, "unit.country_code"),
        ({"time_zone": "Mars/Olympus"}, "unit.time_zone"),
        ({"currency_code": "€"}, "unit.currency_code"),
        ({"area_code": "0x30"}, "unit.area_code"),
        ({"kind": pb.UNIT_KIND_UNSPECIFIED}, "unit.kind"),
        ({"start_date": Date(year=2026, month=2, day=30)}, "unit.start_date"),
        ({"start_date": Date(year=2026, month=2, day=2), "end_date": Date(year=2026, month=2, day=1)}, "unit.end_date"),
    ],
)
def test_a_wrong_value_names_its_field(directory: Any, refused: Any, values: dict[str, Any], field: str) -> None:
    asked = {"code": "ulm", **values}
    refused("FIELD_INVALID", lambda: directory.a_unit(**asked), field)
    assert directory.events() == []


def test_a_path_too_long_for_a_routing_key_is_refused(directory: Any, refused: Any) -> None:
    parent = directory.a_unit("a" * 30)
    for _ in range(4):
        parent = directory.a_unit("b" * 30, parent.id, kind=pb.UNIT_KIND_TEAM)
    refused("FIELD_INVALID", lambda: directory.a_unit("c" * 30, parent.id, kind=pb.UNIT_KIND_TEAM), "unit.code")


def test_a_stale_etag_is_refused(directory: Any, refused: Any) -> None:
    unit = directory.a_unit("ulm")
    unit.name = "Ulm!"
    update(directory, unit, "name", etag="1")
    refused("STALE_ETAG", lambda: update(directory, unit, "name", etag="1"))


def test_the_same_request_id_in_parallel_makes_one_unit(directory: Any) -> None:
    unit = pb.Unit(code="ulm", name="Ulm", kind=pb.UNIT_KIND_BRANCH, parent_id=directory.company_id)
    request = pb.CreateUnitRequest(request_id="r1", unit=unit)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: directory.call("CreateUnit", request).unit.id, range(8)))
    assert len(set(answers)) == 1
    assert len(directory.events()) == 1


def test_units_list_parents_first_in_pages(directory: Any, refused: Any) -> None:
    branch = directory.a_unit("b_1")
    directory.a_unit("sales", branch.id, kind=pb.UNIT_KIND_TEAM)
    directory.a_unit("b")
    paths, token = [], ""
    for _ in range(4):
        page = directory.call("ListUnits", pb.ListUnitsRequest(page_size=1, page_token=token))
        paths += [unit.path for unit in page.units]
        token = page.next_page_token
    assert paths == ["hq", "hq.b", "hq.b_1", "hq.b_1.sales"]
    assert token == ""
    refused("PAGE_TOKEN_INVALID", lambda: directory.call("ListUnits", pb.ListUnitsRequest(page_token="junk")))
    inside = directory.call("ListUnits", pb.ListUnitsRequest(unit_id=branch.id)).units
    assert [unit.path for unit in inside] == ["hq.b_1", "hq.b_1.sales"]


def test_a_head_sees_the_own_subtree_and_the_way_up_and_changes_nothing(directory: Any, refused: Any) -> None:
    own, other = directory.a_unit("a"), directory.a_unit("b")
    team = directory.a_unit("team", own.id, kind=pb.UNIT_KIND_TEAM)
    directory.a_user("Head", own.id, pb.ROLE_HEAD, login="head")
    with directory.acting_as("head"):
        seen = directory.call("ListUnits", pb.ListUnitsRequest()).units
        assert [unit.path for unit in seen] == ["hq", "hq.a", "hq.a.team"]
        for text in (other.id, "hq.b", "b"):
            refused("UNIT_NOT_FOUND", lambda text=text: get(directory, text))
        team.name = "New"
        refused("NOT_PERMITTED", lambda: update(directory, team, "name"))
        refused("NOT_PERMITTED", lambda: directory.a_unit("new", own.id))
        other.name = "New"
        refused("UNIT_NOT_FOUND", lambda: update(directory, other, "name"))


def test_an_underscore_in_a_code_is_no_wildcard(directory: Any, refused: Any) -> None:
    own, alike = directory.a_unit("a_b"), directory.a_unit("axb")
    hidden = directory.a_unit("team", alike.id, kind=pb.UNIT_KIND_TEAM)
    directory.a_user("Hidden", hidden.id)
    directory.a_user("Head", own.id, pb.ROLE_HEAD, login="head")
    with directory.acting_as("head"):
        refused("UNIT_NOT_FOUND", lambda: get(directory, hidden.id))
        seen = directory.call("ListUsers", pb.ListUsersRequest()).users
        assert [user.display_name for user in seen] == ["Head"]


def test_names_in_any_script_come_back_as_written(directory: Any, hostile_texts: list[str]) -> None:
    unit = directory.a_unit("ulm")
    for text in hostile_texts:
        unit.name = text
        assert update(directory, unit, "name").name == text


def test_finding_a_subtree_uses_the_index_of_paths(directory: Any) -> None:
    with directory.database.transaction() as work:
        work.execute(
            sa.text(
                "INSERT INTO unit (id, parent_id, kind, code, name, name_key, path, country_code, area_code, time_zone,"
                " currency_code, create_time) SELECT gen_random_uuid(), :top, 'branch', 'u' || n, 'U', 'u',"
                " 'hq.u' || n, 'DE', '', 'UTC', 'EUR', now() FROM generate_series(1, 20000) n"
            ),
            {"top": directory.company_id},
        )
        work.execute(sa.text("ANALYZE unit"))
        plan = "\n".join(work.execute(sa.text("EXPLAIN SELECT id FROM unit WHERE path LIKE 'hq.u77.%'")).scalars())
    assert "unit_path_below" in plan or "unit_path_key" in plan
