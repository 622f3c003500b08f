"""The commands of a service that is deployed apart: catch up, be told again, make its copies anew.

Sources are the other services' doors; what is told goes through the service's own consumers, on whatever bus it works.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from chassis.bus.catching_up import catch_up, rebuild, replay, tell_all
from chassis.bus.consumer import Consumer
from chassis.bus.service import WorkerService
from chassis.database import Database
from chassis.errors import DomainError
from chassis.rpc.event_source import RemoteSource
from chassis.settings import SettingsInvalid, load_settings

log = logging.getLogger(__name__)
Tokens = Callable[[str, str, str], Callable[[], str]]  # service, address of the directory, secret -> gives tokens
STATEMENT_MS, LOCK_MS = 600_000, 60_000  # whole tables are emptied and marked
SAID_EVERY = 10_000  # events between two lines of progress


@dataclass(frozen=True)
class PastSettings:
    """`follower_secret` is what the directory knows this service by; each source has its `<SERVICE>_ADDRESS`."""

    follower_secret: str
    directory_address: str


def run_past(service: WorkerService, prefix: str, tokens: Tokens, words: Sequence[str]) -> int:
    """Run `catch-up [--all]`, `rebuild` or `replay --from P --source S [--again]`; prints one JSON document a consumer.

    Errors: SettingsInvalid.
    """
    asked = _read(service.name, words)
    settings = load_settings(PastSettings, prefix)
    token = tokens(service.name, settings.directory_address, settings.follower_secret)
    database = Database(service.database.url, service.name, statement_timeout_ms=STATEMENT_MS, lock_timeout_ms=LOCK_MS)
    try:
        with ExitStack() as opened:
            for consumer in service.consumers:
                sources = [_open(name, token, opened) for name in _in_order(consumer)]
                told = {"consumer": consumer.name, **_act(asked, consumer, database, sources)}
                sys.stdout.write(json.dumps(told) + "\n")
                sys.stdout.flush()
    except DomainError as refused:
        sys.stderr.write(f"{service.name}: {refused.reason}: {refused.message}\n")
        return 1
    finally:
        database.close()
    return 0


def _act(
    asked: argparse.Namespace, consumer: Consumer, database: Database, sources: Sequence[RemoteSource]
) -> dict[str, object]:
    if asked.action == "catch-up":
        act = tell_all if asked.all else catch_up
        return {"events": act(consumer, database, sources, _say)}
    if asked.action == "rebuild":
        made = rebuild(consumer, database, sources, _say)
        return {"events": made.events, "digest": made.digest, "records": made.records}
    wanted = [one for one in sources if one.service == asked.source]
    return {"events": sum(replay(consumer, database, one, asked.first, asked.again, _say) for one in wanted)}


def _read(service: str, words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=service)
    actions = parser.add_subparsers(dest="action", required=True)
    catching_up = actions.add_parser("catch-up", help="read what was said before this service came")
    catching_up.add_argument("--all", action="store_true", help="from the beginning, whatever was heard already")
    actions.add_parser("rebuild", help="make the copies of what others own anew")
    again = actions.add_parser("replay", help="read a source's events from a position on")
    again.add_argument("--source", required=True)
    again.add_argument("--from", dest="first", type=int, required=True)
    again.add_argument("--again", action="store_true", help="also what was handled already")
    return parser.parse_args(words)


def _in_order(consumer: Consumer) -> list[str]:
    """The directory first: others' records name its units."""
    return sorted(consumer.sources, key=lambda name: (name != "directory", name))


def _open(service: str, token: Callable[[], str], opened: ExitStack) -> RemoteSource:
    address = os.environ.get(f"{service.upper()}_ADDRESS", "")
    if not address:
        raise SettingsInvalid(f"settings: {service.upper()}_ADDRESS is not set (host:port of a source of events)")
    source = RemoteSource(service, address, token)
    opened.callback(source.close)
    return source


def _say(service: str, events: int) -> None:
    if events % SAID_EVERY < 500:
        log.info("telling", extra={"source": service, "events": events})
