"""Starts one process of scheduling: serve, work or migrate."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from chassis.entry import Doors, run
from scheduling.settings import MIGRATIONS, PREFIX, SERVICE, Settings

if TYPE_CHECKING:
    from chassis.bus.service import WorkerService
    from chassis.past import Tokens
    from chassis.rpc.server import Servicer


def _servicers(settings: Settings) -> tuple[Servicer, ...]:
    from scheduling.api import servicers

    return servicers(settings)


def _worker(settings: Settings) -> WorkerService:
    from scheduling.worker import worker_service

    return worker_service(settings)


def _tokens() -> Tokens:
    from units.acting import follower_tokens

    return follower_tokens


DOORS = Doors(SERVICE, Settings, PREFIX, MIGRATIONS, _servicers, _worker, tokens=_tokens)

if __name__ == "__main__":
    sys.exit(run(DOORS))
