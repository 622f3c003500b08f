"""The worker process of `branchline bench bus`: the worker side of the services named, and nothing else.

python -m branchline.processes.bench_worker SERVER_URL BUS_URL SERVICE...

It stands here and not among the benches, which are all imported to be listed: its first statement changes its process.
"""

from chassis.bus.patch import patch

patch()

import sys  # noqa: E402  (the patch is the first statement of a worker process)
from importlib import import_module  # noqa: E402

from branchline.platform.environment import database_url  # noqa: E402
from chassis.bus.worker import run_workers  # noqa: E402
from chassis.logs import start_logs  # noqa: E402


def main(server: str, bus_url: str, *names: str) -> None:
    """Work until SIGTERM; `server` is a URL with `{}` in the place of the database."""
    start_logs("bench-worker")
    services = []
    for name in names:
        settings = import_module(f"{name}.settings").Settings(database_url=database_url(server, name))
        services.append(import_module(f"{name}.worker").worker_service(settings))
    run_workers(services, bus_url)


if __name__ == "__main__":
    main(*sys.argv[1:])
