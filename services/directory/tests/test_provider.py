"""Signing in at an OpenID Connect provider, tried with a real one: who comes back is let in, what is forged is not."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from chassis.testing.eventually import eventually
from chassis.testing.rabbit import free_ports
from crm.directory.v1 import directory_pb2 as pb
from directory.provider import Provider
from directory.provider_settings import ProviderSettings

BACK = "http://localhost:8480/sign-in/provider/done"
KEY = b"of the directory"


class RunningProvider:
    """A provider's process on a port; started again it has other keys."""

    def __init__(self, port: int) -> None:
        self.port, self.issuer = port, f"http://127.0.0.1:{port}"
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = [sys.executable, "-m", "oidc_provider_mock", "--port", str(self.port)]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(lambda: self._answers(), within=30)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(timeout=10)

    def knows(self, subject: str, **claims: Any) -> None:
        """Give it a user."""
        httpx2.put(f"{self.issuer}/users/{subject}", json=claims).raise_for_status()

    def consent(self, url: str, subject: str) -> tuple[str, str]:
        """What somebody's browser brings back who signs in there: code and state."""
        answer = httpx2.post(url, data={"sub": subject})
        assert answer.status_code in (302, 303), answer.text
        assert answer.headers["location"].startswith(BACK)
        found = parse_qs(urlsplit(answer.headers["location"]).query)
        return found["code"][0], found["state"][0]

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.issuer}/.well-known/openid-configuration").status_code == 200
        except httpx2.HTTPError:
            return False


@pytest.fixture(scope="module")
def provider() -> Iterator[RunningProvider]:
    """One provider for the tests of this file."""
    running = RunningProvider(free_ports(1)[0])
    yield running
    running.stop()


@pytest.fixture
def with_provider(directory: Any, provider: RunningProvider) -> Any:
    """A directory that trusts it, with a branch and a seller whose e-mail it knows."""
    settings = ProviderSettings(provider.issuer, "branchline", "a secret", "Acme ID")
    directory.servicer.provider = Provider(settings, KEY)
    branch = directory.a_unit("bonn")
    directory.seller = directory.a_user("Sara Seller", branch.id, email="Sara@acme.example")
    provider.knows("sara", email="sara@acme.example", email_verified=True, name="Sara")
    provider.knows("unsure", email="sara@acme.example", email_verified=False)
    provider.knows("stranger", email="x@acme.example", email_verified=True)
    return directory


def begin(directory: Any) -> pb.BeginProviderSignInResponse:
    return directory.open_call("BeginProviderSignIn", pb.BeginProviderSignInRequest(redirect_uri=BACK))  # type: ignore[no-any-return]


def come(directory: Any, ticket: str, code: str, state: str) -> pb.SignInWithProviderResponse:
    asked = pb.SignInWithProviderRequest(ticket=ticket, code=code, state=state)
    return directory.open_call("SignInWithProvider", asked)  # type: ignore[no-any-return]


def test_who_signs_in_there_is_signed_in_here_with_own_rights(with_provider: Any, provider: RunningProvider) -> None:
    ways = with_provider.open_call("GetSignInWays", pb.GetSignInWaysRequest())
    assert ways.provider_name == "Acme ID"
    begun = begin(with_provider)
    asked = parse_qs(urlsplit(begun.authorization_url).query)
    assert (asked["code_challenge_method"], asked["response_type"], "nonce" in asked) == (["S256"], ["code"], True)
    answer = come(with_provider, begun.ticket, *provider.consent(begun.authorization_url, "sara"))
    assert answer.user.id == with_provider.seller.id
    access = with_provider.verifier.verify(answer.access_token)
    assert {one.unit_path for one in access.grants} >= {"hq.bonn"}


def test_a_linked_person_is_known_after_the_e_mail_changed(with_provider: Any, provider: RunningProvider) -> None:
    begun = begin(with_provider)
    come(with_provider, begun.ticket, *provider.consent(begun.authorization_url, "sara"))
    provider.knows("sara", email="sara.other@acme.example", email_verified=True)
    begun = begin(with_provider)
    again = come(with_provider, begun.ticket, *provider.consent(begun.authorization_url, "sara"))
    assert again.user.id == with_provider.seller.id


@pytest.mark.parametrize("subject", ["unsure", "stranger"])
def test_an_e_mail_that_is_not_vouched_for_or_nobodys_lets_nobody_in(
    with_provider: Any, provider: RunningProvider, refused: Callable[..., Any], subject: str
) -> None:
    begun = begin(with_provider)
    sent = provider.consent(begun.authorization_url, subject)
    refused("SIGN_IN_REFUSED", lambda: come(with_provider, begun.ticket, *sent))


def test_a_code_is_good_once_and_only_in_the_browser_that_began(
    with_provider: Any, provider: RunningProvider, refused: Callable[..., Any]
) -> None:
    mine, other = begin(with_provider), begin(with_provider)
    code, state = provider.consent(mine.authorization_url, "sara")
    refused("SIGN_IN_REFUSED", lambda: come(with_provider, other.ticket, code, state))
    refused("SIGN_IN_REFUSED", lambda: come(with_provider, mine.ticket, code, "another state"))
    refused("SIGN_IN_REFUSED", lambda: come(with_provider, "no ticket", code, state))
    foreign, _ = provider.consent(other.authorization_url, "sara")  # its nonce is that of the other browser
    refused("SIGN_IN_REFUSED", lambda: come(with_provider, mine.ticket, foreign, state))
    assert come(with_provider, mine.ticket, code, state).user.id == with_provider.seller.id
    refused("SIGN_IN_REFUSED", lambda: come(with_provider, mine.ticket, code, state))


def test_another_client_s_word_is_refused(with_provider: Any, provider: RunningProvider, refused: Any) -> None:
    begun = begin(with_provider)
    theirs = begun.authorization_url.replace("client_id=branchline", "client_id=another")
    sent = provider.consent(theirs, "sara")
    refused("SIGN_IN_REFUSED", lambda: come(with_provider, begun.ticket, *sent))


def test_a_provider_that_changed_its_keys_is_believed_and_one_that_is_away_is_said(
    with_provider: Any, provider: RunningProvider, refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("directory.provider.KEYS_AGAIN_SECONDS", 0.0)
    begun = begin(with_provider)
    come(with_provider, begun.ticket, *provider.consent(begun.authorization_url, "sara"))
    provider.stop()
    refused("PROVIDER_AWAY", lambda: come(with_provider, begun.ticket, "code", _state_of(begun)))
    provider.start()
    provider.knows("sara", email="sara@acme.example", email_verified=True)
    begun = begin(with_provider)
    assert come(with_provider, begun.ticket, *provider.consent(begun.authorization_url, "sara")).user.display_name


def test_words_by_unknown_keys_make_the_directory_ask_once_and_the_old_keys_are_forgotten(
    with_provider: Any, provider: RunningProvider, refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted: Provider = with_provider.servicer.provider
    begun = begin(with_provider)
    come(with_provider, begun.ticket, *provider.consent(begun.authorization_url, "sara"))
    asked: list[str] = []
    ask = trusted._ask

    def note(method: str, url: str, **more: Any) -> Any:
        asked.append(url)
        return ask(method, url, **more)

    monkeypatch.setattr(trusted, "_ask", note)
    monkeypatch.setattr(trusted, "_exchange", lambda *_: signed_by_a_stranger(trusted.settings.issuer))

    for _ in range(5):
        refused("SIGN_IN_REFUSED", lambda: come(with_provider, begun.ticket, "code", _state_of(begun)))

    assert asked == [], "the keys were asked for less than half a minute ago"
    monkeypatch.setattr("directory.provider.KEYS_AGAIN_SECONDS", 0.0)
    refused("SIGN_IN_REFUSED", lambda: come(with_provider, begun.ticket, "code", _state_of(begun)))
    assert len(asked) == 1, "asked for anew once, of the provider and of nobody whom the word names"


def signed_by_a_stranger(issuer: str) -> str:
    """An ID token that says all the right things, by a key of somebody else that it brings along."""
    key = RSAKey.generate_key(2048, {"kid": "stranger"})
    now = int(time.time())
    claims = {"iss": issuer, "aud": "branchline", "sub": "sara", "iat": now, "exp": now + 60}
    header = {"alg": "RS256", "kid": "stranger", "jku": "http://127.0.0.1:9/keys", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims, key, algorithms=["RS256"])


def test_passwords_can_be_off_for_a_role_but_not_for_administrators(
    with_provider: Any, provider: RunningProvider, refused: Callable[..., Any]
) -> None:
    with_provider.a_user(
        "Pia Password", with_provider.seller.positions[0].unit_id, login="pia", email="pia@acme.example"
    )
    provider.knows("pia", email="pia@acme.example", email_verified=True)
    with_provider.sign_in("pia")
    off = pb.SetRoleSignInRequest(code="seller", password_off=True)
    assert with_provider.call("SetRoleSignIn", off).role.password_off
    refused("SIGN_IN_REFUSED", lambda: with_provider.sign_in("pia"))
    begun = begin(with_provider)
    assert come(with_provider, begun.ticket, *provider.consent(begun.authorization_url, "pia")).user.login == "pia"
    admin = pb.SetRoleSignInRequest(code="administrator", password_off=True)
    refused("ROLE_FIXED", lambda: with_provider.call("SetRoleSignIn", admin))


def _state_of(begun: pb.BeginProviderSignInResponse) -> str:
    return parse_qs(urlsplit(begun.authorization_url).query)["state"][0]
