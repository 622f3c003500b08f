"""Signing in: rights from positions, sessions that turn, throttling, and tokens for services."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.date_pb2 import Date
from joserfc import jwt
from joserfc.jwk import OKPKey

from chassis import clock
from chassis.access import ADMINISTER, ALL, FOLLOW, IMPORT, PLAN, READ, WRITE, Grant
from chassis.tokens import TYPE, generate_key, public_key_of
from crm.directory.v1 import directory_pb2 as pb

from .conftest import FOLLOWER_SECRET, KEY, PASSWORD, SECRET


def refresh(directory: Any, token: str) -> pb.RefreshTokenResponse:
    request = pb.RefreshTokenRequest(refresh_token=token)
    return directory.open_call("RefreshToken", request)  # type: ignore[no-any-return]


def test_the_token_says_what_each_role_may_do_and_where(directory: Any) -> None:
    own, other = directory.a_unit("a"), directory.a_unit("b")
    expected = {
        pb.ROLE_SELLER: {READ, WRITE},
        pb.ROLE_HEAD: {READ, WRITE, PLAN},
        pb.ROLE_STEWARD: {READ, WRITE, PLAN, IMPORT},
    }
    for role, allowed in expected.items():
        login = f"user{role}"
        directory.a_user(login, own.id, role, login=login)
        access = directory.verifier.verify(directory.sign_in(login).access_token)
        actions = (READ, WRITE, PLAN, IMPORT, ADMINISTER)
        assert {action for action in actions if access.allows_in(action, own.path)} == allowed
        assert not any(access.allows_in(action, other.path) for action in actions)
        assert access.unit_id == own.id
    admin = directory.verifier.verify(directory.tokens["admin"])
    assert {grant.scope for grant in admin.grants} == {ALL}


def test_only_positions_in_force_today_count(directory: Any, refused: Any) -> None:
    unit = directory.a_unit("a", time_zone="Asia/Vladivostok")
    today = datetime.now(UTC) + timedelta(hours=10)
    gone = pb.Position(unit_id=unit.id, role=pb.ROLE_HEAD, end_date=day(today))
    coming = pb.Position(unit_id=unit.id, role=pb.ROLE_HEAD, start_date=day(today + timedelta(days=1)))
    holds = pb.Position(unit_id=unit.id, role=pb.ROLE_SELLER, start_date=day(today))
    directory.a_user("Past", login="past", positions=[gone, coming])
    directory.a_user("Now", login="now", positions=[gone, holds])
    refused("SIGN_IN_REFUSED", lambda: directory.sign_in("past"))
    access = directory.verifier.verify(directory.sign_in("now").access_token)
    assert not access.grants_for(PLAN)
    assert access.allows_in(READ, unit.path)


def test_a_position_without_rights_does_not_sign_in(directory: Any, refused: Any) -> None:
    directory.a_user("Guard", directory.a_unit("a").id, pb.ROLE_NONE, login="guard")
    refused("SIGN_IN_REFUSED", lambda: directory.sign_in("guard"))


def test_wrong_unknown_and_strange_sign_ins_get_the_same_answer(directory: Any, refused: Any) -> None:
    answers = {
        refused("SIGN_IN_REFUSED", lambda login=login, password=password: directory.sign_in(login, password)).message
        for login, password in (
            ("admin", "wrong"),
            ("nobody", PASSWORD),
            ("", ""),
            ("admin\0", PASSWORD),
            ("' OR 1=1 --", "' OR 1=1 --"),
            ("x" * 10_000, PASSWORD),
            ("admin", "x" * 10_000),
        )
    }
    assert answers == {"login or password is wrong"}


def test_an_unknown_login_takes_as_long_as_a_known_one(directory: Any, refused: Any) -> None:
    def seconds(login: str) -> float:
        begin = time.perf_counter()
        refused("SIGN_IN_REFUSED", lambda: directory.sign_in(login, "wrong"))
        return time.perf_counter() - begin

    seconds("nobody0")  # the hash of nobody is made at the first use
    known = min(seconds("admin") for _ in range(4))
    unknown = min(seconds(f"nobody{n}") for n in range(1, 5))
    # A login refused without hashing would take a hundredth; the machine's own noise stays far below a half.
    assert 0.5 < unknown / known < 2


def test_after_ten_wrong_passwords_even_the_right_one_waits_a_minute(directory: Any, refused: Any) -> None:
    directory.a_user("Anna", directory.a_unit("a").id, login="anna")
    begin = datetime.now(UTC)
    with clock.at(begin):
        for _ in range(10):
            refused("SIGN_IN_REFUSED", lambda: directory.sign_in("anna", "wrong"))
        waits = refused("SIGN_IN_THROTTLED", lambda: directory.sign_in("ANNA"))
        assert 59 <= waits.retry_after_seconds <= 60
        directory.sign_in("admin")
    with clock.at(begin + timedelta(seconds=61)):
        assert directory.sign_in("anna").access_token


def test_a_right_password_begins_the_count_anew(directory: Any, refused: Any) -> None:
    for _ in range(2):
        for _ in range(6):
            refused("SIGN_IN_REFUSED", lambda: directory.sign_in("admin", "wrong"))
        assert directory.sign_in("admin").access_token


def test_a_refresh_token_turns_at_each_use(directory: Any) -> None:
    first = directory.sign_in("admin")
    second = refresh(directory, first.refresh_token)
    third = refresh(directory, second.refresh_token)
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert directory.verifier.verify(third.access_token).user_id == directory.admin_id


def test_a_refresh_token_used_twice_ends_the_session(directory: Any, refused: Any) -> None:
    first = directory.sign_in("admin")
    other = directory.sign_in("admin")
    second = refresh(directory, first.refresh_token)
    refused("SIGN_IN_REFUSED", lambda: refresh(directory, first.refresh_token))
    refused("SIGN_IN_REFUSED", lambda: refresh(directory, second.refresh_token))
    assert refresh(directory, other.refresh_token).access_token


def test_a_session_ends_after_twelve_idle_hours(directory: Any, refused: Any) -> None:
    token, begin = directory.sign_in("admin").refresh_token, datetime.now(UTC)
    with clock.at(begin + timedelta(hours=11)):
        token = refresh(directory, token).refresh_token
    with clock.at(begin + timedelta(hours=23, minutes=1)):
        refused("SIGN_IN_REFUSED", lambda: refresh(directory, token))


def test_a_session_ends_after_thirty_days_however_busy(directory: Any, refused: Any) -> None:
    token, begin = directory.sign_in("admin").refresh_token, datetime.now(UTC)
    for half_days in range(1, 66):
        with clock.at(begin + timedelta(hours=11 * half_days)):
            token = refresh(directory, token).refresh_token
    with clock.at(begin + timedelta(days=30, minutes=1)):
        refused("SIGN_IN_REFUSED", lambda: refresh(directory, token))


@pytest.mark.parametrize("token", ["", "x", "a.b", "00000000-0000-7000-8000-000000000000.secret", "\0", "x" * 10_000])
def test_a_made_up_refresh_token_is_refused(directory: Any, refused: Any, token: str) -> None:
    refused("SIGN_IN_REFUSED", lambda: refresh(directory, token))
    refused("SIGN_IN_REFUSED", lambda: directory.open_call("SignOut", pb.SignOutRequest(refresh_token=token)))


def test_signing_out_ends_the_session(directory: Any, refused: Any) -> None:
    token = directory.sign_in("admin").refresh_token
    directory.open_call("SignOut", pb.SignOutRequest(refresh_token=token))
    refused("SIGN_IN_REFUSED", lambda: refresh(directory, token))


def test_a_new_password_ends_every_session(directory: Any, refused: Any) -> None:
    user = directory.a_user("Anna", directory.a_unit("a").id, login="anna")
    token = directory.sign_in("anna").refresh_token
    mask = FieldMask(paths=["password"])
    request = pb.UpdateUserRequest(user=pb.User(id=user.id), update_mask=mask, password="another long one")
    directory.call("UpdateUser", request)
    refused("SIGN_IN_REFUSED", lambda: refresh(directory, token))
    refused("SIGN_IN_REFUSED", lambda: directory.sign_in("anna"))
    assert directory.sign_in("anna", "another long one").access_token


def test_no_secret_stands_in_the_database(directory: Any) -> None:
    token = directory.sign_in("admin").refresh_token
    with directory.database.transaction() as work:
        names = ("user", "session", "wrong_attempt", "outbox", "event_log")
        stored = "".join(str(work.connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()) for name in names)
    assert token.partition(".")[2] not in stored
    assert PASSWORD not in stored


def test_calls_without_or_with_a_wrong_token_are_refused(directory: Any, refused: Any) -> None:
    refused("NOT_SIGNED_IN", lambda: directory.open_call("ListUnits", pb.ListUnitsRequest()))
    header, claims, signature = directory.tokens["admin"].split(".")
    for broken in (f"{header}.{claims}.", f"{header}.{claims}.{signature[:-4]}AAAA", "x" * 5_000, "a.b.c"):
        directory.tokens["broken"] = broken
        with directory.acting_as("broken"):
            refused("NOT_SIGNED_IN", lambda: directory.call("ListUnits", pb.ListUnitsRequest()))


def test_forged_tokens_are_refused(directory: Any, refused: Any) -> None:
    _, payload, signature = directory.tokens["admin"].split(".")
    claims = json.loads(b64decode(payload))
    public = public_key_of(KEY).encode()
    now = int(time.time())

    def hashed(header: dict[str, str]) -> str:
        body = f"{encoded(header)}.{payload}"
        mac = hmac.new(public, body.encode(), hashlib.sha256).digest()
        return f"{body}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def signed(claims: dict[str, Any], kind: str = TYPE, key: str = KEY) -> str:
        header = {"alg": "Ed25519", "typ": kind}
        return jwt.encode(header, claims, OKPKey.import_key(key), algorithms=["Ed25519"])

    directory.tokens["good"] = signed(claims)
    with directory.acting_as("good"):
        directory.call("ListUnits", pb.ListUnitsRequest())
    forged = {
        "no algorithm": f"{encoded({'alg': 'none', 'typ': TYPE})}.{payload}.",
        "no algorithm, old signature": f"{encoded({'alg': 'none', 'typ': TYPE})}.{payload}.{signature}",
        "public key as a secret": hashed({"alg": "HS256", "typ": TYPE}),
        "a key of its own": hashed({"alg": "HS256", "typ": TYPE, "jku": "http://127.0.0.1:1/keys"}),
        "another key": signed(claims, key=generate_key()),
        "another type": signed(claims, kind="JWT"),
        "another audience": signed({**claims, "aud": "elsewhere"}),
        "another issuer": signed({**claims, "iss": "elsewhere"}),
        "ended": signed({**claims, "iat": now - 900, "exp": now - 600}),
        "not begun": signed({**claims, "iat": now + 600, "exp": now + 900}),
        "no end": signed({name: value for name, value in claims.items() if name != "exp"}),
    }
    for name, token in forged.items():
        directory.tokens[name] = token
        with directory.acting_as(name):
            refused("NOT_SIGNED_IN", lambda: directory.call("ListUnits", pb.ListUnitsRequest()))


def encoded(value: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def b64decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_a_service_acts_for_a_user_with_the_rights_the_user_has_now(directory: Any, refused: Any) -> None:
    unit = directory.a_unit("a")
    user = directory.a_user("Steward", unit.id, pb.ROLE_STEWARD, login="steward")
    asked = pb.ActForUserRequest(service="imports", service_secret=SECRET, user_id=user.id)
    access = directory.verifier.verify(directory.open_call("ActForUser", asked).access_token)
    assert (access.user_id, access.service) == (user.id, "imports")
    assert access.allows_in(IMPORT, unit.path)
    for strange in ({"service": "reporting"}, {"service_secret": "guess"}, {"service": "", "service_secret": ""}):
        values = {"service": "imports", "service_secret": SECRET, "user_id": user.id, **strange}
        refused("SIGN_IN_REFUSED", lambda v=values: directory.open_call("ActForUser", pb.ActForUserRequest(**v)))
    mask = FieldMask(paths=["active"])
    directory.call("UpdateUser", pb.UpdateUserRequest(user=pb.User(id=user.id, active=False), update_mask=mask))
    refused("SIGN_IN_REFUSED", lambda: directory.open_call("ActForUser", asked))
    asked.user_id = "00000000-0000-7000-8000-000000000000"
    refused("USER_NOT_FOUND", lambda: directory.open_call("ActForUser", asked))


def test_a_service_that_carries_news_on_may_follow_events_and_nothing_else(directory: Any, refused: Any) -> None:
    asked = pb.ActForUserRequest(service="gateway", service_secret=FOLLOWER_SECRET)
    access = directory.verifier.verify(directory.open_call("ActForUser", asked).access_token)
    assert (access.user_id, access.service, access.grants) == ("", "gateway", (Grant(FOLLOW, ALL),))
    for strange in (
        {"service": "imports", "service_secret": SECRET},
        {"service_secret": "guess"},
        {"user_id": directory.admin_id},
    ):
        values = {"service": "gateway", "service_secret": FOLLOWER_SECRET, **strange}
        refused("SIGN_IN_REFUSED", lambda v=values: directory.open_call("ActForUser", pb.ActForUserRequest(**v)))


def day(moment: datetime) -> Date:
    return Date(year=moment.year, month=moment.month, day=moment.day)
