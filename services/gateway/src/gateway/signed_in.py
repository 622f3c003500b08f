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
from gateway.services import Services

# A leaver is locked out within a minute everywhere; services alone would take a token until it ends (five minutes).
ASK_AGAIN = 30.0
KEPT = 10_000


class SignedIn:
    """Checks tokens; remembers for half a minute that the directory found one good."""

    def __init__(self, services: Services, verifier: TokenVerifier) -> None:
        self._services, self._verifier = services, verifier
        self._asked: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def token_of(self, request: Request) -> str:
        """The token of a request whose user may call. Errors: NotSignedIn."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotSignedIn("sign in first: POST /api/v1/sessions, then send Authorization: Bearer …")
        self.check(token)
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
            if refusal.kind not in (Kind.UNAVAILABLE, Kind.DEADLINE, Kind.EXHAUSTED):
                raise NotSignedIn("access is closed or the token has ended; sign in again") from None

    def _remember(self, mark: bytes) -> None:
        with self._lock:
            self._asked[mark] = time.monotonic()
            self._asked.move_to_end(mark)
            while len(self._asked) > KEPT:
                self._asked.popitem(last=False)
