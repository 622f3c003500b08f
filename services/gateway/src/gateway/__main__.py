"""Starts one process of the gateway: serve, or prepare its database before that."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field

from chassis.process import start_process
from chassis.settings import SettingsInvalid, load_settings
from gateway.settings import MIGRATIONS, PREFIX, Settings


@dataclass(frozen=True)
class PreparationSettings:
    """What is needed before the gateway serves."""

    database_url: str = field(metadata={"help": "postgresql+psycopg://user:password@host/gateway"})


def main() -> int:
    """Serve until SIGTERM, bring the database to its newest schema, or verify the trail; answers the exit code."""
    parser = argparse.ArgumentParser(prog="gateway")
    parser.add_argument("action", choices=("serve", "migrate", "prepare", "verify-audit"))
    options, more = parser.parse_known_args()
    action = options.action
    if more and action != "verify-audit":  # which has options of its own
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    try:
        start_process(f"gateway-{action}")
        if action == "verify-audit":
            return _verify()
        {"serve": _serve, "migrate": _migrate, "prepare": _migrate}[action]()
    except SettingsInvalid as trouble:
        sys.stderr.write(f"gateway: {trouble}\n")
        return 2
    return 0


def _serve() -> None:
    from gateway.serving import serve

    serve(load_settings(Settings, PREFIX))


def _migrate() -> None:
    from chassis.migrate import migrate

    migrate(load_settings(PreparationSettings, PREFIX).database_url, MIGRATIONS)


def _verify() -> int:
    from chassis.audit.run_verify import run_verify
    from chassis.database import Database

    return run_verify(Database(load_settings(PreparationSettings, PREFIX).database_url, "gateway"), sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
