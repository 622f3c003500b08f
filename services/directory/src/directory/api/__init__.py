"""The directory's gRPC door: translate, call, translate."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

import grpc

from chassis import paging
from chassis.access import ADMINISTER, follower_access
from chassis.database import Database
from chassis.dates import from_date
from chassis.errors import FieldInvalid, FieldViolation
from chassis.ids import is_id
from chassis.once import answer_once
from chassis.rpc.server import Servicer, current_access
from chassis.settings import SettingsInvalid
from chassis.tokens import TokenSigner
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import importing, matching, passkeys, passwords, queries, rules, second_factors, signing_in, units, users
from directory.api.accounts import AccountCalls
from directory.api.devices import PasskeyCalls
from directory.api.factors import FactorCalls
from directory.api.keys import KeyCalls
from directory.api.page_keys import name_in
from directory.api.provisioning import ProvisioningCalls
from directory.api.reorganizing import ReorganizingCalls
from directory.api.rights import RightsCalls
from directory.api.sign_in import SignInCalls
from directory.errors import SecondFactorNeeded, SignInRefused
from directory.messages import KINDS, ROLES, unit_message, user_messages
from directory.provider import Provider
from directory.readings import READINGS
from directory.settings import Settings
from units.narrowing import narrow_reading

TEXTS = ("parent_id", "code", "name", "country_code", "area_code", "time_zone", "currency_code")
MOST_USERS = 500
MAX_QUERY = 200
WRONG = "login or password is wrong"
ENDED = "the session has ended; sign in again"
# Who calls these is not signed in yet.
PUBLIC = frozenset(
    (
        "SignIn", "RefreshToken", "SignOut", "ActForUser", "ExchangeApiKey", "GetSignInWays", "BeginProviderSignIn",
        "SignInWithProvider", "BeginPasskeySignIn", "SignInWithPasskey",
    )
)  # fmt: skip


def servicers(settings: Settings) -> tuple[Servicer, ...]:
    """The directory's servicers over its own database. Errors: SettingsInvalid without a private key."""
    if not settings.token_private_key:
        raise SettingsInvalid("settings: DIRECTORY_TOKEN_PRIVATE_KEY is not set (Ed25519 private key as PEM)")
    database = Database(settings.database_url, "directory")
    signer = TokenSigner(settings.token_private_key)
    implementation = DirectoryServicer(database, signer, settings.secrets(), settings.followers())
    implementation.factor_key = second_factors.key_of(settings.token_private_key)
    implementation.tickets = passkeys.Tickets(implementation.factor_key)
    if settings.openid_issuer:
        implementation.provider = Provider(settings.provider(), implementation.factor_key)
    return (
        Servicer(
            "directory", implementation, pb_grpc.add_DirectoryServiceServicer_to_server, PUBLIC, readings=READINGS
        ),
    )


class DirectoryServicer(
    SignInCalls, AccountCalls, FactorCalls, KeyCalls, PasskeyCalls, ProvisioningCalls, ReorganizingCalls, RightsCalls
):
    """Answers the calls of crm.directory.v1.DirectoryService."""

    def __init__(
        self, database: Database, signer: TokenSigner, service_secrets: dict[str, str], follower_secrets: dict[str, str]
    ) -> None:
        self.database, self.signer = database, signer
        self.service_secrets, self.follower_secrets = service_secrets, follower_secrets
        self.turnstile = passwords.Turnstile()

    def CreateUnit(self, request: pb.CreateUnitRequest, context: grpc.ServicerContext) -> pb.CreateUnitResponse:
        """Add a unit."""
        new = _new_unit(request.unit)
        with self.database.transaction(current_access()) as work:
            return answer_once(
                work,
                request,
                pb.CreateUnitResponse,
                lambda: pb.CreateUnitResponse(unit=unit_message(units.create_unit(work, new))),
            )

    def UpdateUnit(self, request: pb.UpdateUnitRequest, context: grpc.ServicerContext) -> pb.UpdateUnitResponse:
        """Change or move a unit."""
        changes = _changes(request.update_mask.paths, _unit_values(request.unit))
        with self.database.transaction(current_access()) as work:
            return pb.UpdateUnitResponse(
                unit=unit_message(units.update_unit(work, request.unit.id, changes, request.etag))
            )

    def GetUnit(self, request: pb.GetUnitRequest, context: grpc.ServicerContext) -> pb.GetUnitResponse:
        """Read a unit by id, path, code or name."""
        with self.database.transaction(current_access()) as work:
            return pb.GetUnitResponse(unit=unit_message(queries.resolve_unit(work, request.unit)))

    def ListUnits(self, request: pb.ListUnitsRequest, context: grpc.ServicerContext) -> pb.ListUnitsResponse:
        """List units by path."""
        size = paging.page_size(request.page_size, 200, 1000)
        day = from_date(request.as_of, "as_of")
        question = f"units:{request.unit_id}" + (f":{day}" if day else "")
        after = paging.read_token(question, request.page_token) or [""]
        with self.database.transaction(current_access()) as work:
            inside = units.find_unit(work, request.unit_id).path if request.unit_id else None
            last = str(after[0]).replace("\0", "")
            if day is None:
                rows = queries.list_units(work, inside, last, size + 1)
            else:
                rows = queries.list_units_as_of(work, day, inside, last, size + 1)
        token = paging.make_token(question, [rows[size - 1].path]) if len(rows) > size else ""
        return pb.ListUnitsResponse(units=[unit_message(row) for row in rows[:size]], next_page_token=token)

    def CreateUser(self, request: pb.CreateUserRequest, context: grpc.ServicerContext) -> pb.CreateUserResponse:
        """Add a user."""
        if request.password and not request.user.login:
            raise rules.invalid("user.login", "is empty; a password needs a login")
        new = _new_user(request, self._hash(request.password) if request.password else None)
        with self.database.transaction(current_access()) as work:
            return answer_once(
                work,
                request,
                pb.CreateUserResponse,
                lambda: pb.CreateUserResponse(user=user_messages(work, [users.create_user(work, new)])[0]),
            )

    def UpdateUser(self, request: pb.UpdateUserRequest, context: grpc.ServicerContext) -> pb.UpdateUserResponse:
        """Change a user."""
        values = {**_user_values(request.user), "password": request.password}
        changes = _changes(request.update_mask.paths, values)
        if "password" in changes:
            changes["password_hash"] = self._hash(changes.pop("password"))
        with self.database.transaction(current_access()) as work:
            row = users.update_user(work, request.user.id, changes, request.etag)
            return pb.UpdateUserResponse(user=user_messages(work, [row])[0])

    def GetUser(self, request: pb.GetUserRequest, context: grpc.ServicerContext) -> pb.GetUserResponse:
        """Read a user; the caller's own account answers only while it is open."""
        access = current_access()
        with self.database.transaction(access) as work:
            if not request.user_id:
                signing_in.require_open(work, access)
            row = users.find_user(work, request.user_id or access.user_id)
            return pb.GetUserResponse(user=user_messages(work, [row])[0])

    def BatchGetUsers(
        self, request: pb.BatchGetUsersRequest, context: grpc.ServicerContext
    ) -> pb.BatchGetUsersResponse:
        """Read several users."""
        if len(request.user_ids) > MOST_USERS:
            raise rules.invalid("user_ids", f"has {len(request.user_ids)} ids; ask for at most {MOST_USERS} at a time")
        with self.database.transaction(current_access()) as work:
            rows = queries.read_users(work, [one for one in request.user_ids if is_id(one)])
            return pb.BatchGetUsersResponse(users=user_messages(work, rows))

    def ListUsers(self, request: pb.ListUsersRequest, context: grpc.ServicerContext) -> pb.ListUsersResponse:
        """List users by name."""
        size = paging.page_size(request.page_size, 200, 1000)
        if len(request.query) > MAX_QUERY:
            raise FieldInvalid(FieldViolation("query", f"is longer than {MAX_QUERY} characters"))
        question = ":".join(["users", request.unit_id, *filter(None, (request.query, "active" * request.active_only))])
        after = name_in(paging.read_token(question, request.page_token))
        with self.database.transaction(current_access()) as work:
            inside = units.find_unit(work, request.unit_id).path if request.unit_id else None
            rows = queries.list_users(work, inside, after, size + 1, request.query, request.active_only)
            page = user_messages(work, rows[:size])
        last = rows[size - 1] if len(rows) > size else None
        token = paging.make_token(question, [last.name_key, last.id]) if last else ""
        return pb.ListUsersResponse(users=page, next_page_token=token)

    def AddPosition(self, request: pb.AddPositionRequest, context: grpc.ServicerContext) -> pb.AddPositionResponse:
        """Give a user a position."""
        new = _new_position(request.position, "position")
        with self.database.transaction(current_access()) as work:
            return answer_once(
                work,
                request,
                pb.AddPositionResponse,
                lambda: pb.AddPositionResponse(
                    user=user_messages(work, [users.add_position(work, request.position.user_id, new)])[0]
                ),
            )

    def EndPosition(self, request: pb.EndPositionRequest, context: grpc.ServicerContext) -> pb.EndPositionResponse:
        """End a position on a day."""
        end = from_date(request.end_date, "end_date")
        if end is None:
            raise rules.invalid("end_date", "is missing; give the first day the position no longer holds")
        with self.database.transaction(current_access()) as work:
            row = users.end_position(work, request.position_id, end)
            return pb.EndPositionResponse(user=user_messages(work, [row])[0])

    def MatchUsers(self, request: pb.MatchUsersRequest, context: grpc.ServicerContext) -> pb.MatchUsersResponse:
        """Say whom written names mean."""
        with self.database.transaction(current_access()) as work:
            found = matching.match_users(work, request.texts, request.unit_id)
        return pb.MatchUsersResponse(
            matches=[
                pb.UserMatch(
                    text=one.text,
                    user_id=one.user_id,
                    unit_id=one.unit_id,
                    suggestions=one.suggestions,
                    ambiguous=one.ambiguous,
                )
                for one in found
            ]
        )

    def ImportUsers(self, request: pb.ImportUsersRequest, context: grpc.ServicerContext) -> pb.ImportUsersResponse:
        """Take users of a workbook."""
        rows = [
            importing.UserRow(
                one.display_name, one.email, one.unit_id, one.title, ROLES.get(one.role, ""), tuple(one.aliases)
            )
            for one in request.rows
        ]

        def take(work: Any) -> pb.ImportUsersResponse:
            fates = importing.import_users(work, rows, request.dry_run)
            return pb.ImportUsersResponse(
                fates=[pb.UserRowFate(fate=one.fate, user_id=one.user_id, reason=one.reason) for one in fates]
            )

        return self.database.attempt(
            lambda work: answer_once(work, request, pb.ImportUsersResponse, lambda: take(work)), current_access()
        )

    def SignIn(self, request: pb.SignInRequest, context: grpc.ServicerContext) -> pb.SignInResponse:
        """Check login and password; the slow part runs without a transaction."""
        if len(request.password) > rules.MAX_PASSWORD:
            raise SignInRefused(WRONG)
        origin = signing_in.Origin(request.device, request.address)
        with self.turnstile.turn():
            with self.database.transaction() as work:
                candidate = signing_in.find_candidate(work, request.login)
            if not passwords.is_right(candidate.password_hash, request.password):
                with self.database.transaction() as work:
                    signing_in.count_wrong(work, request.login, candidate.user_id, origin)
                raise SignInRefused(WRONG)
        self._check_code(request, candidate.user_id, origin)
        sets_up = self.what_to_set_up(candidate.user_id)
        with self.database.transaction() as work:
            access, refresh = signing_in.open_session(work, request.login, candidate.user_id, origin, sets_up=sets_up)
            user = user_messages(work, [users.find_user(work, access.user_id)])[0]
        return pb.SignInResponse(user=user, refresh_token=refresh, **self.signed(access))

    def _check_code(self, request: pb.SignInRequest, user_id: str, origin: signing_in.Origin) -> None:
        """Errors: SecondFactorNeeded, SignInRefused for an account whose second factor is missing or wrong."""
        with self.database.transaction() as work:
            if not second_factors.is_on(work, user_id):
                return
            if not request.code:
                raise SecondFactorNeeded("send the code that your authenticator app shows")
            right = second_factors.take_code(work, self.factor_key, user_id, request.code)
            if not right:
                signing_in.count_wrong(work, request.login, user_id, origin)
        if not right:
            raise SignInRefused(WRONG)

    def RefreshToken(self, request: pb.RefreshTokenRequest, context: grpc.ServicerContext) -> pb.RefreshTokenResponse:
        """Exchange a refresh token."""
        with self.database.transaction() as work:
            renewed = signing_in.renew_session(work, request.refresh_token)
            user = user_messages(work, [users.find_user(work, renewed[0].user_id)])[0] if renewed else None
        if renewed is None:
            raise SignInRefused(ENDED)
        return pb.RefreshTokenResponse(user=user, refresh_token=renewed[1], **self.signed(renewed[0]))

    def SignOut(self, request: pb.SignOutRequest, context: grpc.ServicerContext) -> pb.SignOutResponse:
        """End a session."""
        with self.database.transaction() as work:
            ended = signing_in.end_session(work, request.refresh_token)
        if not ended:
            raise SignInRefused(ENDED)
        return pb.SignOutResponse()

    def ActForUser(self, request: pb.ActForUserRequest, context: grpc.ServicerContext) -> pb.ActForUserResponse:
        """Give a service a token for a user, or one that follows events for nobody."""
        known = (self.service_secrets if request.user_id else self.follower_secrets).get(request.service, "")
        if not known or not secrets.compare_digest(known.encode(), request.service_secret.encode()):
            raise SignInRefused("service or secret is wrong")
        if not request.user_id:
            return pb.ActForUserResponse(**self.signed(follower_access(request.service)))
        with self.database.transaction() as work:
            access = signing_in.access_of(work, request.user_id, request.service)
        if request.action:
            access = narrow_reading(access, request.action, request.records)
        return pb.ActForUserResponse(**self.signed(access))

    def _hash(self, password: str) -> str:
        """The hash of a new password, which only administrators may set. Errors: NotPermitted, FieldInvalid."""
        current_access().require_everywhere(ADMINISTER)
        with self.turnstile.turn():
            return passwords.hash_password(rules.check_password(password))


def _new_unit(message: pb.Unit) -> units.NewUnit:
    return units.NewUnit(**_unit_values(message))


def _unit_values(message: pb.Unit) -> dict[str, Any]:
    return {
        **{name: getattr(message, name) for name in TEXTS},
        "kind": KINDS.get(message.kind, ""),
        "start_date": from_date(message.start_date, "unit.start_date"),
        "end_date": from_date(message.end_date, "unit.end_date"),
    }


def _new_user(request: pb.CreateUserRequest, password_hash: str | None) -> users.NewUser:
    message = request.user
    return users.NewUser(
        display_name=message.display_name,
        login=message.login,
        email=message.email,
        leave_date=from_date(message.leave_date, "user.leave_date"),
        aliases=tuple(message.aliases),
        positions=tuple(_new_position(one, f"user.positions[{at}]") for at, one in enumerate(message.positions)),
        password_hash=password_hash,
        external_id=message.external_id,
    )


def _user_values(message: pb.User) -> dict[str, Any]:
    return {
        "display_name": message.display_name,
        "login": message.login,
        "email": message.email,
        "active": message.active,
        "leave_date": from_date(message.leave_date, "user.leave_date"),
        "aliases": tuple(message.aliases),
        "external_id": message.external_id,
    }


def _new_position(message: pb.Position, field: str) -> users.NewPosition:
    code = message.role_code or ROLES.get(message.role, "")
    if not (code or message.substitutes_position_id or message.seat_id):
        raise rules.invalid(f"{field}.role", "is missing or unknown; name one of the roles")
    return users.NewPosition(
        unit_id=message.unit_id,
        title=message.title,
        role=code,
        substitutes_id=message.substitutes_position_id,
        seat_id=message.seat_id,
        start_date=from_date(message.start_date, f"{field}.start_date"),
        end_date=from_date(message.end_date, f"{field}.end_date"),
    )


def _changes(paths: Iterable[str], values: dict[str, Any]) -> dict[str, Any]:
    """The values an update mask names. Errors: FieldInvalid for an empty mask or a field that cannot be changed."""
    named = list(paths)
    strange = [name for name in named if name not in values]
    if strange or not named:
        what = f"names {strange[0][:60]!r}" if strange else "is empty"
        raise rules.invalid("update_mask", f"{what}; name some of {', '.join(sorted(values))}")
    return {name: values[name] for name in named}
