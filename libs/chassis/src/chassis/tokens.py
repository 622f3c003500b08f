"""Short-lived signed tokens: who is asking, passed on with every call and checked by every service."""

from __future__ import annotations

import base64
import json
import time
from functools import lru_cache
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from chassis.access import Access
from chassis.errors import NotSignedIn

ALGORITHM = "Ed25519"
ISSUER = "branchline/directory"
AUDIENCE = "branchline"
TYPE = "branchline-access+jwt"
LIFE_SECONDS = 300
SKEW_SECONDS = 60
MAX_TOKEN = 16_384


def generate_key() -> str:
    """A new private key as PEM text."""
    return OKPKey.generate_key("Ed25519").as_pem(private=True).decode()


def public_key_of(private_pem: str) -> str:
    """The public half of a private key, PEM text."""
    return OKPKey.import_key(private_pem).as_pem(private=False).decode()


class TokenSigner:
    """Signs tokens; only the directory has the private key (PEM)."""

    def __init__(self, private_pem: str) -> None:
        self._key = OKPKey.import_key(private_pem)

    def sign(self, access: Access, life_seconds: int = LIFE_SECONDS) -> str:
        """A token for an access, valid from now on for `life_seconds`."""
        now = int(time.time())
        claims = {**access.to_claims(), "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + life_seconds}
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE}, claims, self._key, algorithms=[ALGORITHM])


class TokenVerifier:
    """Checks tokens with the public key (PEM). Only one algorithm, type, issuer and audience are taken."""

    def __init__(self, public_pem: str) -> None:
        self._key = OKPKey.import_key(public_pem)
        self._decoded = lru_cache(maxsize=1024)(self._decode)

    def verify(self, token: str) -> Access:
        """The access a valid token describes. Errors: NotSignedIn."""
        if not token or len(token) > MAX_TOKEN:
            raise NotSignedIn("sign in first: the call carries no usable token")
        access, start, end = self._decoded(token)
        if not start - SKEW_SECONDS <= time.time() <= end + SKEW_SECONDS:
            raise NotSignedIn("the token has ended; refresh it or sign in again")
        return access

    def _decode(self, token: str) -> tuple[Access, int, int]:
        try:
            decoded = jwt.decode(token, self._key, algorithms=[ALGORITHM])
            _refuse_repeated(token)
            header, claims = decoded.header, decoded.claims
            if header.get("typ") != TYPE or claims.get("iss") != ISSUER or claims.get("aud") != AUDIENCE:
                raise NotSignedIn("the token is of another kind")
            return Access.from_claims(claims), int(claims["iat"]), int(claims["exp"])
        except (JoseError, ValueError, KeyError, TypeError):
            raise NotSignedIn("the token is not valid") from None


def _refuse_repeated(token: str) -> None:
    """Errors: ValueError when a header or claim is told twice, since two readers could then take different ones."""
    for part in token.split(".")[:2]:
        json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=_all_different)


def _all_different(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
