"""Signing in at a provider as browsers do it: sent there with a ticket, let in on the way back, told why not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from directory.errors import SignInRefused
from directory.provider import Word
from directory.provider_settings import ProviderSettings

EMAIL = "petra.provided@acme.example"


class Trusted:
    """A provider that vouches for one e-mail; the directory's own tests try a real one."""

    settings = ProviderSettings("https://id.example", "branchline", "secret", "Acme ID")

    def begin(self, redirect_uri: str) -> tuple[str, str]:
        """Where to send the browser."""
        return f"https://id.example/authorize?redirect_uri={redirect_uri}&state=s", "the-ticket"

    def end(self, ticket: str, code: str, state: str) -> Word:
        """Whom it means."""
        if (ticket, code, state) != ("the-ticket", "good", "s"):
            raise SignInRefused("no")
        return Word("https://id.example", "petra", EMAIL, "Petra")


@pytest.fixture
def trusting(platform: Any) -> Iterator[None]:
    """The platform's directory trusts a provider for the time of a test."""
    platform.doors["directory"].provider = Trusted()
    yield
    platform.doors["directory"].provider = None


@pytest.mark.usefixtures("trusting")
def test_a_person_goes_to_the_provider_and_comes_back_signed_in(
    platform: Any, a_branch: Callable[..., Any], a_browser: Callable[..., Any]
) -> None:
    position = {"unit_id": a_branch()["id"], "title": "", "role": "seller"}
    platform.admin().post("/users", {"display_name": "Petra", "email": EMAIL, "positions": [position]})
    browser, thief = a_browser(), a_browser()
    assert "Sign in with Acme ID" in browser.get("/sign-in").text
    sent = browser.get("/sign-in/provider?next=/customers")
    assert sent.status_code == 303
    back = parse_qs(urlsplit(sent.headers["location"]).query)["redirect_uri"][0]
    assert back == f"{platform.url}/sign-in/provider/done"
    done = "/sign-in/provider/done?code=good&state=s"
    assert thief.get(done).status_code == 401
    came = browser.get(done)
    assert (came.status_code, came.headers["location"]) == (303, "/customers")
    assert browser.get("/settings").status_code == 200
    assert browser.get(done).status_code == 401


def test_without_a_provider_there_is_no_button_and_its_addresses_say_so(a_browser: Callable[..., Any]) -> None:
    browser = a_browser()
    assert "/sign-in/provider" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/provider").status_code == 503
    assert browser.get("/sign-in/provider/done?code=x&state=y").status_code == 503


def test_a_browser_asks_its_devices_with_what_the_workplace_says(a_browser: Callable[..., Any]) -> None:
    browser = a_browser()
    begun = browser.client.post("/sign-in/passkey/begin").json()
    assert begun["options"]["userVerification"] == "required"
    sent = {"ticket": begun["ticket"], "credential": json.dumps({"rawId": "AAAA"})}
    assert browser.client.post("/sign-in/passkey", data=sent).status_code == 401
    strange = browser.client.post("/sign-in/passkey/begin", headers={"Sec-Fetch-Site": "cross-site"})
    assert strange.status_code == 503
