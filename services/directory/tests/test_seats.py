"""Seats: places apart from people; what a leaver was responsible for stays with the seat until it is handed over."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from crm.directory.v1 import directory_pb2 as pb


def a_seat(directory: Any, unit_id: str, **values: Any) -> pb.Seat:
    seat = pb.Seat(**{"unit_id": unit_id, "title": "Key accounts", "role_code": "seller", **values})
    return directory.call("SetSeat", pb.SetSeatRequest(seat=seat)).seat  # type: ignore[no-any-return]


def hold(directory: Any, user: pb.User, seat: pb.Seat) -> pb.User:
    position = pb.Position(user_id=user.id, seat_id=seat.id)
    return directory.call("AddPosition", pb.AddPositionRequest(position=position)).user  # type: ignore[no-any-return]


def stands_in_for(directory: Any, login: str) -> tuple[str, ...]:
    found: tuple[str, ...] = directory.verifier.verify(directory.sign_in(login).access_token).stands_in_for
    return found


def test_people_hold_a_seat_with_its_unit_title_and_role(directory: Any) -> None:
    branch = directory.a_unit("bonn")
    seat = a_seat(directory, branch.id)
    [held] = hold(directory, directory.a_user("Hanna Holder"), seat).positions
    assert (held.unit_id, held.title, held.role_code, held.seat_id) == (branch.id, "Key accounts", "seller", seat.id)
    hold(directory, directory.a_user("Second Holder"), seat)
    [listed] = directory.call("ListSeats", pb.ListSeatsRequest(unit_id=branch.id)).seats
    assert (listed.id, len(listed.positions)) == (seat.id, 2)


def test_what_a_leaver_had_counts_as_the_next_holders_own_and_a_colleagues_does_not(directory: Any) -> None:
    branch = directory.a_unit("bonn")
    seat = a_seat(directory, branch.id)
    leaver = directory.a_user("Leo Leaver", login="leo")
    heir, colleague = directory.a_user("Hedi Heir", login="hedi"), directory.a_user("Cora Colleague")
    for one in (leaver, colleague, heir):
        hold(directory, one, seat)
    assert stands_in_for(directory, "hedi") == ()
    closed = pb.User(id=leaver.id, active=False)
    directory.call("UpdateUser", pb.UpdateUserRequest(user=closed, update_mask=FieldMask(paths=["active"])))
    assert stands_in_for(directory, "hedi") == (leaver.id,)


def test_a_seat_that_was_held_keeps_its_unit_and_role(directory: Any, refused: Any) -> None:
    branch, other = directory.a_unit("bonn"), directory.a_unit("kiel")
    seat = a_seat(directory, branch.id)
    assert a_seat(directory, other.id, id=seat.id).unit_id == other.id
    hold(directory, directory.a_user("Hanna Holder"), seat)
    refused("FIELD_INVALID", lambda: a_seat(directory, branch.id, id=seat.id), "seat.unit_id")
    assert a_seat(directory, other.id, id=seat.id, title="Keys").title == "Keys"
    refused("SEAT_NOT_FOUND", lambda: a_seat(directory, branch.id, id="nobody"))
