"""`new-epoch`, a command of each service that is deployed apart: its database was put back, so its events begin anew.

What waits in its queues belongs to the lost time and goes; what its database had not heard then is read by `catch-up`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from chassis.bus.dividing import divided
from chassis.bus.relay import begin_epoch
from chassis.bus.service import WorkerService
from chassis.bus.transport import BusLost, DividingBus, open_bus


def run_new_epoch(service: WorkerService, bus_url: str, words: Sequence[str]) -> int:
    """Empty the service's queues and begin an epoch; prints one JSON document. A worker that reads is a refusal."""
    parser = argparse.ArgumentParser(prog=f"{service.name} new-epoch")
    parser.add_argument("--yes", action="store_true", required=True, help="an epoch cannot be taken back")
    parser.parse_args(words[1:])
    try:
        emptied = _empty_queues(service, bus_url)
    except BusLost as trouble:
        sys.stderr.write(f"{service.name}: nothing was done: {trouble}\n")
        return 1
    epoch = begin_epoch(service.database)
    sys.stdout.write(json.dumps({"service": service.name, "epoch": epoch, "emptied": emptied}) + "\n")
    return 0


def _empty_queues(service: WorkerService, bus_url: str) -> dict[str, int]:
    bus = open_bus(bus_url)
    return bus.throw_away(divided(service.consumers, bus)) if isinstance(bus, DividingBus) else {}
