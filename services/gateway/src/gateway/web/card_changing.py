"""Changes of one card by somebody who read it a while ago: each is tried on what is stored now, as often as needed.

Adding a telephone is right whatever else changed meanwhile, so such changes are simply made again on the newest card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chassis.errors import RemoteError
from crm.contacts.v1 import contacts_pb2 as pb
from gateway.web.card_reading import PERSON
from gateway.web.visits import Visit

TRIES = 4
STALE = "STALE_ETAG"


def get_card(visit: Visit, record_type: str, card_id: str) -> Any:
    """The card as stored now. Errors: RemoteError."""
    if record_type == PERSON:
        return visit.call("contacts", "GetPerson", pb.GetPersonRequest(person_id=card_id)).person
    request = pb.GetOrganizationRequest(organization_id=card_id)
    return visit.call("contacts", "GetOrganization", request).organization


def store_card(visit: Visit, record_type: str, card: Any, paths: Sequence[str], etag: str) -> Any:
    """Store the named fields of a card read with `etag` and answer it as stored. Errors: RemoteError."""
    if record_type == PERSON:
        request = pb.UpdatePersonRequest(person=card, etag=etag)
        request.update_mask.paths.extend(paths)
        return visit.call("contacts", "UpdatePerson", request).person
    asked = pb.UpdateOrganizationRequest(organization=card, etag=etag)
    asked.update_mask.paths.extend(paths)
    return visit.call("contacts", "UpdateOrganization", asked).organization


def change_card(visit: Visit, record_type: str, card_id: str, path: str, change: Callable[[Any], bool]) -> Any:
    """Make a change that holds on any state of the card; `change` says whether there was anything to do.

    Errors: RemoteError, that of a stale card after TRIES others were faster each time.
    """
    for left in reversed(range(TRIES)):
        card = get_card(visit, record_type, card_id)
        if not change(card):
            return card
        try:
            return store_card(visit, record_type, card, [path], card.etag)
        except RemoteError as refusal:
            if refusal.reason != STALE or not left:
                raise
    raise AssertionError("unreachable")


def add_channel(card: Any, kind: pb.ChannelKind.ValueType, text: str, label: str = "") -> bool:
    """Add a way to reach the customer as it was written; nothing to do where it is empty or there already."""
    if not text or any(one.kind == kind and text in (one.value, one.raw) for one in card.channels):
        return False
    card.channels.append(pb.Channel(kind=kind, value=text, label=label))
    return True


def remove_channel(card: Any, kind: pb.ChannelKind.ValueType, value: str, raw: str) -> bool:
    """Take a way to reach the customer off."""
    kept = [one for one in card.channels if not _is(one, kind, value, raw)]
    return _replace(card.channels, kept)


def prefer_channel(card: Any, kind: pb.ChannelKind.ValueType, value: str, raw: str) -> bool:
    """Put a way to reach the customer first."""
    first = [one for one in card.channels if _is(one, kind, value, raw)]
    return _replace(card.channels, first + [one for one in card.channels if one not in first])


def _is(one: pb.Channel, kind: pb.ChannelKind.ValueType, value: str, raw: str) -> bool:
    return one.kind == kind and (one.value == value if value else one.raw == raw)


def _replace(channels: Any, wanted: list[pb.Channel]) -> bool:
    if list(channels) == wanted:
        return False
    copies = [pb.Channel.FromString(one.SerializeToString()) for one in wanted]
    del channels[:]
    channels.extend(copies)
    return True
