"""Carries events to webhooks: looks once a second whose turn it is, and gives each a thread of its own for a while.

Any number of gateways do so side by side; a lease says who has which webhook. A webhook is carried by one thread, so
that its receiver gets one thing after another, and a receiver that is slow holds up nobody else.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from opentelemetry import metrics

from chassis import clock
from chassis.database import Database, UnitOfWork
from chassis.errors import RemoteError
from chassis.ids import new_id
from chassis.rpc.client import calling_as
from crm.platform.v1 import events_pb2 as pb
from gateway.services import Services
from gateway.web.news import TOLD_TYPES
from gateway.webhooks import progress
from gateway.webhooks.progress import Carried, LeaseLost
from gateway.webhooks.rules import GONE, Next, Outcome, after_failure
from gateway.webhooks.sending import Post
from gateway.webhooks.signing import Sealing, SecretLost, sign
from gateway.webhooks.subscriptions import MOST_WEBHOOKS, Place
from gateway.webhooks.telling import MEDIA_TYPE, OwnerClosed, Sight, Sights, event_body

log = logging.getLogger(__name__)
TOLD_SERVICES = ("directory", "contacts", "deals", "scheduling", "imports")
LOOK_SECONDS = 1.0
ROUND_SECONDS = 20.0  # then the lease is given back, so that a webhook with a lot to tell meets changes of its rights
AWAY_SECONDS = 5.0
PAGE = 50
EVENTS_GONE = "EVENTS_GONE"
_meter = metrics.get_meter("branchline")
_sends = _meter.create_histogram("branchline.webhook.send.duration", "s", "how long a try took, by its result")


def measure_send(outcome: Outcome) -> None:
    """Count a try."""
    _sends.record(outcome.millis / 1000, {"result": outcome.result})


class Logs:
    """The services' logs of events as the gateway reads them, with its own token to follow."""

    def __init__(self, services: Services, token: Callable[[], str]) -> None:
        self._services, self._token = services, token

    def last_positions(self) -> dict[str, int]:
        """Where each log stands; services that are away are left out."""
        places: dict[str, list[str]] = {}
        for name in TOLD_SERVICES:
            places.setdefault(self._services.addresses[name], []).append(name)
        found: dict[str, int] = {}
        for names in places.values():
            asked = pb.FollowEventsRequest(after_positions=dict.fromkeys(names, -1))
            try:
                answer = self._ask(names[0], "FollowEvents", asked)
            except RemoteError as refusal:
                log.info("log not read", extra={"service_name": names[0], "reason": refusal.reason})
                continue
            found |= {one.service: one.next_position for one in answer.followed}
        return found

    def standing(self, service: str) -> Place:
        """Where a webhook that begins now begins. Errors: RemoteError."""
        found = self._ask(service, "ListSnapshot", pb.ListSnapshotRequest(service=service, page_size=1))
        return Place(service, found.source, found.epoch, found.position)

    def read(
        self, service: str, after: int, epoch: int, size: int, types: tuple[str, ...] = (), path: str = ""
    ) -> pb.ListEventsResponse:
        """Events behind a position. Errors: RemoteError, EVENTS_GONE where they are kept no longer."""
        asked = pb.ListEventsRequest(
            service=service, after_position=after, epoch=epoch, page_size=size, types=types, unit_path=path
        )
        answer: pb.ListEventsResponse = self._ask(service, "ListEvents", asked)
        return answer

    def _ask(self, service: str, method: str, asked: Any) -> Any:
        with calling_as(self._token()):
            return self._services.events[service].call(method, asked, timeout=5.0)


class Carrier:
    """Carries whatever is due; `chance` gives numbers from 0 to 1 for the jitter."""

    def __init__(
        self,
        database: Database,
        logs: Logs,
        sights: Sights,
        sealing: Sealing,
        post: Post,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database, self._logs, self._sights = database, logs, sights
        self._sealing, self._post, self._chance = sealing, post, chance
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{new_id()}"
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(MOST_WEBHOOKS, thread_name_prefix="webhook")  # made as they are needed

    def start(self) -> None:
        """Look and carry on a thread until `close`."""
        threading.Thread(target=self._run, name="webhooks", daemon=True).start()

    def close(self) -> None:
        """Begin nothing more; what is on the wire ends within its limits, and its lease by itself."""
        self._closing.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            try:
                self.look()
            except sa.exc.SQLAlchemyError:
                log.warning("webhooks: database not available")
            except RemoteError as refusal:
                log.info("webhooks wait", extra={"reason": refusal.reason})

    def look(self) -> list[Future[None]]:
        """Begin to carry what is due; answers the rounds that were begun."""
        with self._database.reading() as work:
            if not progress.any_is_on(work):
                return []
        last = self._logs.last_positions()
        with self._database.transaction() as work:
            due = progress.claim_due(work, self._holder, last)
        begun = [self._threads.submit(self._carry, one) for one in due]
        for one in begun:
            one.add_done_callback(_tell_fall)
        return begun

    def _carry(self, carried: Carried) -> None:
        try:
            _Round(self, carried).run()
        except (LeaseLost, SecretLost) as lost:
            log.info("webhook left", extra={"webhook": carried.id, "reason": type(lost).__name__})
        except sa.exc.SQLAlchemyError:
            log.warning("webhooks: database not available")
        else:
            with self._database.transaction() as work:
                progress.release(work, carried)


def _tell_fall(done: Future[None]) -> None:
    """Put into the log what nobody expected; the lease ends by itself, and the round is made again."""
    trouble = None if done.cancelled() else done.exception()
    if trouble is not None:
        log.error("webhook fell", exc_info=trouble)


class _Round:
    """One webhook in hand for at most twenty seconds."""

    def __init__(self, carrier: Carrier, carried: Carried) -> None:
        self._carrier, self._carried = carrier, carried
        self._failures = carried.failures
        self._end = time.monotonic() + ROUND_SECONDS
        self._sources: dict[str, str] = {}

    def run(self) -> None:
        """Tell what waits and is due, then what is new. Errors: LeaseLost, SecretLost."""
        try:
            sight = self._carrier._sights.of(self._carried.owner_id)
            with self._work() as work:
                cursors = progress.read_cursors(work, self._carried)
            self._sources = {one.service: one.source for one in cursors}
            if self._tell_waiting(sight):
                for cursor in cursors:
                    if not self._tell_new(cursor, sight):
                        return
        except OwnerClosed:
            with self._work() as work:
                progress.close_for_owner(work, self._carried)
        except RemoteError as refusal:
            log.info("webhook waits", extra={"webhook": self._carried.id, "reason": refusal.reason})
            with self._work() as work:
                progress.rest_awhile(work, self._carried, AWAY_SECONDS)

    # --- what waited
    def _tell_waiting(self, sight: Sight) -> bool:
        """Whether the receiver is to be told more."""
        while self._goes_on():
            with self._work() as work:
                row = progress.next_due(work, self._carried)
            if row is None:
                return True
            if not self._tell_again(row, sight):
                return False
        return False

    def _tell_again(self, row: Any, sight: Sight) -> bool:
        event = self._find(row)
        if event is None:
            with self._work() as work:
                progress.park_unreadable(work, self._carried, row)
            return True
        outcome = self._send(row.service, event, sight)
        with self._work() as work:
            if outcome is None or outcome.is_delivered:
                self._failures = 0 if outcome else self._failures
                progress.note_settled(work, self._carried, row, outcome)
                return True
            follows = self._after(outcome, row.tries + 1, work)
            progress.note_repeated_failure(work, self._carried, row, outcome, follows)
        return self._may_go_on(outcome, follows)

    def _find(self, row: Any) -> pb.Event | None:
        """The event that waits, as the log has it now; None where the log has it no longer."""
        try:
            found = self._carrier._logs.read(row.service, row.position - 1, row.epoch, 1).events
        except RemoteError as refusal:
            if refusal.reason == EVENTS_GONE:
                return None
            raise
        return found[0] if found and found[0].position == row.position else None

    # --- what is new
    def _tell_new(self, cursor: Any, sight: Sight) -> bool:
        """Tell a service's new events; whether the receiver is to be told more."""
        after = cursor.position
        types = self._carried.types or tuple(sorted(TOLD_TYPES))
        while self._goes_on():
            with self._work() as work:
                held, waiting = progress.held_records(work, self._carried, cursor.service)
            if waiting >= progress.MOST_WAITING:
                return True
            path = self._carrier._sights.path_of(self._carried.unit_id, sight)
            page = self._read(cursor, after, types, path)
            if page is None:
                return True
            for event in page.events:
                if not self._goes_on() or not self._tell_one(cursor.service, event, sight, held):
                    return False
            if page.next_position == after:
                return True
            after = page.next_position
            with self._work() as work:
                progress.move_cursor(work, self._carried, cursor.service, after, page.epoch)
        return False

    def _read(self, cursor: Any, after: int, types: tuple[str, ...], path: str) -> pb.ListEventsResponse | None:
        """The next page; None where events were missed and the webhook goes on from the present."""
        try:
            return self._carrier._logs.read(cursor.service, after, cursor.epoch, PAGE, types, path)
        except RemoteError as refusal:
            if refusal.reason != EVENTS_GONE:
                raise
        here = self._carrier._logs.standing(cursor.service)
        with self._work() as work:
            progress.note_missed(work, self._carried, cursor.service, here.position, here.epoch)
        return None

    def _tell_one(self, service: str, event: pb.Event, sight: Sight, held: set[str]) -> bool:
        """Tell one new event, or have it wait behind an earlier one of its record; whether to go on."""
        if event.aggregate_id in held:
            with self._work() as work:
                progress.put_behind(work, self._carried, service, event)
            return True
        outcome = self._send(service, event, sight)
        if outcome is None:
            return True  # the cursor passes it with the page
        with self._work() as work:
            if outcome.is_delivered:
                self._failures = 0
                progress.note_delivered(work, self._carried, service, event, outcome)
                return True
            follows = self._after(outcome, 1, work)
            progress.note_failure(work, self._carried, service, event, outcome, follows)
        held.add(event.aggregate_id)
        return self._may_go_on(outcome, follows)

    # --- both
    def _send(self, service: str, event: pb.Event, sight: Sight) -> Outcome | None:
        """Tell an event; None where it is not for the owner. Errors: RemoteError, SecretLost."""
        if not self._carrier._sights.may_tell(event, sight):
            return None
        body = event_body(event, self._sources.get(service, service), sight.access)
        if body is None:
            return None
        moment = clock.now()
        headers = {"Content-Type": MEDIA_TYPE, **sign(event.event_id, moment, body, self._keys())}
        outcome = self._carrier._post.send(self._carried.address, headers, body)
        measure_send(outcome)
        return outcome

    def _keys(self) -> list[str]:
        one = self._carried
        sealed = [one.sealed]
        if one.former_sealed is not None and one.former_end is not None and one.former_end > clock.now():
            sealed.append(one.former_sealed)
        return [self._carrier._sealing.open(part) for part in sealed]

    def _after(self, outcome: Outcome, tries: int, work: UnitOfWork) -> Next:
        self._failures += 1
        return after_failure(outcome, tries, self._failures, work.now, self._carrier._chance())

    @staticmethod
    def _may_go_on(outcome: Outcome, follows: Next) -> bool:
        return outcome.result != GONE and follows.rest_until is not None and follows.rest_until <= clock.now()

    def _goes_on(self) -> bool:
        return not self._carrier._closing.is_set() and time.monotonic() < self._end

    @contextmanager
    def _work(self) -> Iterator[UnitOfWork]:
        with self._carrier._database.transaction() as work:
            yield work
