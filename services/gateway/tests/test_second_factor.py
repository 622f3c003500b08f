"""An account with a second factor needs its code, each once, or a recovery code, by REST and at the browser."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from .conftest import PASSWORD, Platform, Rest, a_code


def code_of(secret: str, steps: int = 0) -> str:
    """What an app shows now, or some steps of 30 s away from now."""
    app = TOTP(base64.b32decode(secret), 6, SHA1(), 30)
    return app.generate(int(time.time()) + 30 * steps).decode()


@pytest.fixture
def protected(platform: Platform, admin: Rest, a_branch: Callable[..., Any]) -> dict[str, Any]:
    """A seller whose account has a second factor."""
    login, branch = a_code("guarded"), a_branch()
    positions = [{"unit_id": branch["id"], "title": "", "role": "seller"}]
    body = {"display_name": login, "login": login, "password": PASSWORD, "positions": positions}
    user = admin.post("/users", body)
    rest, other = platform.rest(login), platform.rest(login)
    begun = rest.post("/users/me/second_factor")
    assert begun["uri"].startswith(f"otpauth://totp/Branchline:{login}?secret={begun['secret']}")
    wrong = rest.ask("POST", "/users/me/second_factor/confirm", json={"code": "000000"})
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "FIELD_INVALID")
    sent = {"code": code_of(begun["secret"], -1)}
    codes = rest.post("/users/me/second_factor/confirm", sent)["recovery_codes"]
    return {"login": login, "id": user["id"], "secret": begun["secret"], "codes": codes, "rest": rest, "other": other}


def sign_in(platform: Platform, login: str, code: str = "", password: str = PASSWORD) -> httpx2.Response:
    """Sign in by REST."""
    return platform.guest().ask("POST", "/sessions", json={"login": login, "password": password, "code": code})


def test_without_the_code_nobody_comes_in_and_each_code_is_good_once(
    platform: Platform, protected: dict[str, Any]
) -> None:
    login, code = protected["login"], code_of(protected["secret"])
    missing = sign_in(platform, login)
    assert (missing.status_code, missing.json()["reason"]) == (401, "SECOND_FACTOR_NEEDED")
    assert sign_in(platform, login, "123456").json()["reason"] == "SIGN_IN_REFUSED"
    assert sign_in(platform, login, code, "wrong password").json()["reason"] == "SIGN_IN_REFUSED"
    assert sign_in(platform, login, code).status_code == 201
    assert sign_in(platform, login, code).json()["reason"] == "SIGN_IN_REFUSED"


def test_a_wrong_password_does_not_tell_that_there_is_a_second_factor(
    platform: Platform, protected: dict[str, Any]
) -> None:
    assert sign_in(platform, protected["login"], "", "wrong password").json()["reason"] == "SIGN_IN_REFUSED"


def test_a_recovery_code_is_good_once(platform: Platform, protected: dict[str, Any]) -> None:
    login, code = protected["login"], protected["codes"][0]
    assert len(set(protected["codes"])) == 8
    assert sign_in(platform, login, code.upper()).status_code == 201
    assert sign_in(platform, login, code).status_code == 401


def test_it_is_switched_off_by_a_code_or_by_an_administrator(
    platform: Platform, admin: Rest, protected: dict[str, Any], a_user: Callable[..., Rest], a_branch: Any
) -> None:
    rest = protected["rest"]
    assert rest.ask("POST", "/second_factor/end", json={"code": "000000"}).status_code == 400
    stranger = a_user(a_branch())
    assert stranger.ask("POST", "/second_factor/end", json={"user_id": protected["id"]}).status_code == 403
    admin.post("/second_factor/end", {"user_id": protected["id"]})
    assert sign_in(platform, protected["login"]).status_code == 201


def test_the_sign_in_page_asks_for_the_code(platform: Platform, protected: dict[str, Any]) -> None:
    with httpx2.Client(base_url=platform.url, timeout=30) as browser:
        fields = {"login": protected["login"], "password": PASSWORD}
        asked = browser.post("/sign-in", data=fields)
        assert (asked.status_code, 'name="code"' in asked.text) == (401, True)
        answer = browser.post("/sign-in", data={**fields, "code": code_of(protected["secret"], 1)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/today")
