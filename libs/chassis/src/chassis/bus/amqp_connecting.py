"""How a connection to RabbitMQ is made: to any node that answers, named by its purpose, told of the broker's alarms.

One to `amqps://` is encrypted and believes the broker only by a certificate under the name in the address: of the
authority in TLS_FOLDER, and then it shows its own; without that folder, of an authority that the system believes.
"""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Sequence
from typing import Any

import kombu

from chassis.bus.amqp_frames import DeliveryReader
from chassis.bus.layouts import TROUBLES
from chassis.certificates import AUTHORITY, CERTIFICATE, PRIVATE, find_folder

HEARTBEAT_SECONDS = 20
CONNECT_SECONDS = 5
ANSWER_SECONDS = 10  # py-amqp waits for answers without limit: a link that died unheard would hold its loop for ever
_SOCKET = {socket.TCP_USER_TIMEOUT: 10_000}  # ms; py-amqp's default of 1 s breaks slow links


class Blockage:
    """Whether the broker has said that it reads no more from a publisher, because its memory or disk runs out."""

    def __init__(self) -> None:
        self.told = False

    def begin(self, _reason: object) -> None:
        """Take the broker's word."""
        self.told = True


def connect_to_any(
    urls: Sequence[str], purpose: str, reader: DeliveryReader | None, blockage: Blockage | None
) -> kombu.Connection:
    """Connect to one of the nodes. Errors: those of the last one tried."""
    shuffled = random.sample(urls, len(urls))
    for left, url in enumerate(shuffled, 1 - len(urls)):
        connection = _connection_to(url, purpose, reader, blockage)
        try:
            connection.ensure_connection(max_retries=0)  # `connect` tries once more two seconds later; loops do that
        except TROUBLES:
            if not left:
                raise
        else:
            connection.connection.transport.sock.settimeout(ANSWER_SECONDS)
            return connection
    raise AssertionError("a bus has at least one URL")


def _connection_to(
    url: str, purpose: str, reader: DeliveryReader | None, blockage: Blockage | None
) -> kombu.Connection:
    return kombu.Connection(
        url,
        heartbeat=HEARTBEAT_SECONDS,
        connect_timeout=CONNECT_SECONDS,
        ssl=_encryption(url),
        transport_options={
            "socket_settings": _SOCKET,
            "client_properties": {"connection_name": f"branchline {purpose}"},
            **({"frame_handler": reader} if reader else {}),
            **({"on_blocked": blockage.begin} if blockage else {}),
        },
    )


def _encryption(url: str) -> dict[str, Any] | bool:
    """What py-amqp is to know of the broker's certificate; left alone it would take any."""
    if not url.startswith("amqps://"):
        return False
    told: dict[str, Any] = {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}  # kombu puts the host here
    folder = find_folder()
    if folder is not None:
        told |= {"ca_certs": str(folder / AUTHORITY), "certfile": str(folder / CERTIFICATE)}
        told["keyfile"] = str(folder / PRIVATE)
    return told
