"""Starts one process of imports: serve, work, jobs or migrate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from chassis.entry import Doors, run
from imports.settings import MIGRATIONS, PREFIX, SERVICE, Settings

if TYPE_CHECKING:
    from chassis.bus.service import WorkerService
    from chassis.jobs import JobRunner
    from chassis.past import Tokens
    from chassis.rpc.server import Servicer


def _servicers(settings: Settings) -> tuple[Servicer, ...]:
    from imports.api import servicers

    return servicers(settings)


def _worker(settings: Settings) -> WorkerService:
    from imports.worker import worker_service

    return worker_service(settings)


def _jobs(settings: Settings) -> JobRunner:
    from imports.jobs import job_runner

    return job_runner(settings)


def _tokens() -> Tokens:
    from units.acting import follower_tokens

    return follower_tokens


DOORS = Doors(SERVICE, Settings, PREFIX, MIGRATIONS, _servicers, _worker, _jobs, tokens=_tokens)

if __name__ == "__main__":
    sys.exit(run(DOORS))
