"""The read models of reporting, made again from nothing but the events that the services' feeds give."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass

from branchline.rest import Rest
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.migrate import migrate
from chassis.testing.postgres import fresh_database
from reporting.freshness import digest
from reporting.settings import MIGRATIONS
from reporting.subscriptions import HANDLERS
from services.reporting.tests.world import Told, deliver

SOURCES = ("directory", "contacts", "deals", "imports")
PAGE = 500


def digest_of_replay(rest: Rest, server: EmbeddedPostgres) -> str:
    """The digest of reporting's read models in a database of their own, filled from the feeds."""
    url = fresh_database(server, "replayed", lambda url: migrate(url, MIGRATIONS))
    database = Database(url, "reporting")
    try:
        deliver(database, [one for source in SOURCES for one in read_feed(rest, source)])
        with database.transaction() as work:
            return digest(work)
    finally:
        database.close()


def read_feed(rest: Rest, source: str) -> Iterator[Told]:
    """Every event of a service that reporting listens to, in order; positions have no gap (checked)."""
    position = 0
    while page := rest.get(f"/services/{source}/events", after_position=position, page_size=PAGE)["events"]:
        for event in page:
            position += 1
            assert int(event["position"]) == position, f"{source}: {event['position']} comes after {position - 1}"
            yield from _told(event)


def _told(event: dict[str, Any]) -> Iterator[Told]:
    kind = GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(event["type"]))
    if kind in HANDLERS:
        message = kind.FromString(base64.b64decode(event["data"]))
        yield Told(message, int(event["version"]), int(event["epoch"]))
