"""The gateway process: the front door over HTTP."""

from __future__ import annotations

from branchline.processes.starting import begin
from chassis.settings import load_settings
from gateway.serving import serve
from gateway.settings import PREFIX, Settings


def main() -> None:
    """Serve until SIGTERM."""
    begin("gateway")
    serve(load_settings(Settings, PREFIX))


if __name__ == "__main__":
    main()
