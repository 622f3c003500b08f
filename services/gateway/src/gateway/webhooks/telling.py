"""What is said of an event and to whom: the owner's rights at this moment choose, hide, and put it into JSON.

The form is that of CloudEvents 1.0 in structured mode.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from chassis.access import SUBSCRIBE, Access
from chassis.errors import Kind, RemoteError
from chassis.hiding import without_hidden
from chassis.rpc.client import calling_as
from chassis.tokens import TokenVerifier
from crm.contacts.v1 import contacts_pb2
from crm.directory.v1 import directory_pb2
from crm.platform.v1 import events_pb2 as pb
from gateway.json_values import to_json
from gateway.services import Services
from gateway.web.news import Fact, read_fact

MEDIA_TYPE = "application/cloudevents+json; charset=utf-8"
TEST_TYPE = "crm.platform.webhook.test"
SEEN_SECONDS = 20.0  # an owner who was locked out has nothing told a minute later; a third of it is left for the round
NO_LONGER = (Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.NOT_FOUND, Kind.PRECONDITION)


class OwnerClosed(Exception):
    """The owner may tell nothing any more."""


@dataclass(frozen=True)
class Sight:
    """What an owner may see and have told, with a token to ask services for the rest."""

    access: Access
    token: str


class Sights:
    """The rights of owners, at most 20 seconds old; `secret` is that by which the gateway may act for them."""

    def __init__(self, services: Services, verifier: TokenVerifier, secret: str) -> None:
        self._services, self._verifier, self._secret = services, verifier, secret
        self._kept: dict[str, tuple[float, Sight]] = {}
        self._paths: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def of(self, owner_id: str) -> Sight:
        """What an owner may have told now. Errors: OwnerClosed, RemoteError while the directory is away."""
        with self._lock:
            at, sight = self._kept.get(owner_id, (0.0, None))
        if sight is None or time.monotonic() - at > SEEN_SECONDS:
            begun = time.monotonic()
            sight = self._ask(owner_id)
            with self._lock:
                self._kept[owner_id] = (begun, sight)
        return sight

    def path_of(self, unit_id: str, sight: Sight) -> str:
        """The path of a unit now, which changes when it moves. Errors: OwnerClosed, RemoteError."""
        if not unit_id:
            return ""
        with self._lock:
            at, path = self._paths.get(unit_id, (0.0, ""))
        if not path or time.monotonic() - at > SEEN_SECONDS:
            begun = time.monotonic()
            with calling_as(sight.token):
                asked = directory_pb2.GetUnitRequest(unit=unit_id)
                path = str(self._call("GetUnit", asked).unit.path)
            with self._lock:
                self._paths[unit_id] = (begun, path)
        return path

    def may_tell(self, event: pb.Event, sight: Sight) -> bool:
        """Tell whether the owner may see what an event says. Errors: RemoteError while contacts is away."""
        fact = read_fact(event)
        if fact is None:
            return False
        return fact.is_for(sight.access) or (fact.subject is not None and self._shows(fact, sight))

    def _shows(self, fact: Fact, sight: Sight) -> bool:
        kind, one = fact.subject or ("", "")
        asked = contacts_pb2.BatchGetCustomerNamesRequest(**{f"{kind}_ids": [one]})
        with calling_as(sight.token):
            return bool(self._services.call("contacts", "BatchGetCustomerNames", asked, timeout=5.0).ByteSize())

    def _ask(self, owner_id: str) -> Sight:
        asked = directory_pb2.ActForUserRequest(
            service="gateway", service_secret=self._secret, user_id=owner_id, action=SUBSCRIBE
        )
        token = str(self._call("ActForUser", asked).access_token)
        return Sight(self._verifier.verify(token), token)

    def _call(self, method: str, asked: Any) -> Any:
        try:
            return self._services.call("directory", method, asked, timeout=5.0)
        except RemoteError as refusal:
            if refusal.kind in NO_LONGER:
                raise OwnerClosed from None
            raise


def event_body(event: pb.Event, source: str, access: Access) -> bytes | None:
    """An event as its owner may see it; None where its contract is not known here, so that nothing could be hidden."""
    try:
        kind = descriptor_pool.Default().FindMessageTypeByName(event.type)
        message = GetMessageClass(kind).FromString(event.data)
    except (KeyError, DecodeError):
        return None
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": event.event_id,
            "source": source,
            "type": event.type,
            "subject": f"{event.aggregate}/{event.aggregate_id}",
            "time": event.create_time.ToJsonString(),
            "datacontenttype": "application/json",
            "partitionkey": event.aggregate_id,
            "sequence": f"{event.version:019d}",
            "crmepoch": event.epoch,
            "crmposition": str(event.position),
            "data": to_json(without_hidden(message, access.hidden)),
        }
    )


def trial_body(event_id: str, webhook_id: str, name: str, moment: str) -> bytes:
    """What the test button says."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": "crm/gateway",
            "type": TEST_TYPE,
            "subject": f"webhook/{webhook_id}",
            "time": moment,
            "datacontenttype": "application/json",
            "data": {"name": name},
        }
    )
