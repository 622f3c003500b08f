"""Roles can ask for more than a password: until it is set up a session lets one do that and nothing else."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from chassis.clock import now
from crm.directory.v1 import directory_pb2 as pb


def ask_for(directory: Any, factor: str) -> None:
    directory.call("SetRoleSignIn", pb.SetRoleSignInRequest(code="seller", factor=factor))


def test_until_the_app_is_set_up_a_session_has_no_rights_and_then_it_has(directory: Any, refused: Any) -> None:
    branch = directory.a_unit("bonn")
    directory.a_user("Sara Seller", branch.id, login="sara")
    ask_for(directory, "code")
    answer = directory.sign_in("sara")
    assert directory.verifier.verify(answer.access_token).grants == ()
    renewed = directory.open_call("RefreshToken", pb.RefreshTokenRequest(refresh_token=answer.refresh_token))
    assert directory.verifier.verify(renewed.access_token).grants == ()
    with directory.acting_as("sara"):
        assert directory.call("ListUnits", pb.ListUnitsRequest()).units == []
        secret = directory.call("BeginSecondFactor", pb.BeginSecondFactorRequest()).secret
        code = TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(now().timestamp())).decode()
        directory.call("ConfirmSecondFactor", pb.ConfirmSecondFactorRequest(code=code))
    renewed = directory.open_call("RefreshToken", pb.RefreshTokenRequest(refresh_token=renewed.refresh_token))
    assert directory.verifier.verify(renewed.access_token).grants != ()
    refused("SECOND_FACTOR_NEEDED", lambda: directory.sign_in("sara"))


def test_a_role_that_asks_for_a_passkey_lets_in_without_rights_until_there_is_one(directory: Any, refused: Any) -> None:
    branch = directory.a_unit("bonn")
    directory.a_user("Sara Seller", branch.id, login="sara")
    ask_for(directory, "passkey")
    assert directory.verifier.verify(directory.sign_in("sara").access_token).grants == ()
    with directory.acting_as("sara"):
        begun = directory.call("BeginPasskey", pb.BeginPasskeyRequest(origin="https://crm.example.org"))
        assert '"id": "crm.example.org"' in begun.options
        forged = pb.ConfirmPasskeyRequest(ticket=begun.ticket, credential="{}", name="Telephone")
        refused("FIELD_INVALID", lambda: directory.call("ConfirmPasskey", forged), "credential")
        refused("FIELD_INVALID", lambda: directory.call("BeginPasskey", pb.BeginPasskeyRequest(origin="x")), "origin")


def test_what_is_no_passkey_signs_nobody_in(directory: Any, refused: Any) -> None:
    asked = pb.BeginPasskeySignInRequest(origin="https://crm.example.org")
    ticket = directory.open_call("BeginPasskeySignIn", asked).ticket
    for credential in ("", "{}", "[]", '{"rawId": "AAAA"}', "x" * 30_000):
        sent = pb.SignInWithPasskeyRequest(ticket=ticket, credential=credential)
        refused("SIGN_IN_REFUSED", lambda sent=sent: directory.open_call("SignInWithPasskey", sent))


def test_an_unknown_factor_is_refused(directory: Any, refused: Any) -> None:
    refused("FIELD_INVALID", lambda: ask_for(directory, "prayer"), "factor")
