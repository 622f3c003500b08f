"""The HTTP server around the app, with limits on what it reads before the app sees it."""

from __future__ import annotations

from types import FrameType
from typing import Any

import uvicorn

from chassis.process import take_short_turns
from gateway.app import create_app
from gateway.limits import MOST_HEADERS
from gateway.settings import Settings
from gateway.web.following import Following

GRACE_SECONDS = 3  # a supervisor gives the front door four
MOST_AT_ONCE = 2_000  # connections beyond these are answered 503 at once; each open page holds one for its news


def serve(settings: Settings) -> None:
    """Serve until SIGTERM, then let running requests end."""
    host, _, port = settings.http_listen.rpartition(":")
    take_short_turns()
    app = create_app(settings)
    config = uvicorn.Config(
        app,
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
        **files_of(settings.https_folder),
    )
    Front(config, app.state.following).run()


def files_of(https_folder: str) -> dict[str, Any]:
    """Where the server finds its certificate; nothing for plain HTTP."""
    if not https_folder:
        return {}
    return {"ssl_certfile": f"{https_folder}/certificate.pem", "ssl_keyfile": f"{https_folder}/key.pem"}


class Front(uvicorn.Server):
    """A server that ends the pages' streams when it is asked to end, instead of waiting for them in vain."""

    def __init__(self, config: uvicorn.Config, following: Following) -> None:
        super().__init__(config)
        self._following = following

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._following.close()
        super().handle_exit(sig, frame)
