"""The part of the directory's gRPC door that speaks of passkeys."""

from __future__ import annotations

from typing import Any

import grpc

from chassis.access import ADMINISTER
from chassis.database import Database
from chassis.rpc.server import current_access
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import passkeys, signing_in, users
from directory.api.tokens import TokenCalls
from directory.messages import timestamp, user_messages
from directory.sign_in_policy import PASSKEY


class PasskeyCalls(TokenCalls, pb_grpc.DirectoryServiceServicer):
    """The calls of crm.directory.v1.DirectoryService on passkeys."""

    database: Database
    tickets: passkeys.Tickets

    def BeginPasskey(self, request: pb.BeginPasskeyRequest, context: grpc.ServicerContext) -> pb.BeginPasskeyResponse:
        """Ask the browser for a passkey."""
        with self.database.transaction(current_access()) as work:
            options, ticket = passkeys.begin(work, self.tickets, request.origin)
        return pb.BeginPasskeyResponse(options=options, ticket=ticket)

    def ConfirmPasskey(
        self, request: pb.ConfirmPasskeyRequest, context: grpc.ServicerContext
    ) -> pb.ConfirmPasskeyResponse:
        """Keep it."""
        with self.database.transaction(current_access()) as work:
            row = passkeys.confirm(work, self.tickets, request.ticket, request.credential, request.name)
            signing_in.end_set_up(work, PASSKEY)
            return pb.ConfirmPasskeyResponse(passkey=_message(row))

    def ListPasskeys(self, request: pb.ListPasskeysRequest, context: grpc.ServicerContext) -> pb.ListPasskeysResponse:
        """List passkeys."""
        access = current_access()
        if request.user_id not in ("", access.user_id):
            access.require_everywhere(ADMINISTER)
        with self.database.transaction(access) as work:
            user_id = users.find_user(work, request.user_id or access.user_id).id
            rows = passkeys.list_passkeys(work, user_id)
        return pb.ListPasskeysResponse(passkeys=[_message(row) for row in rows])

    def RemovePasskey(
        self, request: pb.RemovePasskeyRequest, context: grpc.ServicerContext
    ) -> pb.RemovePasskeyResponse:
        """Remove one."""
        with self.database.transaction(current_access()) as work:
            passkeys.remove(work, request.passkey_id)
        return pb.RemovePasskeyResponse()

    def BeginPasskeySignIn(
        self, request: pb.BeginPasskeySignInRequest, context: grpc.ServicerContext
    ) -> pb.BeginPasskeySignInResponse:
        """Ask the browser for a signature."""
        options, ticket = passkeys.begin_sign_in(self.tickets, request.origin)
        return pb.BeginPasskeySignInResponse(options=options, ticket=ticket)

    def SignInWithPasskey(
        self, request: pb.SignInWithPasskeyRequest, context: grpc.ServicerContext
    ) -> pb.SignInWithPasskeyResponse:
        """Let in whose passkey signed."""
        origin = signing_in.Origin(request.device, request.address)
        with self.database.transaction() as work:
            user_id = passkeys.user_by_passkey(
                work, self.tickets, request.ticket, request.credential, signing_in.told(origin)
            )
        if not user_id:
            raise passkeys.refuse()
        with self.database.transaction() as work:
            access, refresh = signing_in.open_session(work, "", user_id, origin, by="SignInWithPasskey")
            user = user_messages(work, [users.find_user(work, access.user_id)])[0]
        return pb.SignInWithPasskeyResponse(user=user, refresh_token=refresh, **self.signed(access))


def _message(row: Any) -> pb.Passkey:
    return pb.Passkey(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        create_time=timestamp(row.create_time),
        use_time=timestamp(row.use_time) if row.use_time else None,
    )
