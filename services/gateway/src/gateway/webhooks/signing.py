"""How a receiver knows that a delivery is ours: secrets, signatures (Standard Webhooks 1.0.0), and their sealing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken

from chassis.errors import DomainError, Kind

MARK = "whsec_"
SECRET_BYTES = 32  # the specification asks for 24 to 64


class SecretLost(DomainError):
    """A webhook's secret cannot be read, so that nothing can be signed."""

    kind = Kind.PRECONDITION
    reason = "WEBHOOK_SECRET_LOST"


def new_secret() -> str:
    """A secret as its receiver gets it."""
    return MARK + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(event_id: str, moment: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The headers that prove a delivery; with several secrets, while one takes the other's place, each signs."""
    stamp = str(int(moment.timestamp()))
    told = b".".join((event_id.encode(), stamp.encode(), body))
    return {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{_signature(one, told)}" for one in keys),
    }


def _signature(secret: str, told: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(MARK))
    return base64.b64encode(hmac.digest(key, told, "sha256")).decode()


class Sealing:
    """Keeps secrets so that a copy of the database signs nothing: encrypted with the operator's key."""

    def __init__(self, key: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"branchline webhooks " + key.encode()).digest()))

    def seal(self, secret: str) -> bytes:
        """The secret as it is stored."""
        return self._fernet.encrypt(secret.encode())

    def open(self, sealed: bytes) -> str:
        """The secret itself. Errors: SecretLost where the operator's key is another one by now."""
        try:
            return self._fernet.decrypt(bytes(sealed)).decode()
        except InvalidToken:
            raise SecretLost("the secret was sealed with another key; give the webhook a new one") from None

    def opens(self, sealed: bytes) -> bool:
        """Tell whether the operator's key is still the one with which this was sealed."""
        try:
            self.open(sealed)
        except SecretLost:
            return False
        return True
