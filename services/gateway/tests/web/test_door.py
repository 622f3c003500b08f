"""Who gets into the workplace, and what no other site, stolen table or planted cookie can do."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import clock
from chassis.testing.eventually import eventually
from gateway.tables import web_session
from gateway.web.sessions import COOKIE
from gateway.web.signing_in import safe_next


@pytest.fixture
def unit(a_branch: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return a_branch()


def sessions_of(platform: Any) -> sa.Engine:
    return sa.create_engine(platform.settings.database_url, poolclass=sa.NullPool)


def test_a_stranger_is_sent_to_sign_in_and_then_to_the_page_he_wanted(
    a_browser: Any, a_visitor: Any, unit: Any
) -> None:
    stranger = a_browser()
    sent = stranger.get("/today?person=7")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/today%3Fperson%3D7")
    login = a_visitor(unit).login
    entered = stranger.sign_in(login, next="/today?person=7")
    assert (entered.status_code, entered.headers["location"]) == (303, "/today?person=7")
    assert "Today" in stranger.get("/today").text


def test_a_part_asked_for_without_a_session_sends_the_whole_page_to_sign_in(a_browser: Any) -> None:
    answer = a_browser().part("/today")
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/sign-in")


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil",
     "", "/%0d%0aSet-Cookie:x", "/a\r\nb", "///evil.example", "http:/evil"],
)  # fmt: skip
def test_signing_in_never_leads_to_another_site(elsewhere: Any, a_browser: Any, a_visitor: Any, unit: Any) -> None:
    login = a_visitor(unit).login
    location = a_browser().sign_in(login, next=elsewhere).headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert safe_next(elsewhere) == location


def test_a_wrong_password_says_the_same_as_an_unknown_name_and_keeps_the_name(
    a_browser: Any, a_visitor: Any, unit: Any
) -> None:
    login = a_visitor(unit).login
    wrong, unknown = a_browser().sign_in(login, "wrong"), a_browser().sign_in("nobody-here", "wrong")
    assert wrong.status_code == unknown.status_code == 401
    assert "Name or password is wrong" in wrong.text
    assert wrong.text.replace(login, "nobody-here") == unknown.text
    assert f'value="{login}"' in wrong.text
    assert COOKIE not in wrong.cookies


def test_the_cookie_is_for_the_browser_alone(a_browser: Any, a_visitor: Any, unit: Any) -> None:
    cookie = a_browser().sign_in(a_visitor(unit).login).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_a_planted_session_is_not_taken_over(a_browser: Any, a_visitor: Any, unit: Any) -> None:
    attacker, victim = a_visitor(unit), a_browser()
    planted = attacker.client.cookies[COOKIE]
    victim.client.cookies.set(COOKIE, planted, domain="127.0.0.1")
    victim.client.post("/sign-in", data={"login": a_visitor(unit).login, "password": "correct horse battery"})
    assert victim.client.cookies[COOKIE] != planted
    assert attacker.get("/today").status_code == 303  # the planted one has ended with it


def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(a_visitor: Any, unit: Any) -> None:
    person = a_visitor(unit)
    kept = person.client.cookies[COOKIE]
    answer = person.client.post("/sign-out", data={"csrf": person.csrf()})
    assert answer.headers["location"] == "/sign-in"
    assert "cache" in answer.headers["clear-site-data"]
    person.client.cookies.set(COOKIE, kept, domain="127.0.0.1")
    assert person.get("/today").status_code == 303


def test_a_closed_account_is_out_within_a_minute(
    platform: Any, admin: Any, a_visitor: Any, unit: Any, monkeypatch: Any
) -> None:
    person = a_visitor(unit)
    assert person.get("/today").status_code == 200
    monkeypatch.setattr("gateway.signed_in.ASK_AGAIN", 0.0)
    user = admin.get(f"/users/{person.user['id']}")
    admin.patch(f"/users/{user['id']}", {"active": False}, headers={"If-Match": f'"{user["etag"]}"'})
    eventually(lambda: person.get("/today").status_code == 303)


def test_a_session_ended_from_another_browser_is_out_and_its_browser_signs_in_again(
    a_browser: Any, a_visitor: Any, unit: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("gateway.signed_in.ASK_AGAIN", 0.0)
    here, there = a_visitor(unit), a_browser()
    there.client.headers["user-agent"] = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0"
    there.sign_in(here.login)
    assert "Firefox, Windows" in here.get("/settings").text
    assert here.post("/settings/sessions/end").headers["hx-redirect"] == "/settings"
    eventually(lambda: there.get("/today").status_code == 303)
    assert "Firefox" not in here.get("/settings").text
    assert there.sign_in(here.login).status_code == 303
    assert there.get("/today").status_code == 200


def test_a_new_password_is_taken_only_with_the_old_one(
    a_browser: Any, a_visitor: Any, unit: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("gateway.signed_in.ASK_AGAIN", 0.0)
    person, other = a_visitor(unit), a_browser()
    other.sign_in(person.login)
    form = {"old_password": "wrong", "new_password": "another horse battery"}
    assert "is not your password" in person.post("/settings/password", form).text
    assert other.get("/today").status_code == 200
    answer = person.post("/settings/password", {**form, "old_password": "correct horse battery"})
    assert answer.headers["hx-redirect"] == "/settings?done=password"
    assert person.get("/today").status_code == 200
    eventually(lambda: other.get("/today").status_code == 303)
    assert other.sign_in(person.login).status_code == 401
    assert other.sign_in(person.login, "another horse battery").status_code == 303


def test_a_change_without_the_token_of_the_session_is_refused(a_visitor: Any, unit: Any) -> None:
    person, other = a_visitor(unit), a_visitor(unit)
    for headers in ({}, {"X-CSRF": "x"}, {"X-CSRF": other.csrf()}, {"X-CSRF": "ж" * 4}):
        raw = {name: value.encode() for name, value in headers.items()}
        assert person.client.post("/sign-out", headers=raw).status_code == 403
    assert person.get("/today").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
     {"Origin": "null"}],
)  # fmt: skip
def test_a_change_from_another_site_is_refused_even_with_the_token(
    headers: Any, a_visitor: Any, a_browser: Any, unit: Any
) -> None:
    person = a_visitor(unit)
    assert person.client.post("/sign-out", headers={"X-CSRF": person.csrf(), **headers}).status_code == 403
    form = {"login": person.login, "password": "correct horse battery"}
    assert a_browser().client.post("/sign-in", data=form, headers=headers).status_code == 403


def test_the_forgery_token_looks_different_on_every_page(a_visitor: Any, unit: Any) -> None:
    person = a_visitor(unit)
    assert person.csrf() != person.csrf()


def test_no_page_lets_itself_be_framed_or_run_foreign_script(a_browser: Any, a_visitor: Any, unit: Any) -> None:
    for answer in (a_browser().get("/sign-in"), a_visitor(unit).get("/today"), a_browser().get("/nowhere")):
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_database_alone_signs_nobody_in(platform: Any, a_visitor: Any, unit: Any) -> None:
    person = a_visitor(unit)
    with sessions_of(platform).connect() as connection:
        row = connection.execute(sa.select(web_session).where(web_session.c.user_id == person.user["id"])).one()
    everything = json.dumps([str(value) for value in row])
    assert person.client.cookies[COOKIE] not in everything
    assert bytes(row.sealed)[:2] != b"ey"  # no token in the clear
    assert b"refresh" not in bytes(row.sealed)


def test_a_session_left_alone_for_a_working_day_ends(platform: Any, a_visitor: Any, unit: Any) -> None:
    person = a_visitor(unit)
    with sessions_of(platform).begin() as connection:
        mine = web_session.c.user_id == person.user["id"]
        connection.execute(sa.update(web_session).where(mine).values(end_time=clock.now() - timedelta(seconds=1)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.web.sessions.READ_AGAIN", 0.0)
        assert person.get("/today").status_code == 303


def test_a_token_about_to_end_is_renewed_without_the_person_noticing(platform: Any, a_visitor: Any, unit: Any) -> None:
    person = a_visitor(unit)
    mine = web_session.c.user_id == person.user["id"]
    with sessions_of(platform).begin() as connection:
        soon = clock.now() + timedelta(seconds=5)
        connection.execute(sa.update(web_session).where(mine).values(token_end=soon))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.web.sessions.READ_AGAIN", 0.0)
        assert person.get("/today").status_code == 200
    with sessions_of(platform).connect() as connection:
        end = connection.execute(sa.select(web_session.c.token_end).where(mine)).scalar_one()
    assert end > clock.now() + timedelta(seconds=200)


def test_an_address_that_is_not_there_is_a_page_and_below_api_a_problem(a_browser: Any) -> None:
    stranger = a_browser()
    page, problem = stranger.get("/no/such/page"), stranger.get("/api/v1/no-such-thing")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
