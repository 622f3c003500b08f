"""Follows the services' events while anybody's page is open, and wakes the pages that a fact is about.

One thread an address waits in one long call; a listener costs a row in an index and no thread. What was said lately is
kept for a minute, so that a page misses nothing between its rendering and its first word from here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from chassis.access import Access
from chassis.errors import RemoteError
from chassis.rpc.client import calling_as
from crm.contacts.v1 import contacts_pb2
from crm.directory.v1 import directory_pb2
from crm.platform.v1 import events_pb2 as pb
from gateway.services import Services
from gateway.web.news import Fact, read_fact

log = logging.getLogger(__name__)
FOLLOWED = ("contacts", "deals", "scheduling", "imports", "directory")
STAFF_NEWS = "crm.directory.events."  # what types of events begin with that make kept names of units and users old
UNIT_NEWS = f"{STAFF_NEWS}v1.Unit"
WAIT_SECONDS = 10.0
PAUSE_SECONDS = 1.0  # before asking again where a service is away or has no place to wait
KEPT = 2_000  # facts, and no older than:
KEPT_MS = 60_000
IDLE_SECONDS = 600.0  # without listeners, until following rests
TOKEN_REST = 60.0  # seconds of life below which a token is renewed
EVERYTHING = frozenset({"*"})  # in the place of topics: more happened than can be told


@dataclass(eq=False)
class Listener:
    """An open page; `tell` takes topics that changed, from any thread, and none to end the stream."""

    access: Access
    token: str
    topics: frozenset[str]
    tell: Callable[[frozenset[str]], None]


class Following:
    """Who listens to what; begins to follow with the first listener.

    `forget_names` is called when names of units and users that a page keeps may be old.
    """

    def __init__(self, services: Services, secret: str, forget_names: Callable[[], None]) -> None:
        self._services, self._secret, self._forget_names = services, secret, forget_names
        self._listeners: dict[str, set[Listener]] = {}
        self._count = 0
        self._left_at = time.monotonic()
        self._lock, self._token_lock = threading.Lock(), threading.Lock()
        self._someone, self._closing = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []
        self._recent: deque[tuple[int, Fact]] = deque(maxlen=KEPT)
        self._complete_from: dict[str, int] = {}  # address -> since when its facts are all known
        self._moved: Callable[[], None] = lambda: None
        self._askers = ThreadPoolExecutor(2, thread_name_prefix="may-read")
        self._token, self._token_end = "", 0.0

    @property
    def is_possible(self) -> bool:
        """Whether this gateway was given what it needs to follow."""
        return bool(self._secret)

    @property
    def is_closing(self) -> bool:
        """Whether the gateway is about to end."""
        return self._closing.is_set()

    def on_moves(self, act: Callable[[], None]) -> None:
        """Call `act` when units changed: what people were allowed by their places may be old."""
        self._moved = act

    def add(self, listener: Listener, since_ms: int) -> None:
        """Listen from now on, and hear at once what was said since a moment (milliseconds of this clock)."""
        with self._lock:
            for topic in listener.topics:
                self._listeners.setdefault(topic, set()).add(listener)
            self._count += 1
            self._begin()
            addresses = {self._services.addresses[name] for name in FOLLOWED}
            known = all(self._complete_from.get(one, since_ms + 1) <= since_ms for one in addresses)
            facts = [fact for at, fact in self._recent if at >= since_ms]
        self._someone.set()
        if not known or since_ms < now_ms() - KEPT_MS:
            listener.tell(EVERYTHING)
            return
        for fact in facts:
            if fact.topics & listener.topics:
                self._tell(fact, listener)

    def remove(self, listener: Listener) -> None:
        """Listen no longer."""
        with self._lock:
            for topic in listener.topics:
                there = self._listeners.get(topic, set())
                there.discard(listener)
                if not there:
                    self._listeners.pop(topic, None)
            self._count -= 1
            self._left_at = time.monotonic()

    def close(self) -> None:
        """End every stream and every thread; a call that waits ends with its channel."""
        self._closing.set()
        self._someone.set()
        with self._lock:
            everybody = {one for there in self._listeners.values() for one in there}
        for one in everybody:
            one.tell(frozenset())
        self._askers.shutdown(wait=False)

    def hear(self, facts: Iterable[Fact]) -> None:
        """Keep facts for those who come, and tell those who are there."""
        for fact in facts:
            with self._lock:
                self._recent.append((now_ms(), fact))
                concerned = {one for topic in fact.topics for one in self._listeners.get(topic, ())}
            for one in concerned:
                self._tell(fact, one)

    # --- who may know
    def _tell(self, fact: Fact, listener: Listener) -> None:
        if fact.is_for(listener.access):
            listener.tell(fact.topics & listener.topics)
        elif fact.subject:
            self._askers.submit(self._ask_and_tell, fact, listener)

    def _ask_and_tell(self, fact: Fact, listener: Listener) -> None:
        kind, one = fact.subject or ("", "")
        asked = contacts_pb2.BatchGetCustomerNamesRequest(**{f"{kind}_ids": [one]})
        try:
            with calling_as(listener.token):
                found = self._services.call("contacts", "BatchGetCustomerNames", asked, timeout=2.0)
        except RemoteError:
            return  # whoever cannot ask now sees the change with the next look
        if found.ByteSize():
            listener.tell(fact.topics & listener.topics)

    # --- following
    def _begin(self) -> None:
        if self._threads:
            return
        places: dict[str, list[str]] = {}
        for name in FOLLOWED:
            places.setdefault(self._services.addresses[name], []).append(name)
        for address, names in places.items():
            thread = threading.Thread(target=self._follow, args=(address, names), name="following", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _follow(self, address: str, names: list[str]) -> None:
        positions = dict.fromkeys(names, -1)
        while not self.is_closing:
            if not self._is_wanted():
                self._rest(address)
                positions = dict.fromkeys(names, -1)
            asked_at = time.monotonic()
            try:
                answer = self._ask(names[0], positions)
            except RemoteError as refusal:
                log.info("following again", extra={"reason": refusal.reason})
                self._closing.wait(PAUSE_SECONDS)
                continue
            begins = -1 in positions.values()
            positions = {one.service: one.next_position for one in answer.followed} or positions
            self._take(address, answer, begins)
            quick = time.monotonic() - asked_at < PAUSE_SECONDS
            if quick and not begins and not any(one.events for one in answer.followed):
                self._closing.wait(PAUSE_SECONDS)  # no place to wait there

    def _take(self, address: str, answer: pb.FollowEventsResponse, begins: bool) -> None:
        passed_over = any(one.passed_over for one in answer.followed)
        if begins or passed_over:
            with self._lock:
                self._complete_from[address] = now_ms()
        if passed_over:
            self._tell_everybody()
        events = [event for one in answer.followed for event in one.events]
        if passed_over or begins or any(event.type.startswith(STAFF_NEWS) for event in events):
            self._forget_names()
        if passed_over or any(event.type.startswith(UNIT_NEWS) for event in events):
            self._moved()
        self.hear(fact for fact in map(read_fact, events) if fact)

    def _tell_everybody(self) -> None:
        with self._lock:
            everybody = {one for there in self._listeners.values() for one in there}
        for one in everybody:
            one.tell(EVERYTHING)

    def _ask(self, service: str, positions: dict[str, int]) -> pb.FollowEventsResponse:
        asked = pb.FollowEventsRequest(after_positions=positions)
        asked.wait.FromMilliseconds(round(WAIT_SECONDS * 1000))
        with calling_as(self._own_token()):
            client = self._services.events[service]
            answer: pb.FollowEventsResponse = client.call("FollowEvents", asked, timeout=WAIT_SECONDS + 5, retry=False)
        return answer

    def _own_token(self) -> str:
        with self._token_lock:
            if self._token_end - time.time() < TOKEN_REST:
                request = directory_pb2.ActForUserRequest(service="gateway", service_secret=self._secret)
                answer = self._services.call("directory", "ActForUser", request, timeout=5.0)
                self._token, self._token_end = answer.access_token, float(answer.expire_time.seconds)
            return self._token

    def _is_wanted(self) -> bool:
        with self._lock:
            return self._count > 0 or time.monotonic() - self._left_at < IDLE_SECONDS

    def _rest(self, address: str) -> None:
        with self._lock:
            self._complete_from.pop(address, None)
            if not self._count:
                self._someone.clear()
        self._someone.wait()


def now_ms() -> int:
    """The present in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
