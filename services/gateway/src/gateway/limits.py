"""What no request may do: be too large, or come faster than people and programs need; the headers of answers."""

from __future__ import annotations

import math
import re
import threading
import time
from collections import OrderedDict

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.access import Access
from chassis.errors import DomainError, Kind
from gateway.problems import problem

MOST_BODY = 1024 * 1024
MOST_CHUNK = 4 * 1024 * 1024  # uploads come in chunks of 1 MiB; gRPC takes messages of 8 MiB
MOST_HEADERS = 32 * 1024  # bytes; a token has about 2 KiB, a browser's cookies seldom more than 8
CHUNKS = re.compile(r"/(?:api/v1|imports)/files/[^/]+/chunks")
KEPT = 10_000
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NOT_KEPT = (b"cache-control", b"no-store")


class SignInTooFast(DomainError):
    """Too many sign-ins from one address."""

    kind = Kind.EXHAUSTED
    reason = "SIGN_IN_THROTTLED"


class TooManyRequests(DomainError):
    """A person, or a unit, asks faster than the limit."""

    kind = Kind.EXHAUSTED
    reason = "TOO_MANY_REQUESTS"


class Limits:
    """ASGI middleware: refuses large headers, and large bodies before they are read whole; sets the security headers.

    FastAPI's own `max_body_size` answers plain text, not a problem.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on within its limits."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = MOST_CHUNK if CHUNKS.fullmatch(scope["path"]) else MOST_BODY
        counted = _Counted(receive, most)
        guarded = _with_headers(send)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADERS:
            await problem(431, "HEADERS_TOO_LARGE", "the headers are too large; send less")(scope, receive, guarded)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > most:
            await _too_large(most)(scope, receive, guarded)
            return
        await self.app(scope, counted.receive, guarded)


class _Counted:
    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._left = receive, most

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, "the body is too large; send less at a time", {"Connection": "close"})
        return message


class Buckets:
    """Counts what comes by key: a bucket of `per_minute` for each, refilled steadily; in this process only."""

    def __init__(self, per_minute: int) -> None:
        self._rate, self._size = per_minute / 60, float(per_minute)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str) -> float:
        """Count one; answers the seconds to wait, 0 where there is room."""
        now = time.monotonic()
        with self._lock:
            left, since = self._buckets.pop(key, (self._size, now))
            left = min(self._size, left + (now - since) * self._rate)
            self._buckets[key] = (max(left - 1, 0.0) if left >= 1 else left, now)
            while len(self._buckets) > KEPT:
                self._buckets.popitem(last=False)
        return 0.0 if left >= 1 else (1 - left) / self._rate


class SignInPace:
    """Holds up who tries sign-ins from one address as fast as it can."""

    def __init__(self, per_minute: int) -> None:
        self._addresses = Buckets(per_minute)

    def take(self, address: str) -> None:
        """Count one sign-in. Errors: SignInTooFast."""
        wait = self._addresses.take(address)
        if wait:
            raise SignInTooFast("too many sign-ins from this address", retry_after_seconds=wait)


class RequestPace:
    """Holds up a person, or the people and programs of a unit together, that ask as fast as a program can."""

    def __init__(self, person_per_minute: int, unit_per_minute: int) -> None:
        self._persons, self._units = Buckets(person_per_minute), Buckets(unit_per_minute)

    def take(self, access: Access) -> None:
        """Count one request of a signed-in caller. Errors: TooManyRequests."""
        wait = self._persons.take(access.user_id)
        whose = "your requests"
        if not wait and access.unit_path:
            wait, whose = self._units.take(access.unit_path), "the requests of your unit"
        if wait:
            seconds = max(1, math.ceil(wait))
            message = f"{whose} come faster than this platform takes them; go on in {seconds} s"
            raise TooManyRequests(message, retry_after_seconds=wait)


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", []))
            names = {name.lower() for name, _ in given}
            message["headers"] = given + [pair for pair in (*HEADERS, NOT_KEPT) if pair[0] not in names]
        await send(message)

    return guarded


def _too_large(most: int) -> ASGIApp:
    detail = f"the body has more than {most:,} bytes; send less at a time"
    return problem(413, "BODY_TOO_LARGE", detail, headers={"Connection": "close"})
