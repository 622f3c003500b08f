"""The part of the directory's gRPC door that speaks of the own account: its password, and where it is signed in."""

from __future__ import annotations

import grpc

from chassis import paging
from chassis.database import Database
from chassis.rpc.server import current_access
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import accounts, passwords, rules, signing_in
from directory.api.page_keys import id_in
from directory.messages import session_message


class AccountCalls(pb_grpc.DirectoryServiceServicer):
    """The calls of crm.directory.v1.DirectoryService on accounts."""

    database: Database
    turnstile: passwords.Turnstile

    def ChangePassword(
        self, request: pb.ChangePasswordRequest, context: grpc.ServicerContext
    ) -> pb.ChangePasswordResponse:
        """Give the caller another password; the slow part runs without a transaction, wrong tries count as sign-ins."""
        access = current_access()
        rules.check_password(request.new_password, "new_password")
        with self.turnstile.turn():
            with self.database.transaction(access) as work:
                login, candidate = accounts.find_own(work)
            if not passwords.is_right(candidate.password_hash, request.old_password[: rules.MAX_PASSWORD]):
                with self.database.transaction() as work:
                    signing_in.count_wrong(work, login, access.user_id)
                raise rules.invalid("old_password", "is not your password")
            hashed = passwords.hash_password(request.new_password)
        with self.database.transaction(access) as work:
            return pb.ChangePasswordResponse(ended=accounts.set_password(work, hashed))

    def ListSessions(self, request: pb.ListSessionsRequest, context: grpc.ServicerContext) -> pb.ListSessionsResponse:
        """List where a user is signed in."""
        access, size = current_access(), paging.page_size(request.page_size, 200, 1000)
        question = f"sessions:{request.user_id}"
        after = id_in(paging.read_token(question, request.page_token))
        with self.database.transaction(access) as work:
            rows = accounts.list_sessions(work, request.user_id, after, size + 1)
        token = paging.make_token(question, [rows[size - 1].id]) if len(rows) > size else ""
        page = [session_message(row, access.session_id) for row in rows[:size]]
        return pb.ListSessionsResponse(sessions=page, next_page_token=token)

    def EndSessions(self, request: pb.EndSessionsRequest, context: grpc.ServicerContext) -> pb.EndSessionsResponse:
        """End one session or all others."""
        with self.database.transaction(current_access()) as work:
            return pb.EndSessionsResponse(ended=accounts.end_sessions(work, request.user_id, request.session_id))
