"""Users: coming, changing, positions, leaving, and who sees them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date

from chassis.paging import make_token
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from crm.directory.v1 import directory_pb2 as pb

PASSWORD = "correct horse battery"


def update(directory: Any, user: pb.User, *paths: str, etag: str = "", password: str = "") -> pb.User:
    mask = FieldMask(paths=paths)
    request = pb.UpdateUserRequest(user=user, update_mask=mask, etag=etag, password=password)
    return directory.call("UpdateUser", request).user  # type: ignore[no-any-return]


def get(directory: Any, user_id: str = "") -> pb.User:
    return directory.call("GetUser", pb.GetUserRequest(user_id=user_id)).user  # type: ignore[no-any-return]


def test_a_user_comes_with_positions_and_is_told_to_the_unit(directory: Any) -> None:
    branch = directory.a_unit("ulm")
    directory.events()
    user = directory.a_user("Anna Ödegård", branch.id, email="Anna@Acme.de", aliases=["A. Odegard"])
    assert get(directory, user.id) == user
    assert (user.email, user.active, list(user.aliases)) == ("Anna@Acme.de", True, ["A. Odegard"])
    (told,) = directory.events()
    assert isinstance(told, events_pb.UserCreated)
    assert [one.unit_id for one in told.user.positions] == [branch.id]
    assert told.user.personal.email == "Anna@Acme.de"


def test_positions_are_added_and_ended_and_stay_in_the_history(directory: Any, refused: Any) -> None:
    first, second = directory.a_unit("a"), directory.a_unit("b")
    user = directory.a_user("Anna", first.id)
    position = pb.Position(user_id=user.id, unit_id=second.id, title="Head", role=pb.ROLE_HEAD)
    position.start_date.CopyFrom(Date(year=2026, month=1, day=1))
    held = directory.call("AddPosition", pb.AddPositionRequest(position=position)).user
    assert [one.title for one in held.positions] == ["Seller", "Head"]
    end = pb.EndPositionRequest(position_id=held.positions[1].id, end_date=Date(year=2026, month=3, day=1))
    ended = directory.call("EndPosition", end).user
    assert ended.positions[1].end_date == Date(year=2026, month=3, day=1)
    assert ended.etag == "3"
    early = pb.EndPositionRequest(position_id=held.positions[1].id, end_date=Date(year=2025, month=3, day=1))
    refused("FIELD_INVALID", lambda: directory.call("EndPosition", early), "end_date")
    unknown = pb.EndPositionRequest(position_id=user.id, end_date=Date(year=2025, month=3, day=1))
    refused("POSITION_NOT_FOUND", lambda: directory.call("EndPosition", unknown))


def test_a_leaver_keeps_the_name_and_the_last_day_and_cannot_sign_in(directory: Any, refused: Any) -> None:
    user = directory.a_user("Anna", directory.a_unit("a").id, login="anna")
    signed = directory.sign_in("anna")
    user.leave_date.CopyFrom(Date(year=2026, month=1, day=31))
    user.active = False
    left = update(directory, user, "leave_date", "active")
    assert (left.display_name, left.leave_date, left.active) == ("Anna", Date(year=2026, month=1, day=31), False)
    refused("SIGN_IN_REFUSED", lambda: directory.sign_in("anna"))
    again = pb.RefreshTokenRequest(refresh_token=signed.refresh_token)
    refused("SIGN_IN_REFUSED", lambda: directory.open_call("RefreshToken", again))
    with directory.acting_as("anna"):
        refused("SIGN_IN_REFUSED", lambda: get(directory))


def test_a_login_belongs_to_one_user_whatever_its_case(directory: Any, refused: Any) -> None:
    directory.a_user("Anna", login="anna")
    refused("LOGIN_TAKEN", lambda: directory.a_user("Other", login="ANNA"))
    other = directory.a_user("Other", login="other")
    other.login = "Anna"
    refused("LOGIN_TAKEN", lambda: update(directory, other, "login"))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"display_name": ""}, "user.display_name"),
        ({"display_name": "x" * 201}, "user.display_name"),
        ({"display_name": "a\0b"}, "user.display_name"),
        ({"email": "nobody"}, "user.email"),
        ({"email": "x" * 250 + "@a.de"}, "user.email"),
        ({"aliases": ["x" * 201]}, "user.aliases"),
        ({"leave_date": Date(year=2026, month=13, day=1)}, "user.leave_date"),
        ({"positions": [pb.Position(role=pb.ROLE_UNSPECIFIED)]}, "user.positions[0].role"),
    ],
)
def test_a_wrong_value_names_its_field(directory: Any, refused: Any, values: dict[str, Any], field: str) -> None:
    user = pb.User(**{"display_name": "Anna", **values})
    refused("FIELD_INVALID", lambda: directory.call("CreateUser", pb.CreateUserRequest(user=user)), field)
    assert directory.events() == []


@pytest.mark.parametrize("password", ["short", "x" * 201, "nul\0nul\0nul\0"])
def test_a_weak_password_is_refused(directory: Any, refused: Any, password: str) -> None:
    request = pb.CreateUserRequest(user=pb.User(display_name="Anna", login="anna"), password=password)
    refused("FIELD_INVALID", lambda: directory.call("CreateUser", request), "password")


def test_a_stale_etag_and_a_strange_mask_are_refused(directory: Any, refused: Any) -> None:
    user = directory.a_user("Anna")
    user.display_name = "Anne"
    update(directory, user, "display_name", etag="1")
    refused("STALE_ETAG", lambda: update(directory, user, "display_name", etag="1"))
    refused("FIELD_INVALID", lambda: update(directory, user, "id"), "update_mask")
    refused("FIELD_INVALID", lambda: update(directory, user), "update_mask")


def test_a_head_sees_the_people_of_the_subtree_only_and_changes_nobody(directory: Any, refused: Any) -> None:
    own, other = directory.a_unit("a"), directory.a_unit("b")
    mate = directory.a_user("Mate", own.id)
    stranger = directory.a_user("Stranger", other.id)
    head = directory.a_user("Head", own.id, pb.ROLE_HEAD, login="head")
    with directory.acting_as("head"):
        seen = directory.call("ListUsers", pb.ListUsersRequest()).users
        assert [user.display_name for user in seen] == ["Head", "Mate"]
        assert get(directory).id == head.id
        refused("USER_NOT_FOUND", lambda: get(directory, stranger.id))
        refused("USER_NOT_FOUND", lambda: get(directory, "no id"))
        refused("UNIT_NOT_FOUND", lambda: directory.call("ListUsers", pb.ListUsersRequest(unit_id=other.id)))
        refused("NOT_PERMITTED", lambda: update(directory, mate, "display_name"))
        refused("NOT_PERMITTED", lambda: directory.a_user("New", own.id, pb.ROLE_HEAD))
        refused("NOT_PERMITTED", lambda: directory.a_user("New"))
        own_rise = pb.Position(user_id=head.id, unit_id=own.id, role=pb.ROLE_ADMINISTRATOR)
        refused("NOT_PERMITTED", lambda: directory.call("AddPosition", pb.AddPositionRequest(position=own_rise)))


def test_users_are_found_by_how_words_of_their_name_begin(directory: Any, refused: Any) -> None:
    branch = directory.a_unit("a")
    made = {name: directory.a_user(name, branch.id) for name in ("Anna Sazonova", "Hanna Berg", "Annette Saß", "Ann_%")}
    closed = made["Hanna Berg"]
    closed.active = False
    update(directory, closed, "active")

    def found(query: str, active_only: bool = False) -> list[str]:
        request = pb.ListUsersRequest(query=query, unit_id=branch.id, active_only=active_only)
        return [user.display_name for user in directory.call("ListUsers", request).users]

    assert found("ann") == ["Ann_%", "Anna Sazonova", "Annette Saß"]
    assert found("SAZ anna") == ["Anna Sazonova"]
    assert found("sass") == ["Annette Saß"]
    assert found("ann_") == found("ann%") == found("ann")
    assert found("zonova") == []
    assert (found("hanna"), found("hanna", active_only=True)) == (["Hanna Berg"], [])
    refused("FIELD_INVALID", lambda: found("a" * 201), "query")


def test_users_list_by_name_in_pages_and_by_unit(directory: Any, refused: Any) -> None:
    branch = directory.a_unit("a")
    team = directory.a_unit("team", branch.id, kind=pb.UNIT_KIND_TEAM)
    for name in ("Cilla", "Ähn", "Berta"):
        directory.a_user(name, team.id)
    names, token = [], ""
    for _ in range(2):
        page = directory.call("ListUsers", pb.ListUsersRequest(page_size=2, page_token=token, unit_id=branch.id))
        names += [user.display_name for user in page.users]
        token = page.next_page_token
    assert (names, token) == (["Ähn", "Berta", "Cilla"], "")
    other_question = directory.call("ListUsers", pb.ListUsersRequest(page_size=1)).next_page_token
    strange = pb.ListUsersRequest(page_token=other_question, unit_id=branch.id)
    refused("PAGE_TOKEN_INVALID", lambda: directory.call("ListUsers", strange))
    made_up = make_token(f"users:{branch.id}", ["a", "no id"])
    strange = pb.ListUsersRequest(page_token=made_up, unit_id=branch.id)
    refused("PAGE_TOKEN_INVALID", lambda: directory.call("ListUsers", strange))
    refused("FIELD_INVALID", lambda: directory.call("ListUsers", pb.ListUsersRequest(page_size=1001)), "page_size")


def test_names_in_any_script_come_back_as_written(directory: Any, hostile_texts: list[str]) -> None:
    user = directory.a_user("Anna")
    for text in hostile_texts[::5]:
        user.display_name = text
        user.aliases[:] = [text]
        stored = update(directory, user, "display_name", "aliases")
        assert (stored.display_name, list(stored.aliases)) == (text, [text])


def test_several_users_are_read_at_once_as_far_as_they_are_visible(directory: Any, refused: Any) -> None:
    first, second = directory.a_unit("a"), directory.a_unit("b")
    anna = directory.a_user("Anna", first.id, pb.ROLE_HEAD, login="anna")
    berta, clara = directory.a_user("Berta", first.id), directory.a_user("Clara", second.id)
    asked = pb.BatchGetUsersRequest(user_ids=[anna.id, berta.id, clara.id, "nobody"])
    users = {one.display_name: one for one in directory.call("BatchGetUsers", asked).users}
    assert users == {"Anna": anna, "Berta": berta, "Clara": clara}
    with directory.acting_as("anna"):
        assert {one.display_name for one in directory.call("BatchGetUsers", asked).users} == {"Anna", "Berta"}
    too_many = pb.BatchGetUsersRequest(user_ids=[anna.id] * 501)
    refused("FIELD_INVALID", lambda: directory.call("BatchGetUsers", too_many))
