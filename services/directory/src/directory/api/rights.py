"""The part of the directory's gRPC door that speaks of rights: roles, restrictions, and who may see what."""

from __future__ import annotations

import grpc

from chassis import paging
from chassis.access import READ
from chassis.database import Database
from chassis.dates import from_date
from chassis.once import answer_once
from chassis.rpc.server import current_access
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import field_groups, restrictions, roles, rules, units
from directory.api.page_keys import id_in, name_in
from directory.explaining import Holder, Record, explain_access
from directory.messages import field_group_message, restriction_message, role_message, unit_message
from directory.rights import FieldGroup, Permission


class RightsCalls(pb_grpc.DirectoryServiceServicer):
    """The calls of crm.directory.v1.DirectoryService on rights."""

    database: Database

    def SetRole(self, request: pb.SetRoleRequest, context: grpc.ServicerContext) -> pb.SetRoleResponse:
        """Make or change a role."""
        said = request.role
        asked = [Permission(one.action, one.scope, one.records) for one in said.permissions]
        with self.database.transaction(current_access()) as work:
            row = roles.set_role(work, said.code, said.name, asked, request.etag)
            return pb.SetRoleResponse(role=role_message(row, sorted(set(asked))))

    def ListRoles(self, request: pb.ListRolesRequest, context: grpc.ServicerContext) -> pb.ListRolesResponse:
        """List roles."""
        size = paging.page_size(request.page_size, 200, 1000)
        after = id_in(paging.read_token("roles", request.page_token))
        with self.database.transaction(current_access()) as work:
            found = roles.list_roles(work, after, size + 1)
        token = paging.make_token("roles", [found[size - 1][0].id]) if len(found) > size else ""
        page = [role_message(row, allowed) for row, allowed in found[:size]]
        return pb.ListRolesResponse(roles=page, next_page_token=token)

    def RemoveRole(self, request: pb.RemoveRoleRequest, context: grpc.ServicerContext) -> pb.RemoveRoleResponse:
        """Remove a role."""
        with self.database.transaction(current_access()) as work:
            roles.remove_role(work, request.code)
        return pb.RemoveRoleResponse()

    def SetFieldGroup(
        self, request: pb.SetFieldGroupRequest, context: grpc.ServicerContext
    ) -> pb.SetFieldGroupResponse:
        """Make or change a group of confidential fields."""
        said = request.field_group
        asked = FieldGroup(said.records, said.code, said.name, tuple(said.fields))
        with self.database.transaction(current_access()) as work:
            row = field_groups.set_field_group(work, asked, request.etag)
            return pb.SetFieldGroupResponse(field_group=field_group_message(row))

    def ListFieldGroups(
        self, request: pb.ListFieldGroupsRequest, context: grpc.ServicerContext
    ) -> pb.ListFieldGroupsResponse:
        """List the groups of confidential fields."""
        with self.database.transaction(current_access()) as work:
            found = field_groups.list_field_groups(work)
        return pb.ListFieldGroupsResponse(field_groups=[field_group_message(row) for row in found])

    def RemoveFieldGroup(
        self, request: pb.RemoveFieldGroupRequest, context: grpc.ServicerContext
    ) -> pb.RemoveFieldGroupResponse:
        """Remove a group of confidential fields."""
        with self.database.transaction(current_access()) as work:
            field_groups.remove_field_group(work, request.records, request.code)
        return pb.RemoveFieldGroupResponse()

    def FreezeUnit(self, request: pb.FreezeUnitRequest, context: grpc.ServicerContext) -> pb.FreezeUnitResponse:
        """Stop what could carry data away."""
        if not request.reason.strip():
            raise rules.invalid("reason", "is empty; whoever is stopped reads it")
        with self.database.transaction(current_access()) as work:
            row = units.freeze_unit(work, request.unit_id, request.reason)
            return pb.FreezeUnitResponse(unit=unit_message(row))

    def ThawUnit(self, request: pb.ThawUnitRequest, context: grpc.ServicerContext) -> pb.ThawUnitResponse:
        """Let it go on."""
        with self.database.transaction(current_access()) as work:
            return pb.ThawUnitResponse(unit=unit_message(units.freeze_unit(work, request.unit_id, "")))

    def AddRestriction(
        self,
        request: pb.AddRestrictionRequest,
        context: grpc.ServicerContext,
    ) -> pb.AddRestrictionResponse:
        """Forbid something."""
        new = _new_restriction(request.restriction)
        with self.database.transaction(current_access()) as work:
            return answer_once(
                work,
                request,
                pb.AddRestrictionResponse,
                lambda: pb.AddRestrictionResponse(
                    restriction=restriction_message(restrictions.add_restriction(work, new))
                ),
            )

    def RemoveRestriction(
        self,
        request: pb.RemoveRestrictionRequest,
        context: grpc.ServicerContext,
    ) -> pb.RemoveRestrictionResponse:
        """Take a restriction back."""
        with self.database.transaction(current_access()) as work:
            restrictions.remove_restriction(work, request.restriction_id)
        return pb.RemoveRestrictionResponse()

    def ListRestrictions(
        self,
        request: pb.ListRestrictionsRequest,
        context: grpc.ServicerContext,
    ) -> pb.ListRestrictionsResponse:
        """List restrictions."""
        size = paging.page_size(request.page_size, 200, 1000)
        key = paging.read_token("restrictions", request.page_token)
        with self.database.transaction(current_access()) as work:
            rows = restrictions.list_restrictions(work, id_in(key), size + 1)
        token = paging.make_token("restrictions", [rows[size - 1].id]) if len(rows) > size else ""
        return pb.ListRestrictionsResponse(
            restrictions=[restriction_message(row) for row in rows[:size]], next_page_token=token
        )

    def ExplainAccess(
        self, request: pb.ExplainAccessRequest, context: grpc.ServicerContext
    ) -> pb.ExplainAccessResponse:
        """Say who may do something with a record, and why."""
        size = paging.page_size(request.page_size, 200, 1000)
        asked = Record(request.action or READ, request.records, tuple(request.unit_ids), request.owner_id)
        question = f"access:{asked}"
        key = paging.read_token(question, request.page_token)
        with self.database.transaction(current_access()) as work:
            found = explain_access(work, asked, name_in(key), size + 1)
        last = found[size - 1] if len(found) > size else None
        token = paging.make_token(question, [last.name_key, last.user_id]) if last else ""
        return pb.ExplainAccessResponse(holders=[_holder(one) for one in found[:size]], next_page_token=token)


def _new_restriction(message: pb.Restriction) -> restrictions.NewRestriction:
    return restrictions.NewRestriction(
        unit_id=message.unit_id,
        action=message.action or READ,
        records=message.records,
        user_id=message.user_id,
        role_code=message.role_code,
        reason=message.reason,
        start_date=from_date(message.start_date, "restriction.start_date"),
        end_date=from_date(message.end_date, "restriction.end_date"),
    )


def _holder(one: Holder) -> pb.AccessHolder:
    reasons = [
        pb.AccessReason(
            position_id=rule.position_id,
            role_code=rule.code,
            unit_id=rule.unit_id,
            unit_path=rule.path,
            action=rule.action,
            scope=rule.scope,
            stands_in_for=rule.absent_id or "",
        )
        for rule in one.reasons
    ]
    return pb.AccessHolder(user_id=one.user_id, display_name=one.display_name, reasons=reasons)
