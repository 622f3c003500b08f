"""The stream of news that an open page holds, for measuring people at work: opened, listened to, left with the page."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

from branchline.bench.visitors import ReadPage

LONGEST_WAIT = 60.0  # seconds without a word; a beat comes every fifteen
CHANGED = b"event: changed"


class PageStream:
    """What one person's open page hears. `heard` counts the words that something changed."""

    def __init__(self, url: str, cookies: str) -> None:
        self._host, self._cookies = urlsplit(url).netloc, cookies
        self._connection: http.client.HTTPConnection | None = None
        self.heard = 0

    def follow(self, page: ReadPage) -> None:
        """Leave the page before and listen to what this one shows; a page that shows nothing live has no stream."""
        self.leave()
        topics = sorted({topic for one in page.having("data-live") for topic in one["data-live"].split()})
        if topics:
            since = next((one["content"] for one in page.named("meta", "rendered")), "")
            self._connection = http.client.HTTPConnection(self._host, timeout=LONGEST_WAIT)
            path = f"/live?{urlencode({'topics': ','.join(topics), 'since': since})}"
            threading.Thread(target=self._listen, args=(self._connection, path), daemon=True).start()

    def leave(self) -> None:
        """Close the stream, as a browser does with the page."""
        if self._connection is not None and self._connection.sock is not None:
            with suppress(OSError):  # it has ended by itself
                self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._connection = None

    def _listen(self, connection: http.client.HTTPConnection, path: str) -> None:
        with suppress(OSError, http.client.HTTPException, ValueError):  # the page was left in the middle of a word
            connection.request("GET", path, headers={"Cookie": self._cookies, "Accept": "text/event-stream"})
            for line in connection.getresponse():
                self.heard += line.startswith(CHANGED)
        connection.close()
