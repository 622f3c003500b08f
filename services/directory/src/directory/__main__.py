"""Starts one process of the directory: serve, work, migrate, prepare, or bootstrap for the first administrator."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from chassis.entry import Doors, run
from directory.settings import MIGRATIONS, PREFIX, SERVICE, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chassis.bus.service import WorkerService
    from chassis.rpc.server import Servicer


def _servicers(settings: Settings) -> tuple[Servicer, ...]:
    from directory.api import servicers

    return servicers(settings)


def _worker(settings: Settings) -> WorkerService:
    from directory.worker import worker_service

    return worker_service(settings)


DOORS = Doors(SERVICE, Settings, PREFIX, MIGRATIONS, _servicers, _worker)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process the arguments name; answers its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    return _bootstrap(words[1:]) if list(words[:1]) == ["bootstrap"] else run(DOORS, words)


def _bootstrap(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="directory bootstrap", description="Make the company and its first administrator, once."
    )
    for option, standard in (("company", ""), ("code", "hq"), ("country", ""), ("currency", ""), ("zone", "UTC")):
        parser.add_argument(f"--{option}", default=standard, required=not standard)
    parser.add_argument("--login", required=True)
    parser.add_argument("--password-file", type=Path, required=True)
    options = parser.parse_args(words)
    from chassis.database import Database
    from chassis.process import start_process
    from chassis.settings import load_settings
    from directory.bootstrap import FirstFacts, bootstrap

    start_process("directory-bootstrap")
    facts = FirstFacts(
        company=options.company,
        code=options.code,
        country_code=options.country,
        currency_code=options.currency,
        time_zone=options.zone,
        login=options.login,
        password=options.password_file.read_text(encoding="utf-8").strip("\r\n"),
    )
    bootstrap(Database(load_settings(Settings, PREFIX).database_url, SERVICE), facts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
