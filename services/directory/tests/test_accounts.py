"""The own account: another password, a look at where it is signed in, and sessions that end."""

from __future__ import annotations

from typing import Any

import pytest

from crm.directory.v1 import directory_pb2 as pb

from .conftest import PASSWORD

NEW = "another horse battery"


@pytest.fixture
def seller(directory: Any) -> Any:
    """The directory, called by a seller with one session."""
    directory.seller = directory.a_user("Seller", directory.a_unit("a").id, login="seller")
    with directory.acting_as("seller"):
        yield directory


def change(directory: Any, old: str, new: str) -> pb.ChangePasswordResponse:
    asked = pb.ChangePasswordRequest(old_password=old, new_password=new)
    return directory.call("ChangePassword", asked)  # type: ignore[no-any-return]


def sessions(directory: Any, user_id: str = "") -> list[pb.Session]:
    return list(directory.call("ListSessions", pb.ListSessionsRequest(user_id=user_id)).sessions)


def sign_in(directory: Any, device: str = "", address: str = "") -> pb.SignInResponse:
    asked = pb.SignInRequest(login="seller", password=PASSWORD, device=device, address=address)
    return directory.open_call("SignIn", asked)  # type: ignore[no-any-return]


def test_a_new_password_ends_the_other_sessions_and_keeps_the_one_that_asked(seller: Any, refused: Any) -> None:
    other = sign_in(seller)
    assert change(seller, PASSWORD, NEW).ended == 1
    assert [one.current for one in sessions(seller)] == [True]
    renew = pb.RefreshTokenRequest(refresh_token=other.refresh_token)
    refused("SIGN_IN_REFUSED", lambda: seller.open_call("RefreshToken", renew))
    refused("SIGN_IN_REFUSED", lambda: sign_in(seller))
    assert seller.sign_in("seller", NEW).access_token


def test_a_wrong_old_password_changes_nothing_and_counts_as_a_wrong_sign_in(seller: Any, refused: Any) -> None:
    other = sign_in(seller)
    for _ in range(10):
        answer = refused("FIELD_INVALID", lambda: change(seller, "wrong", NEW))
        assert answer.violations[0].field == "old_password"
    refused("SIGN_IN_THROTTLED", lambda: change(seller, PASSWORD, NEW))
    refused("SIGN_IN_THROTTLED", lambda: sign_in(seller))
    renew = pb.RefreshTokenRequest(refresh_token=other.refresh_token)
    assert seller.open_call("RefreshToken", renew).access_token


@pytest.mark.parametrize("new", ["short", "x" * 201, "has a \0 in it"])
def test_a_password_that_cannot_be_kept_is_refused_by_name(seller: Any, refused: Any, new: str) -> None:
    assert refused("FIELD_INVALID", lambda: change(seller, PASSWORD, new)).violations[0].field == "new_password"


def test_the_list_says_where_each_session_came_from(seller: Any) -> None:
    sign_in(seller, device="Mozilla/5.0 (X11)\r\n" + "x" * 500, address="192.0.2.7")
    latest, first = sessions(seller)
    assert (latest.device[:19], len(latest.device), latest.address) == ("Mozilla/5.0 (X11)  ", 200, "192.0.2.7")
    assert (latest.current, first.current, first.device) == (False, True, "")
    assert latest.create_time.ToSeconds() >= first.create_time.ToSeconds()


def test_a_long_list_comes_in_pages(seller: Any, refused: Any) -> None:
    for _ in range(4):
        sign_in(seller)
    found: list[str] = []
    asked = pb.ListSessionsRequest(page_size=2)
    while True:
        answer = seller.call("ListSessions", asked)
        found += [one.id for one in answer.sessions]
        asked.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == 5
    refused("PAGE_TOKEN_INVALID", lambda: seller.call("ListSessions", pb.ListSessionsRequest(page_token="x")))


def test_an_ended_session_is_locked_out_at_once_where_the_directory_is_asked(seller: Any, refused: Any) -> None:
    sign_in(seller)
    other = next(one for one in sessions(seller) if not one.current)
    mine = next(one for one in sessions(seller) if one.current)
    assert seller.call("EndSessions", pb.EndSessionsRequest(session_id=other.id)).ended == 1
    refused("SESSION_NOT_FOUND", lambda: seller.call("EndSessions", pb.EndSessionsRequest(session_id=other.id)))
    assert seller.call("GetUser", pb.GetUserRequest()).user.id == seller.seller.id
    assert seller.call("EndSessions", pb.EndSessionsRequest(session_id=mine.id)).ended == 1
    refused("SIGN_IN_REFUSED", lambda: seller.call("GetUser", pb.GetUserRequest()))


def test_all_other_sessions_end_at_once(seller: Any) -> None:
    for _ in range(3):
        sign_in(seller)
    assert seller.call("EndSessions", pb.EndSessionsRequest()).ended == 3
    assert [one.current for one in sessions(seller)] == [True]


def test_another_users_sessions_are_an_administrators_matter(seller: Any, refused: Any) -> None:
    theirs = pb.EndSessionsRequest(user_id=seller.admin_id)
    refused("NOT_PERMITTED", lambda: sessions(seller, seller.admin_id))
    refused("NOT_PERMITTED", lambda: seller.call("EndSessions", theirs))
    with seller.acting_as("admin"):
        assert [one.current for one in sessions(seller, seller.seller.id)] == [False]
        assert seller.call("EndSessions", pb.EndSessionsRequest(user_id=seller.seller.id)).ended == 1
        assert sessions(seller, seller.seller.id) == []


def test_strangers_sessions_are_not_found_under_the_own_name(seller: Any, refused: Any) -> None:
    with seller.acting_as("admin"):
        of_admin = sessions(seller)[0].id
    for strange in (of_admin, "nonsense", "0" * 36):
        asked = pb.EndSessionsRequest(session_id=strange)
        refused("SESSION_NOT_FOUND", lambda asked=asked: seller.call("EndSessions", asked))
    with seller.acting_as("admin"):
        assert len(sessions(seller)) == 1
