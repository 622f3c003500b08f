"""Whom a workbook's names mean, and what becomes of imported users."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from crm.directory.v1 import directory_pb2 as pb


def match(directory: Any, *texts: str, unit_id: str = "") -> list[pb.UserMatch]:
    return list(directory.call("MatchUsers", pb.MatchUsersRequest(texts=texts, unit_id=unit_id)).matches)


def take(directory: Any, *rows: pb.UserRow, dry_run: bool = False, key: str = "") -> list[pb.UserRowFate]:
    request = pb.ImportUsersRequest(rows=rows, dry_run=dry_run, request_id=key)
    return list(directory.call("ImportUsers", request).fates)


@pytest.mark.parametrize(
    "text", ["Versie Hillpert", "hillpert, versie", "VERSIE  HILLPERT", "v.hillpert@acme.de", "versie", "V. Hilpert"]
)
def test_a_user_is_known_by_name_in_any_order_login_email_and_alias(directory: Any, text: str) -> None:
    unit = directory.a_unit("west")
    more = {"login": "versie", "email": "V.Hillpert@acme.de", "aliases": ["V. Hilpert"]}
    user = directory.a_user("Versie Hillpert", unit.id, **more)
    (found,) = match(directory, text)
    assert (found.text, found.user_id, found.unit_id) == (text, user.id, unit.id)


def test_an_unknown_name_gets_the_nearest_names_and_no_guess(directory: Any) -> None:
    unit = directory.a_unit("west")
    directory.a_user("Versie Hillpert", unit.id)
    near, far, blank = match(directory, "Versi Hilpert", "Xqzw", "")
    assert (near.user_id, list(near.suggestions)) == ("", ["Versie Hillpert"])
    assert (far.user_id, list(far.suggestions)) == ("", [])
    assert (blank.user_id, blank.ambiguous) == ("", False)


def test_two_users_of_one_name_stay_undecided_unless_the_unit_decides(directory: Any) -> None:
    west, east = directory.a_unit("west"), directory.a_unit("east")
    first, _ = directory.a_user("Anna Berg", west.id), directory.a_user("Berg Anna", east.id)
    (open_,) = match(directory, "Anna Berg")
    assert (open_.user_id, open_.ambiguous) == ("", True)
    (decided,) = match(directory, "Anna Berg", unit_id=west.id)
    assert (decided.user_id, decided.unit_id) == (first.id, west.id)


def test_matching_never_tells_of_people_the_caller_may_not_see(directory: Any) -> None:
    own, other = directory.a_unit("a"), directory.a_unit("b")
    directory.a_user("Hidden Person", other.id, email="hidden@acme.de")
    directory.a_user("Steward", own.id, pb.ROLE_STEWARD, login="steward")
    with directory.acting_as("steward"):
        for found in match(directory, "Hidden Person", "hidden@acme.de", "Hiden Person"):
            assert (found.user_id, list(found.suggestions), found.ambiguous) == ("", [], False)


def test_too_many_or_too_long_texts_are_refused(directory: Any, refused: Any) -> None:
    refused("FIELD_INVALID", lambda: match(directory, *["a"] * 1001), "texts")
    refused("FIELD_INVALID", lambda: match(directory, "a" * 301), "texts")
    refused("FIELD_INVALID", lambda: match(directory, "a\0"), "texts")


def test_an_import_makes_users_once_and_a_second_one_changes_nothing(directory: Any) -> None:
    unit = directory.a_unit("west")
    directory.events()
    rows = [pb.UserRow(display_name=f"Person {n}", unit_id=unit.id, title="Agent") for n in range(3)]
    dry = take(directory, *rows, dry_run=True)
    assert [(one.fate, one.user_id) for one in dry] == [("created", "")] * 3
    assert directory.events() == []
    first = take(directory, *rows)
    assert [one.fate for one in first] == ["created"] * 3
    told = directory.events()
    assert [event.user.display_name for event in told] == ["Person 0", "Person 1", "Person 2"]
    assert told[0].user.positions[0].role == "none"
    assert [one.fate for one in take(directory, *rows)] == ["unchanged"] * 3
    assert directory.events() == []


def test_a_row_changes_title_email_and_adds_the_position_in_another_unit(directory: Any) -> None:
    west, east = directory.a_unit("west"), directory.a_unit("east")
    row = pb.UserRow(display_name="Anna Berg", unit_id=west.id, title="Agent")
    (made,) = take(directory, row)
    row.title, row.email = "Senior agent", "anna@acme.de"
    (changed,) = take(directory, row)
    assert (changed.fate, changed.user_id) == ("updated", made.user_id)
    row.unit_id = east.id
    (moved,) = take(directory, row)
    assert (moved.fate, moved.user_id) == ("updated", made.user_id)
    user = directory.call("GetUser", pb.GetUserRequest(user_id=made.user_id)).user
    assert [(one.unit_id, one.title) for one in user.positions] == [
        (west.id, "Senior agent"),
        (east.id, "Senior agent"),
    ]
    assert user.email == "anna@acme.de"


def test_the_number_a_file_knows_a_user_by_becomes_another_spelling(directory: Any) -> None:
    unit = directory.a_unit("west")
    row = pb.UserRow(display_name="Anna Berg", unit_id=unit.id, aliases=["E-17"])
    (made,) = take(directory, row)
    assert match(directory, "e-17")[0].user_id == made.user_id
    row.aliases.append("A. Berg")
    assert [take(directory, row)[0].fate for _ in range(2)] == ["updated", "unchanged"]
    assert match(directory, "Berg, A.")[0].user_id == made.user_id


def test_rows_that_cannot_be_taken_say_why_and_the_others_are_taken(directory: Any) -> None:
    unit = directory.a_unit("west")
    rows = [
        pb.UserRow(display_name="Anna", email="anna@acme.de", unit_id=unit.id),
        pb.UserRow(display_name="Anna", email="anna@acme.de", unit_id=unit.id),
        pb.UserRow(display_name="Berta", email="anna@acme.de", unit_id=unit.id),
        pb.UserRow(display_name="", unit_id=unit.id),
        pb.UserRow(display_name="Cilla", unit_id="nowhere"),
        pb.UserRow(display_name="D\0ra", unit_id=unit.id),
    ]
    fates = take(directory, *rows)
    assert [one.fate for one in fates] == ["created", "unchanged", "refused", "refused", "refused", "refused"]
    assert all(one.reason for one in fates[2:])


def test_a_steward_imports_people_but_gives_no_rights(directory: Any) -> None:
    own, other = directory.a_unit("a"), directory.a_unit("b")
    directory.a_user("Steward", own.id, pb.ROLE_STEWARD, login="steward")
    rows = [
        pb.UserRow(display_name="Anna", unit_id=own.id),
        pb.UserRow(display_name="Berta", unit_id=own.id, role=pb.ROLE_HEAD),
        pb.UserRow(display_name="Cilla", unit_id=other.id),
        pb.UserRow(display_name="Dora", unit_id=own.id, role=pb.ROLE_ADMINISTRATOR),
    ]
    with directory.acting_as("steward"):
        assert [one.fate for one in take(directory, *rows)] == ["created", "refused", "refused", "refused"]


def test_the_same_import_twice_at_once_makes_everybody_once(directory: Any) -> None:
    unit = directory.a_unit("west")
    rows = [pb.UserRow(display_name=f"Person {n}", unit_id=unit.id) for n in range(50)]
    with ThreadPoolExecutor(4) as pool:
        fates = list(pool.map(lambda n: take(directory, *rows, key=f"k{n % 2}"), range(4)))
    assert len({one.user_id for answer in fates for one in answer}) == 50
    listed = directory.call("ListUsers", pb.ListUsersRequest(unit_id=unit.id)).users
    assert len(listed) == 50
