"""The directory's gRPC door: translate, call, translate."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import grpc

from chassis import paging
from chassis.access import ADMINISTER, Access, follower_access
from chassis.clock import now
from chassis.database import Database
from chassis.dates import from_date
from chassis.errors import PageTokenInvalid
from chassis.ids import is_id
from chassis.once import answer_once
from chassis.rpc.server import Servicer, current_access
from chassis.settings import SettingsInvalid
from chassis.tokens import LIFE_SECONDS, TokenSigner
from crm.directory.v1 import directory_pb2 as pb
from crm.directory.v1 import directory_pb2_grpc as pb_grpc
from directory import importing, matching, passwords, queries, rules, signing_in, units, users
from directory.errors import SignInRefused
from directory.messages import KINDS, ROLES, timestamp, unit_message, user_messages
from directory.settings import Settings

TEXTS = ("parent_id", "code", "name", "country_code", "area_code", "time_zone", "currency_code")
MOST_USERS = 500
WRONG = "login or password is wrong"
ENDED = "the session has ended; sign in again"


def servicers(settings: Settings) -> tuple[Servicer, ...]:
    """The directory's servicers over its own database. Errors: SettingsInvalid without a private key."""
    if not settings.token_private_key:
        raise SettingsInvalid("settings: DIRECTORY_TOKEN_PRIVATE_KEY is not set (Ed25519 private key as PEM)")
    database = Database(settings.database_url, "directory")
    signer = TokenSigner(settings.token_private_key)
    implementation = DirectoryServicer(database, signer, settings.secrets(), settings.followers())
    public = frozenset(("SignIn", "RefreshToken", "SignOut", "ActForUser"))
    return (Servicer("directory", implementation, pb_grpc.add_DirectoryServiceServicer_to_server, public),)


class DirectoryServicer(pb_grpc.DirectoryServiceServicer):
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
        question = f"units:{request.unit_id}"
        after = paging.read_token(question, request.page_token) or [""]
        with self.database.transaction(current_access()) as work:
            inside = units.find_unit(work, request.unit_id).path if request.unit_id else None
            rows = queries.list_units(work, inside, str(after[0]).replace("\0", ""), size + 1)
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
                signing_in.access_of(work, access.user_id)
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
        question = f"users:{request.unit_id}"
        after = _after_user(paging.read_token(question, request.page_token))
        with self.database.transaction(current_access()) as work:
            inside = units.find_unit(work, request.unit_id).path if request.unit_id else None
            rows = queries.list_users(work, inside, after, size + 1)
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
        with self.turnstile.turn():
            with self.database.transaction() as work:
                candidate = signing_in.find_candidate(work, request.login)
            if not passwords.is_right(candidate.password_hash, request.password):
                with self.database.transaction() as work:
                    signing_in.count_wrong(work, request.login)
                raise SignInRefused(WRONG)
        with self.database.transaction() as work:
            access, refresh = signing_in.open_session(work, request.login, candidate.user_id)
            user = user_messages(work, [users.find_user(work, access.user_id)])[0]
        return pb.SignInResponse(user=user, refresh_token=refresh, **self._signed(access))

    def RefreshToken(self, request: pb.RefreshTokenRequest, context: grpc.ServicerContext) -> pb.RefreshTokenResponse:
        """Exchange a refresh token."""
        with self.database.transaction() as work:
            renewed = signing_in.renew_session(work, request.refresh_token)
            user = user_messages(work, [users.find_user(work, renewed[0].user_id)])[0] if renewed else None
        if renewed is None:
            raise SignInRefused(ENDED)
        return pb.RefreshTokenResponse(user=user, refresh_token=renewed[1], **self._signed(renewed[0]))

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
            return pb.ActForUserResponse(**self._signed(follower_access(request.service)))
        with self.database.transaction() as work:
            access = signing_in.access_of(work, request.user_id, request.service)
        return pb.ActForUserResponse(**self._signed(access))

    def _hash(self, password: str) -> str:
        """The hash of a new password, which only administrators may set. Errors: NotPermitted, FieldInvalid."""
        current_access().require_everywhere(ADMINISTER)
        with self.turnstile.turn():
            return passwords.hash_password(rules.check_password(password))

    def _signed(self, access: Access) -> dict[str, Any]:
        end = timestamp(now() + timedelta(seconds=LIFE_SECONDS))
        return {"access_token": self.signer.sign(access), "expire_time": end}


def _after_user(key: list[Any] | None) -> tuple[str, str]:
    """The name key and id a page token holds. Errors: PageTokenInvalid."""
    if key is None:
        return "", ""
    if len(key) != 2 or not all(isinstance(part, str) and "\0" not in part for part in key) or not is_id(key[1]):
        raise PageTokenInvalid("the page token is not one of ours; ask for the first page again")
    return key[0], key[1]


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
    )


def _user_values(message: pb.User) -> dict[str, Any]:
    return {
        "display_name": message.display_name,
        "login": message.login,
        "email": message.email,
        "active": message.active,
        "leave_date": from_date(message.leave_date, "user.leave_date"),
        "aliases": tuple(message.aliases),
    }


def _new_position(message: pb.Position, field: str) -> users.NewPosition:
    if message.role not in ROLES:
        raise rules.invalid(f"{field}.role", "is missing or unknown; name one of the roles")
    return users.NewPosition(
        unit_id=message.unit_id,
        title=message.title,
        role=ROLES[message.role],
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
