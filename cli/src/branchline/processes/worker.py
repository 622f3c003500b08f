"""The worker process: every service's event handlers, relay and timers, hosted by nameko."""

from chassis.bus.patch import patch

patch()

import os  # noqa: E402  (the patch is the first statement of a worker process)
from importlib import import_module  # noqa: E402

from branchline.platform.environment import SERVICES  # noqa: E402
from branchline.processes.starting import begin  # noqa: E402
from chassis.bus.service import WorkerService  # noqa: E402
from chassis.bus.worker import run_workers  # noqa: E402
from chassis.settings import load_settings  # noqa: E402

NEEDED = tuple(f"{name}.worker" for name in SERVICES)  # imported before there are settings


def list_services() -> list[WorkerService]:
    """The worker side of every service."""
    return [
        import_module(f"{name}.worker").worker_service(
            load_settings(import_module(f"{name}.settings").Settings, f"{name.upper()}_")
        )
        for name in SERVICES
    ]


def main() -> None:
    """Work until SIGTERM."""
    begin("worker")
    run_workers(list_services(), os.environ["BUS_URL"])


if __name__ == "__main__":
    main()
