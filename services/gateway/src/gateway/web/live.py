"""Tells open pages that something they show has changed: one stream of server-sent events a page, ids only.

What changed is then fetched by the page with its person's own rights.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from chassis.errors import NotSignedIn
from gateway.web.following import Following, Listener, now_ms
from gateway.web.mounting import Workplace
from gateway.web.news import TOPIC
from gateway.web.sessions import COOKIE, Session

HEARTBEAT_SECONDS = 15.0  # a proxy closes what is silent for a minute
MOST_TOPICS = 500
MOST_STREAMS = 6  # of one session; a hidden page gives its own back
NOT_NOW = 204  # tells EventSource to stay away until its page asks again
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def live_route(workplace: Workplace, following: Following) -> Route:
    """The route of the streams: `/live?topics=person:ID,deal:ID&since=MILLISECONDS`."""
    open_streams: Counter[str] = Counter()

    async def stream(request: Request) -> Response:
        topics = frozenset(filter(TOPIC.fullmatch, request.query_params.get("topics", "").split(",")[:MOST_TOPICS]))
        since = request.query_params.get("since", "")
        cookie = request.cookies.get(COOKIE, "")
        session = await run_in_threadpool(_read, workplace, cookie)
        if session is None or not topics or not following.is_possible or open_streams[cookie] >= MOST_STREAMS:
            return Response(status_code=NOT_NOW, headers=HEADERS)
        since_ms = int(since) if since.isascii() and since.isdigit() and len(since) < 16 else now_ms()
        words = Stream(workplace, following, session, topics, since_ms, open_streams).words()
        return StreamingResponse(words, media_type="text/event-stream", headers=HEADERS)

    return Route("/live", stream, methods=["GET"])


class Stream:
    """One page's stream. Everything but `Listener.tell` happens on the event loop."""

    def __init__(
        self,
        workplace: Workplace,
        following: Following,
        session: Session,
        topics: frozenset[str],
        since_ms: int,
        open_streams: Counter[str],
    ) -> None:
        self._workplace, self._following, self._session = workplace, following, session
        self._topics, self._since_ms, self._open = topics, since_ms, open_streams
        self._pending: set[str] = set()
        self._woken = asyncio.Event()

    async def words(self) -> AsyncIterator[str]:
        """What is sent, until the page is left, the session ends or the gateway does."""
        loop = asyncio.get_running_loop()

        def tell(topics: frozenset[str]) -> None:
            with suppress(RuntimeError):  # the loop has ended before its last listener
                loop.call_soon_threadsafe(self._note, topics)

        listener = Listener(self._session.access, self._session.token, self._topics, tell)
        self._open[self._session.id] += 1
        self._following.add(listener, self._since_ms)
        try:
            yield said("begun", now_ms())
            async for word in self._until_the_end(listener):
                yield word
        finally:
            self._following.remove(listener)
            self._open[self._session.id] -= 1
            if not self._open[self._session.id]:
                del self._open[self._session.id]

    async def _until_the_end(self, listener: Listener) -> AsyncIterator[str]:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), HEARTBEAT_SECONDS)
            session = await run_in_threadpool(_read, self._workplace, self._session.id)
            if session is None or self._following.is_closing:
                return
            listener.access, listener.token = session.access, session.token
            moment, changed = now_ms(), sorted(self._pending)
            self._pending.clear()
            self._woken.clear()
            yield said("changed", moment, changed) if changed else said("beat", moment)

    def _note(self, topics: frozenset[str]) -> None:
        self._pending.update(topics)
        self._woken.set()


def said(name: str, moment: int, topics: list[str] | None = None) -> str:
    """One server-sent event; its id is the moment up to which everything was said."""
    return f"event: {name}\nid: {moment}\ndata: {json.dumps(topics or [])}\n\n"


def _read(workplace: Workplace, session_id: str) -> Session | None:
    try:
        session = workplace.sessions.read(session_id)
        workplace.signed_in.check(session.token)
    except NotSignedIn:
        return None
    return session
