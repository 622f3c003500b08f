"""An outsider with a queue of its own on RabbitMQ who writes down everything that is delivered to it, in its order."""

from __future__ import annotations

import contextlib
import threading
import time

import amqp
import kombu
from kombu.exceptions import KombuError

from chassis.bus.events import CONTENT_TYPE
from chassis.bus.topology import events
from chassis.naming import binding
from chassis.testing.eventually import eventually
from tests.faults.checkers import Fact

PREFETCH = 200
QUEUE_SECONDS = 120.0  # of a busy machine
_TROUBLES = (OSError, amqp.AMQPError, KombuError)


class Witness:
    """Reads contacts' facts of persons from a direct connection; when that is lost it comes again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.delivered: list[Fact] = []
        self._stop = threading.Event()
        self._listens_at = ""
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin, and wait until the queue is bound."""
        self._thread.start()
        self.await_listening()

    def await_listening(self) -> None:
        """Wait until it has a queue at the broker of its `url`, which may have changed."""
        eventually(lambda: self._listens_at == self.url, within=QUEUE_SECONDS)

    def close(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(*_TROUBLES), kombu.Connection(url := self.url, connect_timeout=5) as connection:
                self._listen(connection, url)
            self._stop.wait(0.2)

    def _listen(self, connection: kombu.Connection, url: str) -> None:
        arguments = {"x-queue-type": "quorum"}
        key = binding("contacts", "person")
        queue = kombu.Queue("crm_ext_witness", events, key, durable=True, queue_arguments=arguments)
        consumer = kombu.Consumer(connection, [queue], accept=[CONTENT_TYPE], on_message=self._take)
        consumer.qos(prefetch_count=PREFETCH)
        with consumer:
            self._listens_at = url
            while not self._stop.is_set() and self.url == url:
                with contextlib.suppress(TimeoutError):
                    connection.drain_events(timeout=0.5)
                time.sleep(0)

    def _take(self, message: kombu.Message) -> None:
        headers = message.headers
        self.delivered.append((headers["cloudEvents_partitionkey"], int(headers["cloudEvents_sequence"])))
        message.ack()
