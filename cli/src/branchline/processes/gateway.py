"""The gateway process: the front door over HTTP."""

from __future__ import annotations

import uvicorn

from branchline.processes.starting import begin
from chassis.settings import load_settings
from gateway.app import create_app
from gateway.settings import PREFIX, Settings

GRACE_SECONDS = 3


def main() -> None:
    """Serve until SIGTERM; uvicorn itself lets running requests end."""
    begin("gateway")
    settings = load_settings(Settings, PREFIX)
    host, _, port = settings.http_listen.rpartition(":")
    uvicorn.run(
        create_app(settings),
        host=host,
        port=int(port),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


if __name__ == "__main__":
    main()
