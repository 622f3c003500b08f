"""The part of the directory's gRPC door through which people come in other ways than by a password alone."""

from __future__ import annotations

import grpc

from chassis.database import Database
from chassis.rpc.server import current_access
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import passkeys, provider_users, queries, second_factors, sign_in_policy, signing_in, users
from directory.api.tokens import TokenCalls
from directory.errors import PasskeyNeeded, ProviderAway, SignInRefused
from directory.messages import role_message, user_messages
from directory.provider import Provider

NO_PROVIDER = "no provider is configured here"
NOT_HERE = "people with your role sign in at the provider or with a passkey"
STRANGER = "the provider knows you, and nobody here has your e-mail; ask an administrator"


class SignInCalls(TokenCalls, pb_grpc.DirectoryServiceServicer):
    """The calls of crm.directory.v1.DirectoryService by which people come in."""

    database: Database
    factor_key: bytes
    provider: Provider | None = None

    def GetSignInWays(
        self, request: pb.GetSignInWaysRequest, context: grpc.ServicerContext
    ) -> pb.GetSignInWaysResponse:
        """Say how people sign in."""
        there = self.provider
        name = (there.settings.name or there.settings.issuer) if there else ""
        return pb.GetSignInWaysResponse(provider_name=name)

    def BeginProviderSignIn(
        self, request: pb.BeginProviderSignInRequest, context: grpc.ServicerContext
    ) -> pb.BeginProviderSignInResponse:
        """Send the browser to the provider."""
        url, ticket = self._provider().begin(request.redirect_uri)
        return pb.BeginProviderSignInResponse(authorization_url=url, ticket=ticket)

    def SignInWithProvider(
        self, request: pb.SignInWithProviderRequest, context: grpc.ServicerContext
    ) -> pb.SignInWithProviderResponse:
        """Let in whom the provider means; it is asked without a transaction."""
        word = self._provider().end(request.ticket, request.code, request.state)
        origin = signing_in.Origin(request.device, request.address)
        with self.database.transaction() as work:
            user_id = provider_users.find_user_of(work, word, signing_in.told(origin))
        if not user_id:
            raise SignInRefused(STRANGER)
        with self.database.transaction() as work:
            access, refresh = signing_in.open_session(work, "", user_id, origin, by="SignInWithProvider")
            user = user_messages(work, [users.find_user(work, access.user_id)])[0]
        return pb.SignInWithProviderResponse(user=user, refresh_token=refresh, **self.signed(access))

    def SetRoleSignIn(
        self, request: pb.SetRoleSignInRequest, context: grpc.ServicerContext
    ) -> pb.SetRoleSignInResponse:
        """Say how those with a role sign in."""
        with self.database.transaction(current_access()) as work:
            row = sign_in_policy.set_role_sign_in(work, request.code, request.password_off, request.factor)
            allowed = queries.permissions_of(work, [row.code]).get(row.code, ())
            return pb.SetRoleSignInResponse(role=role_message(row, allowed))

    def what_to_set_up(self, user_id: str) -> str:
        """What somebody whose password was right must set up first. Errors: SignInRefused, PasskeyNeeded."""
        with self.database.transaction() as work:
            policy = sign_in_policy.policy_of(work, user_id)
            if policy.password_off:
                raise SignInRefused(NOT_HERE)
            if policy.factor == sign_in_policy.PASSKEY:
                if passkeys.has_any(work, user_id):
                    raise PasskeyNeeded("sign in with your passkey")
                return sign_in_policy.PASSKEY
            if policy.factor == sign_in_policy.CODE and not second_factors.is_on(work, user_id):
                return sign_in_policy.CODE
        return ""

    def _provider(self) -> Provider:
        if self.provider is None:
            raise ProviderAway(NO_PROVIDER)
        return self.provider
