"""The OpenID Connect provider as the directory talks to it: discovery, the code's exchange, and its signed word.

Authorization code with PKCE (RFC 7636), state and nonce, as OpenID Connect Core 1.0 says in section 3.1. Nothing here
knows users or the database; what comes from outside is bounded in time and size.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2
from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from directory.errors import ProviderAway, SignInRefused
from directory.provider_settings import ProviderSettings
from directory.rules import invalid

SECONDS = 5.0  # a sign-in waits no longer for the provider
TICKET_SECONDS = 600  # how long somebody may think on the provider's page
KEPT_SECONDS = 3_600.0  # of what discovery told
KEYS_AGAIN_SECONDS = 30.0  # an unknown key asks for the keys anew, no more often than this
MOST_URI, MOST_BYTES = 500, 200_000
SKEW_SECONDS = 60
# Signatures with a public key only: by none, or by the client's secret, anybody who reads it could write them.
ALGORITHMS = ["RS256", "PS256", "ES256", "RS384", "RS512", "ES384", "EdDSA"]
SCOPES = "openid profile email"
REFUSED = "the provider's answer is not good; sign in again"


@dataclass(frozen=True)
class Ticket:
    """What the browser that began a sign-in brings back, sealed."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


@dataclass(frozen=True)
class Word:
    """What the provider says of who signed in."""

    issuer: str
    subject: str
    email: str
    name: str


class Provider:
    """Talks to the provider; what it told of itself is kept for an hour, its keys until one is not among them."""

    def __init__(self, settings: ProviderSettings, seal_key: bytes) -> None:
        self.settings = settings
        self._seal = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"provider ticket" + seal_key).digest()))
        self._http = httpx2.Client(timeout=SECONDS, follow_redirects=False)
        self._lock = threading.Lock()
        self._told: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None
        _require_safe(settings.issuer)

    def begin(self, redirect_uri: str) -> tuple[str, str]:
        """Where to send the browser, and the ticket. Errors: ProviderAway, FieldInvalid."""
        if not redirect_uri or len(redirect_uri) > MOST_URI or urlsplit(redirect_uri).scheme not in ("http", "https"):
            raise invalid("redirect_uri", "is no address of a web page")
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        made = Ticket(state, nonce, verifier, redirect_uri)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(made.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPES,
            "state": made.state,
            "nonce": made.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        place = self._discover()["authorization_endpoint"]
        ticket = self._seal.encrypt(json.dumps(asdict(made)).encode()).decode()
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(asked)}", ticket

    def end(self, ticket: str, code: str, state: str) -> Word:
        """What the provider says of who comes back. Errors: SignInRefused, ProviderAway."""
        known = self._open(ticket)
        if not code or not secrets.compare_digest(known.state.encode(), state.encode()):
            raise SignInRefused(REFUSED)
        claims = self._claims(self._exchange(known, code))
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), known.nonce.encode()):
            raise SignInRefused(REFUSED)
        verified = claims.get("email_verified", False) is True or self.settings.claim != "email"
        named = str(claims.get(self.settings.claim, "")) if verified else ""
        return Word(self.settings.issuer, str(claims["sub"]), named, str(claims.get("name", "")))

    def _open(self, ticket: str) -> Ticket:
        try:
            return Ticket(**json.loads(self._seal.decrypt(ticket.encode(), ttl=TICKET_SECONDS)))
        except (InvalidToken, ValueError, TypeError):
            raise SignInRefused(REFUSED) from None

    def _exchange(self, known: Ticket, code: str) -> str:
        """The ID token for a code, which is good once."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": known.redirect_uri,
            "code_verifier": known.verifier,
            "client_id": self.settings.client_id,
        }
        basic = httpx2.BasicAuth(self.settings.client_id, self.settings.client_secret)
        answer = self._ask("POST", self._discover()["token_endpoint"], data=form, auth=basic)
        if answer is None or not isinstance(answer.get("id_token"), str):
            raise SignInRefused(REFUSED)
        return str(answer["id_token"])

    def _claims(self, token: str) -> dict[str, Any]:
        """The claims of an ID token of this provider for us, signed and in time. Errors: SignInRefused."""
        checks = jwt.JWTClaimsRegistry(
            leeway=SKEW_SECONDS,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.client_id},
            exp={"essential": True},
            sub={"essential": True},
        )
        for again in (False, True):
            try:
                decoded = jwt.decode(token, self._key_set(again), algorithms=ALGORITHMS)
                checks.validate(decoded.claims)
            except (JoseError, ValueError):
                if again:
                    raise SignInRefused(REFUSED) from None
                continue
            party = decoded.claims.get("azp")
            if party is not None and party != self.settings.client_id:
                raise SignInRefused(REFUSED)
            return dict(decoded.claims)
        raise SignInRefused(REFUSED)

    def _key_set(self, anew: bool) -> KeySet:
        """The provider's keys; asked for again where one was not among them, since providers change keys."""
        with self._lock:
            kept = self._keys
        if kept is not None and (not anew or time.monotonic() - kept[0] < KEYS_AGAIN_SECONDS):
            return kept[1]
        told = self._ask("GET", self._discover()["jwks_uri"])
        try:
            keys = KeySet.import_key_set(told)  # type: ignore[arg-type]
        except (JoseError, ValueError, TypeError, KeyError):
            raise ProviderAway("the provider's keys cannot be read") from None
        with self._lock:
            self._keys = (time.monotonic(), keys)
        return keys

    def _discover(self) -> dict[str, Any]:
        """What the provider says of itself. Errors: ProviderAway."""
        with self._lock:
            kept = self._told
        if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
            return kept[1]
        issuer = self.settings.issuer
        told = self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
        if told is None or told.get("issuer") != issuer or not all(isinstance(told.get(one), str) for one in places):
            raise ProviderAway(f"{issuer} does not describe itself as a provider")
        for one in places:
            _require_safe(told[one])
        with self._lock:
            self._told = (time.monotonic(), told)
        return told

    def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any] | None:
        """The JSON object at an address, None where the provider refuses. Errors: ProviderAway."""
        try:
            answer = self._http.request(method, url, headers={"Accept": "application/json"}, **more)
        except httpx2.HTTPError:
            raise ProviderAway("the provider does not answer") from None
        if answer.status_code >= 500 or len(answer.content) > MOST_BYTES:
            raise ProviderAway("the provider does not answer as one")
        try:
            found = answer.json()
        except ValueError:
            raise ProviderAway("the provider does not answer as one") from None
        return found if answer.status_code == 200 and isinstance(found, dict) else None


def _require_safe(url: str) -> None:
    """Errors: ProviderAway for an address without TLS that is not on this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")):
        raise ProviderAway(f"{url[:200]} is not safe: a provider is reached by https")
