"""What an event means to open pages: which of their topics it touches, and who may be told of it.

A topic is `kind:id`, such as `person:0198…`. Nothing of an event's content goes further than ids.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from google.protobuf.message import DecodeError

from chassis.access import READ, Access
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.directory.events.v1 import directory_events_pb2 as directory
from crm.imports.events.v1 import imports_events_pb2 as imports
from crm.platform.v1 import events_pb2 as pb
from crm.scheduling.events.v1 import scheduling_events_pb2 as scheduling
from units.records import ACTIVITY, CATALOGUE, CUSTOMER, DEAL, INTERACTION, RUN, STAFF

TOPIC = re.compile(r"(person|organization|deal|stage|pipeline|run|activity|user|unit):[0-9a-f-]{36}")
EVERYWHERE = "all"  # the word of a routing key for what belongs to no unit


@dataclass(frozen=True)
class Fact:
    """That something changed: `owners` are users it belongs to, `records` says of what kind it is.

    Users with a part in it see it whoever owns it, as long as they read anything of the kind.

    Its `subject` can be read by more people than the path tells.
    """

    topics: frozenset[str]
    unit_path: str  # empty: of no unit, for everybody
    owners: frozenset[str]
    subject: tuple[str, str] | None = None
    records: str = ""
    parts: frozenset[str] = frozenset()

    def is_for(self, access: Access) -> bool:
        """Tell whether the rights say at once that somebody may know; where not, the subject's service can."""
        if not self.unit_path or access.allows_in(READ, self.unit_path, self.records):
            return True
        if any(access.allows(READ, self.unit_path, one, self.records) for one in self.owners):
            return True
        part = access.user_id in self.parts and bool(access.grants_for(READ, self.records))
        return part and not access.is_denied(READ, self.unit_path, self.records)


def read_fact(event: pb.Event) -> Fact | None:
    """The fact of an event; None for one that no page shows, or that cannot be read."""
    kind = _TYPES.get(event.type)
    if kind is None:
        return None
    try:
        message = kind.FromString(event.data)
    except DecodeError:
        return None
    field = next(name for name in message.DESCRIPTOR.fields_by_name if name in _READERS)
    state = getattr(message, field)
    links, owners, parts = _READERS[field](state)
    if kind is imports.RunProgressed:  # of no interest on its person's other pages
        links = iter((("run", state.id),))
    elif kind is deals.DealStageChanged:
        links = chain(links, [("stage", message.from_stage_id)])
    topics = frozenset(f"{name}:{one}" for name, one in links if one)
    shared = field in ("person", "organization") and len(state.unit_ids) > 1
    return Fact(
        topics, unit_path_of(event.routing_key), frozenset(filter(None, owners)),
        (field, state.id) if shared else None, _RECORDS[field], frozenset(filter(None, parts)),
    )  # fmt: skip


def unit_path_of(routing_key: str) -> str:
    """The unit path in `crm.<service>.<aggregate>.<fact>.v1.p07.<unit path>.e`; empty where there is none."""
    path = routing_key.split(".", 6)[-1].rpartition(".")[0]
    return "" if path == EVERYWHERE else path


Links = Iterator[tuple[str, str]]
Told = tuple[Links, list[str], list[str]]  # topics, owners, those with a part in it


def _person(state: Any) -> Told:
    organizations = (("organization", one) for one in state.organization_ids)
    return iter((("person", state.id), *organizations)), [state.owner_id], []


def _organization(state: Any) -> Told:
    return iter((("organization", state.id),)), [state.owner_id], []


def _interaction(state: Any) -> Told:
    links = (("person", state.person_id), ("organization", state.organization_id), ("user", state.author_id))
    return iter(links), [state.author_id], []


def _deal(state: Any) -> Told:
    links = (
        ("deal", state.id), ("stage", state.stage_id), ("person", state.person_id),
        ("organization", state.organization_id), ("user", state.owner_id),
    )  # fmt: skip
    return iter(links), [state.owner_id], []


def _pipeline(state: Any) -> Told:
    return iter((("pipeline", state.id),)), [], []


def _unit(state: Any) -> Told:
    return iter((("unit", state.id), ("unit", state.parent_id))), [], []


def _run(state: Any) -> Told:
    return iter((("run", state.id), ("user", state.user_id))), [state.user_id], []


def _activity(state: Any) -> Told:
    people = [state.owner_id, state.creator_id, state.waiting.user_id, *state.participant_user_ids]
    links = (
        ("activity", state.id), ("deal", state.deal_id), ("person", state.person_id),
        ("organization", state.organization_id), *(("user", one) for one in people),
    )  # fmt: skip
    waited_for = state.waiting.user_id if state.waiting.side == "user" else ""
    return iter(links), [state.owner_id], [state.creator_id, waited_for, *state.participant_user_ids]


def _absence(state: Any) -> Told:
    return iter((("user", state.user_id),)), [state.user_id], [state.user_id]


def _news(state: Any) -> Told:
    """Only those who were told: the interaction itself was told to its customer's pages before."""
    return iter(("user", one) for one in state.user_ids), [], list(state.user_ids)


_READERS: dict[str, Callable[[Any], Told]] = {
    "person": _person,
    "organization": _organization,
    "interaction": _interaction,
    "deal": _deal,
    "pipeline": _pipeline,
    "run": _run,
    "activity": _activity,
    "absence": _absence,
    "news": _news,
    "unit": _unit,
}
_RECORDS = {
    "person": CUSTOMER,
    "organization": CUSTOMER,
    "interaction": INTERACTION,
    "deal": DEAL,
    "pipeline": CATALOGUE,
    "run": RUN,
    "activity": ACTIVITY,
    "absence": ACTIVITY,
    "news": INTERACTION,
    "unit": STAFF,
}
# Every message of these services that carries one of the states above.
_TYPES: dict[str, Any] = {
    kind.DESCRIPTOR.full_name: kind
    for module in (contacts, deals, directory, imports, scheduling)
    for kind in (getattr(module, name) for name in module.DESCRIPTOR.message_types_by_name)
    if set(kind.DESCRIPTOR.fields_by_name) & set(_READERS)
}
TOLD_TYPES = frozenset(_TYPES)  # of which it is known to whom they may be told
