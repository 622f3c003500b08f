"""The part of the directory's gRPC door that speaks of second factors."""

from __future__ import annotations

import grpc

from chassis.access import ADMINISTER
from chassis.database import Database
from chassis.rpc.server import current_access
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import accounts, second_factors, signing_in
from directory.rules import invalid
from directory.sign_in_policy import CODE
from directory.users import find_user


class FactorCalls(pb_grpc.DirectoryServiceServicer):
    """The calls of crm.directory.v1.DirectoryService on second factors."""

    database: Database
    factor_key: bytes

    def BeginSecondFactor(
        self, request: pb.BeginSecondFactorRequest, context: grpc.ServicerContext
    ) -> pb.BeginSecondFactorResponse:
        """Make a secret."""
        with self.database.transaction(current_access()) as work:
            login, _candidate = accounts.find_own(work)
            secret, uri = second_factors.begin(work, self.factor_key, login)
        return pb.BeginSecondFactorResponse(secret=secret, uri=uri)

    def ConfirmSecondFactor(
        self, request: pb.ConfirmSecondFactorRequest, context: grpc.ServicerContext
    ) -> pb.ConfirmSecondFactorResponse:
        """Switch it on."""
        with self.database.transaction(current_access()) as work:
            codes = second_factors.confirm(work, self.factor_key, request.code)
            accounts.end_others(work)
            signing_in.end_set_up(work, CODE)
        return pb.ConfirmSecondFactorResponse(recovery_codes=codes)

    def EndSecondFactor(
        self, request: pb.EndSecondFactorRequest, context: grpc.ServicerContext
    ) -> pb.EndSecondFactorResponse:
        """Switch it off; a wrong code counts as a wrong sign-in."""
        access = current_access()
        own = request.user_id in ("", access.user_id)
        right = True
        with self.database.transaction(access) as work:
            if own:
                login, _candidate = accounts.find_own(work)
                right = second_factors.take_code(work, self.factor_key, access.user_id, request.code)
            else:
                work.access.require_everywhere(ADMINISTER)
            if right:
                second_factors.end(work, str(find_user(work, request.user_id or access.user_id).id))
            else:
                signing_in.count_wrong(work, login, access.user_id)
        if not right:
            raise invalid("code", "is not right")
        return pb.EndSecondFactorResponse()
