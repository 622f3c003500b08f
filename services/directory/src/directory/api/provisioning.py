"""The part of the directory's gRPC door through which another system brings people and groups in."""

from __future__ import annotations

from typing import Any

import grpc

from chassis.database import Database
from chassis.once import answer_once
from chassis.rpc.server import current_access
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import rules, staff_groups
from directory.messages import timestamp, user_messages

MOST = 200


class ProvisioningCalls(pb_grpc.DirectoryServiceServicer):
    """The calls of crm.directory.v1.DirectoryService on people and groups of another system."""

    database: Database

    def FindUsers(self, request: pb.FindUsersRequest, context: grpc.ServicerContext) -> pb.FindUsersResponse:
        """Find users by what another system knows of them."""
        skip, limit = _page(request)
        with self.database.transaction(current_access()) as work:
            rows, total = staff_groups.find_users(work, request.login, request.external_id, request.email, skip, limit)
            return pb.FindUsersResponse(users=user_messages(work, rows), total=total)

    def SetStaffGroup(
        self, request: pb.SetStaffGroupRequest, context: grpc.ServicerContext
    ) -> pb.SetStaffGroupResponse:
        """Make or change a group."""
        asked = request.group
        new = staff_groups.NewGroup(asked.id, asked.display_name, asked.external_id, tuple(asked.user_ids))

        def act() -> pb.SetStaffGroupResponse:
            row = staff_groups.set_group(work, new, request.etag)
            members = staff_groups.members_of(work, [row.id])[row.id]
            return pb.SetStaffGroupResponse(group=_group_message(row, members))

        with self.database.transaction(current_access()) as work:
            return answer_once(work, request, pb.SetStaffGroupResponse, act)

    def ListStaffGroups(
        self, request: pb.ListStaffGroupsRequest, context: grpc.ServicerContext
    ) -> pb.ListStaffGroupsResponse:
        """List groups."""
        skip, limit = _page(request)
        with self.database.transaction(current_access()) as work:
            rows, total, members = staff_groups.list_groups(work, request.group_id, request.display_name, skip, limit)
        groups = [_group_message(row, members[row.id]) for row in rows]
        return pb.ListStaffGroupsResponse(groups=groups, total=total)

    def RemoveStaffGroup(
        self, request: pb.RemoveStaffGroupRequest, context: grpc.ServicerContext
    ) -> pb.RemoveStaffGroupResponse:
        """Remove one."""
        with self.database.transaction(current_access()) as work:
            staff_groups.remove_group(work, request.group_id)
        return pb.RemoveStaffGroupResponse()


def _page(request: Any) -> tuple[int, int]:
    """How many to skip, and how many to answer at most. Errors: FieldInvalid."""
    if not (0 <= request.skip <= 10_000_000 and 0 <= request.count <= MOST):
        raise rules.invalid("count", f"is {request.count} after {request.skip}; use 0 to {MOST}")
    return request.skip, request.count


def _group_message(row: Any, members: list[str]) -> pb.StaffGroup:
    return pb.StaffGroup(
        id=row.id,
        etag=str(row.version),
        display_name=row.display_name,
        external_id=row.external_id,
        user_ids=members,
        unit_id=row.unit_id or "",
        role_code=row.role,
        create_time=timestamp(row.create_time),
    )
