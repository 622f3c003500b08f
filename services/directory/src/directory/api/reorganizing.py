"""The part of the directory's gRPC door that speaks of reorganizations and of seats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc

from chassis import paging
from chassis.database import Database
from chassis.dates import from_date, to_date
from chassis.once import answer_once
from chassis.rpc.server import current_access
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import reorganizing, seats
from directory.api.page_keys import id_in
from directory.foreseeing import Preview
from directory.messages import position_message, timestamp
from directory.units import find_unit

KIND_NUMBERS = {name: pb.ReorganizationKind.Value(f"REORGANIZATION_KIND_{name.upper()}") for name in reorganizing.KINDS}
KINDS = {number: name for name, number in KIND_NUMBERS.items()}


class ReorganizingCalls(pb_grpc.DirectoryServiceServicer):
    """The calls of crm.directory.v1.DirectoryService on reorganizations and seats."""

    database: Database

    def ReorganizeUnit(
        self, request: pb.ReorganizeUnitRequest, context: grpc.ServicerContext
    ) -> pb.ReorganizeUnitResponse:
        """Move, merge, split or close a unit."""
        asked = _asked(request.reorganization)

        def act() -> pb.ReorganizeUnitResponse:
            row, preview = reorganizing.reorganize_unit(work, asked, request.dry_run)
            stored = _reorganization_message(row) if row is not None else request.reorganization
            return pb.ReorganizeUnitResponse(reorganization=stored, preview=_preview_message(preview))

        with self.database.transaction(current_access()) as work:
            return act() if request.dry_run else answer_once(work, request, pb.ReorganizeUnitResponse, act)

    def ListReorganizations(
        self, request: pb.ListReorganizationsRequest, context: grpc.ServicerContext
    ) -> pb.ListReorganizationsResponse:
        """List what was and will be reorganized."""
        size = paging.page_size(request.page_size, 200, 1000)
        after = id_in(paging.read_token("reorganizations", request.page_token))
        with self.database.transaction(current_access()) as work:
            rows = reorganizing.list_reorganizations(work, after, size + 1)
        token = paging.make_token("reorganizations", [rows[size - 1].id]) if len(rows) > size else ""
        found = [_reorganization_message(row) for row in rows[:size]]
        return pb.ListReorganizationsResponse(reorganizations=found, next_page_token=token)

    def CancelReorganization(
        self, request: pb.CancelReorganizationRequest, context: grpc.ServicerContext
    ) -> pb.CancelReorganizationResponse:
        """Take a planned one back."""
        with self.database.transaction(current_access()) as work:
            row = reorganizing.cancel_reorganization(work, request.reorganization_id)
            return pb.CancelReorganizationResponse(reorganization=_reorganization_message(row))

    def SetSeat(self, request: pb.SetSeatRequest, context: grpc.ServicerContext) -> pb.SetSeatResponse:
        """Make or change a seat."""
        asked = request.seat
        end = from_date(asked.end_date, "seat.end_date")
        new = seats.NewSeat(asked.id, asked.unit_id, asked.title, asked.role_code, end)

        def act() -> pb.SetSeatResponse:
            row = seats.set_seat(work, new)
            return pb.SetSeatResponse(seat=_seat_message(row, seats.holders_of(work, [row.id])[row.id]))

        with self.database.transaction(current_access()) as work:
            return answer_once(work, request, pb.SetSeatResponse, act)

    def ListSeats(self, request: pb.ListSeatsRequest, context: grpc.ServicerContext) -> pb.ListSeatsResponse:
        """List seats with their holders."""
        size = paging.page_size(request.page_size, 200, 1000)
        question = f"seats:{request.unit_id}"
        after = id_in(paging.read_token(question, request.page_token))
        with self.database.transaction(current_access()) as work:
            inside = find_unit(work, request.unit_id).path if request.unit_id else None
            rows = seats.list_seats(work, inside, after, size + 1)
            holders = seats.holders_of(work, [row.id for row in rows])
        token = paging.make_token(question, [rows[size - 1].id]) if len(rows) > size else ""
        page = [_seat_message(row, holders[row.id]) for row in rows[:size]]
        return pb.ListSeatsResponse(seats=page, next_page_token=token)


def _asked(message: pb.Reorganization) -> reorganizing.Asked:
    return reorganizing.Asked(
        kind=KINDS.get(message.kind, ""),
        unit_id=message.unit_id,
        into_id=message.into_unit_id,
        code=message.code,
        name=message.name,
        user_ids=tuple(message.user_ids),
        day=from_date(message.day, "reorganization.day"),
        note=message.note,
    )


def _reorganization_message(row: Any) -> pb.Reorganization:
    return pb.Reorganization(
        id=row.id,
        kind=KIND_NUMBERS[row.kind],
        unit_id=row.unit_id,
        into_unit_id=row.into_id or "",
        code=row.code,
        name=row.name,
        user_ids=row.user_ids,
        day=to_date(row.day),
        note=row.note,
        state=pb.ReorganizationState.Value(f"REORGANIZATION_STATE_{row.state.upper()}"),
        requester_id=row.requester_id,
        create_time=timestamp(row.create_time),
        decide_time=timestamp(row.decide_time) if row.decide_time else None,
        refusal=row.refusal,
    )


def _preview_message(preview: Preview) -> pb.ReorganizationPreview:
    return pb.ReorganizationPreview(
        units=preview.units,
        people=preview.people,
        positions=preview.positions,
        path_before=preview.path_before,
        path_after=preview.path_after,
        losing=preview.losing,
        losing_names=preview.losing_names,
        gaining=preview.gaining,
        gaining_names=preview.gaining_names,
    )


def _seat_message(row: Any, positions: Sequence[Any]) -> pb.Seat:
    return pb.Seat(
        id=row.id,
        unit_id=row.unit_id,
        title=row.title,
        role_code=row.role,
        end_date=to_date(row.end_date),
        positions=[position_message(one) for one in positions],
    )
