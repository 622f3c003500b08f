"""Who is calling: the bearer token is checked here, and every half minute also that its user's access is still open."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict

from fastapi import Request

from chassis.errors import Kind, NotSignedIn, RemoteError
from chassis.rpc.client import calling_as
from chassis.tokens import TokenVerifier
from crm.directory.v1 import directory_pb2
from gateway.limits import RequestPace
from gateway.services import Services

# A leaver is locked out within a minute everywhere; services alone would take a token until it ends (five minutes).
ASK_AGAIN = 30.0
KEPT = 10_000
KEY_MARK = "blk_"  # how the key of a program begins


class SignedIn:
    """Checks tokens; remembers for half a minute that the directory found one good."""

    def __init__(self, services: Services, verifier: TokenVerifier, pace: RequestPace) -> None:
        self._services, self._verifier, self.pace = services, verifier, pace
        self._asked: OrderedDict[bytes, float] = OrderedDict()
        self._exchanged: OrderedDict[bytes, tuple[float, str]] = OrderedDict()
        self._lock = threading.Lock()

    def token_of(self, request: Request) -> str:
        """The token of a request whose user may call. Errors: NotSignedIn, TooManyRequests."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotSignedIn("sign in first: POST /api/v1/sessions, then send Authorization: Bearer …")
        if token.startswith(KEY_MARK):
            token = self._exchange(token)
        else:
            self.check(token)
        self.pace.take(self._verifier.verify(token))
        return token

    def _exchange(self, secret: str) -> str:
        """The token for a program's key, at most half a minute old. Errors: NotSignedIn, RemoteError."""
        mark = hashlib.sha256(secret.encode()).digest()
        at, token = self._exchanged.get(mark, (-ASK_AGAIN, ""))
        if time.monotonic() - at < ASK_AGAIN:
            return token
        asked = directory_pb2.ExchangeApiKeyRequest(secret=secret)
        token = str(self._services.call("directory", "ExchangeApiKey", asked, timeout=2).access_token)
        with self._lock:
            self._exchanged[mark] = (time.monotonic(), token)
            self._exchanged.move_to_end(mark)
            while len(self._exchanged) > KEPT:
                self._exchanged.popitem(last=False)
        return token

    def check(self, token: str) -> None:
        """Errors: NotSignedIn unless the token is good and its user's access is open."""
        self._verifier.verify(token)
        mark = hashlib.sha256(token.encode()).digest()
        if time.monotonic() - self._asked.get(mark, -ASK_AGAIN) >= ASK_AGAIN:
            self._ask(token)
            self._remember(mark)

    def _ask(self, token: str) -> None:
        try:
            with calling_as(token):
                self._services.call("directory", "GetUser", directory_pb2.GetUserRequest(), timeout=2)
        except RemoteError as refusal:
            # While the directory is away the signature alone decides, so that the other services stay usable.
            if refusal.kind not in (Kind.UNAVAILABLE, Kind.DEADLINE, Kind.EXHAUSTED, Kind.INTERNAL):
                raise NotSignedIn("access is closed or the token has ended; sign in again") from None

    def _remember(self, mark: bytes) -> None:
        with self._lock:
            self._asked[mark] = time.monotonic()
            self._asked.move_to_end(mark)
            while len(self._asked) > KEPT:
                self._asked.popitem(last=False)
