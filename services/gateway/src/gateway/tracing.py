"""One span and one log line per request; what a caller says about traces is not believed."""

from __future__ import annotations

import logging
import time

from opentelemetry.trace import SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import measuring, telemetry

log = logging.getLogger(__name__)


class Traced:
    """ASGI middleware: begins the trace that goes on through gRPC, outbox and broker to the last handler."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request inside a span."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        begin = time.perf_counter()
        with telemetry.span(
            f"{scope['method']} /api", kind=SpanKind.SERVER, **{"http.request.method": scope["method"]}
        ) as span:
            try:
                await self.app(scope, receive, watched)
            finally:
                route = getattr(scope.get("route"), "path", "unknown")
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.response.status_code", status)
                seconds = time.perf_counter() - begin
                about = {"http.request.method": scope["method"], "http.route": route}
                measuring.requests.record(seconds, {**about, "http.response.status_code": status})
                milliseconds = round(seconds * 1000, 1)
                log.info(
                    "request", extra={"method": scope["method"], "route": route, "status": status, "ms": milliseconds}
                )
