"""The HTTP server around the app, with limits on what it reads before the app sees it."""

from __future__ import annotations

import uvicorn

from gateway.app import create_app
from gateway.limits import MOST_HEADERS
from gateway.settings import Settings

GRACE_SECONDS = 3  # a supervisor gives the front door four
MOST_AT_ONCE = 500  # connections beyond these are answered 503 at once


def serve(settings: Settings) -> None:
    """Serve until SIGTERM, then let running requests end."""
    host, _, port = settings.http_listen.rpartition(":")
    uvicorn.run(
        create_app(settings),
        host=host.strip("[]"),
        port=int(port),
        http="h11",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_AT_ONCE,
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=MOST_HEADERS,
    )
