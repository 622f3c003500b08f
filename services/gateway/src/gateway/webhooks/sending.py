"""One delivery over the wire: connect to a checked address, say it, read the beginning of the answer, within limits.

Nothing is followed, nothing is kept open, and of an answer no more is read than is shown.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import h11

from chassis import clock
from gateway.webhooks import rules
from gateway.webhooks.addresses import (
    AddressForbidden,
    AddressUnknown,
    Network,
    Resolver,
    Target,
    ask_system,
    choose_places,
    read_address,
)
from gateway.webhooks.rules import Outcome

PIECE = 4_096
MOST_HEADERS = 16_384
MOST_BODY = 65_536  # bytes; who says more than this behind a 2xx is cut off and has it all the same
SHOWN = 200  # characters of an answer that are kept
PLACES = 2  # of one name that are tried


@dataclass(frozen=True)
class Limits:
    """How long a delivery may take, in seconds: until connected, until the headers are there, and as a whole."""

    connect: float = 5.0
    headers: float = 10.0
    whole: float = 15.0


class Post:
    """Sends; `networks` are those of the house that may be reached."""

    def __init__(
        self, networks: Sequence[Network] = (), limits: Limits | None = None, resolve: Resolver = ask_system
    ) -> None:
        self.networks, self.limits, self._resolve = tuple(networks), limits or Limits(), resolve
        self._context = ssl.create_default_context()

    def check(self, address: str) -> None:
        """Errors: FieldInvalid, AddressForbidden, AddressUnknown for an address that could not be reached now."""
        choose_places(read_address(address), self.networks, self._resolve)

    def send(self, address: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Make one try; whatever happens is an outcome."""
        begin = time.monotonic()
        found = self._try(read_address(address), headers, body, begin)
        millis = round((time.monotonic() - begin) * 1000)
        return Outcome(found.result, found.status, found.answer, millis, found.wish)

    def _try(self, target: Target, headers: Mapping[str, str], body: bytes, begin: float) -> Outcome:
        try:
            places = choose_places(target, self.networks, self._resolve)
            with self._connect(target, places, begin) as channel:
                return _Exchange(channel, begin, self.limits).run(_request(target, headers, body), body)
        except AddressForbidden:
            return Outcome(rules.FORBIDDEN)
        except AddressUnknown:
            return Outcome(rules.UNREACHABLE)
        except TimeoutError:
            return Outcome(rules.TIMED_OUT)
        except h11.RemoteProtocolError:
            return Outcome(rules.BROKEN)
        except OSError:  # refused, reset, a certificate that is not the name's
            return Outcome(rules.UNREACHABLE)

    def _connect(self, target: Target, places: Sequence[str], begin: float) -> socket.socket:
        """A channel to the first place that answers. Errors: OSError of the last."""
        trouble: OSError = ConnectionRefusedError()
        for place in places[:PLACES]:
            try:
                plain = socket.create_connection((place, target.port), _left(begin, self.limits.connect))
            except OSError as one:
                trouble = one
                continue
            try:
                plain.settimeout(_left(begin, self.limits.connect))
                return self._context.wrap_socket(plain, server_hostname=target.host) if target.is_secure else plain
            except OSError:
                plain.close()
                raise
        raise trouble


class _Exchange:
    """One request and its answer on an open channel."""

    def __init__(self, channel: socket.socket, begin: float, limits: Limits) -> None:
        self._channel, self._begin, self._limits = channel, begin, limits
        self._talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_HEADERS)

    def run(self, request: h11.Request, body: bytes) -> Outcome:
        """Errors: TimeoutError, OSError, h11's RemoteProtocolError."""
        parts = (request, h11.Data(data=body), h11.EndOfMessage())
        self._channel.settimeout(_left(self._begin, self._limits.headers))
        self._channel.sendall(b"".join(self._talk.send(one) or b"" for one in parts))
        answer = self._read_head()
        text = self._read_body()
        wish = dict(answer.headers).get(b"retry-after", b"").decode("latin-1")
        return Outcome(
            rules.result_of(answer.status_code), answer.status_code, text, wish=rules.read_wish(wish, clock.now())
        )

    def _read_head(self) -> h11.Response:
        while True:
            event = self._next(self._limits.headers)
            if isinstance(event, h11.Response):
                return event
            if isinstance(event, h11.ConnectionClosed | h11.EndOfMessage):
                raise h11.RemoteProtocolError("no answer")

    def _read_body(self) -> str:
        """The beginning of the body as text. An answer that does not end in time is none, so the event comes again."""
        kept, count = b"", 0
        while count <= MOST_BODY:
            event = self._next(self._limits.whole)
            if not isinstance(event, h11.Data):
                break
            count += len(event.data)
            kept = (kept + bytes(event.data))[: SHOWN * 4]
        text = kept.decode("utf-8", "replace")
        return "".join(one if one.isprintable() else " " for one in text)[:SHOWN].strip()

    def _next(self, seconds: float) -> object:
        while (event := self._talk.next_event()) is h11.NEED_DATA:
            self._channel.settimeout(_left(self._begin, seconds))
            self._talk.receive_data(self._channel.recv(PIECE))
        return event


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> h11.Request:
    told = {
        "Host": target.authority,
        "User-Agent": "Branchline-Webhooks/1",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    return h11.Request(method="POST", target=target.path, headers=list(told.items()))


def _left(begin: float, seconds: float) -> float:
    """Seconds until the limit. Errors: TimeoutError when there are none."""
    left = begin + seconds - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
