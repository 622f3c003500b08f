"""How customers, what was said with them and what is to do are called on a page, in the viewer's language."""

from __future__ import annotations

import re

from crm.contacts.v1 import contacts_pb2 as contacts
from crm.scheduling.v1 import scheduling_pb2 as scheduling
from gateway.web.texts import gettext as _

# A role that heads an organization, in the languages workbooks are written in; words begin so.
LEADING = re.compile(
    r"\b(director|managing|chief|ceo|head|president|owner|founder|principal|gérant|geschäftsführer|leiter|директор|"
    r"гендиректор|руководител|глава|президент|владелец|основател|начальник)|مدير|رئيس|مدیر|社長|代表",
    re.IGNORECASE,
)
KIND_ICONS = {"call": "phone", "meeting": "meeting", "email": "mail", "chat": "chat", "note": "note", "task": "task"}
OUTCOMES = ("reached", "away", "busy", "no_answer", "agreed", "declined")


def is_leading(role: str) -> bool:
    """Whether a role heads its organization."""
    return LEADING.search(role) is not None


def kind_name(kind: int) -> str:
    """The word of an interaction's kind in addresses and forms: call, meeting …"""
    return contacts.InteractionKind.Name(kind).removeprefix("INTERACTION_KIND_").lower()  # type: ignore[arg-type]


def kind_number(name: str) -> contacts.InteractionKind.ValueType:
    """The inverse of `kind_name`; unspecified for a word that is none."""
    known: dict[str, contacts.InteractionKind.ValueType] = dict(contacts.InteractionKind.items())
    return known.get(f"INTERACTION_KIND_{name.upper()}", contacts.INTERACTION_KIND_UNSPECIFIED)


def interaction_kinds() -> list[tuple[str, str]]:
    """What may have taken place, most frequent first."""
    return [
        ("call", _("Call")),
        ("meeting", _("Meeting")),
        ("email", _("E-mail")),
        ("chat", _("Chat")),
        ("note", _("Note")),
    ]


def outcome_choices() -> list[tuple[str, str]]:
    """The usual results of a call."""
    return [("", "–"), *((one, outcome_words(one)) for one in OUTCOMES)]


def outcome_words(outcome: str) -> str:
    """A result in words; one that is not among the usual ones as it was written."""
    known = {
        "reached": _("reached"),
        "away": _("away"),
        "busy": _("busy"),
        "no_answer": _("no answer"),
        "agreed": _("agreed"),
        "declined": _("declined"),
        "done": _("done"),
    }
    return known.get(outcome, outcome)


def next_step_kinds() -> list[tuple[str, str]]:
    """What may be planned at once."""
    return [("", _("No next step")), ("call", _("Call")), ("meeting", _("Meeting")), ("task", _("Task"))]


def activity_kind(kind: int) -> str:
    """The word of an activity's kind: task, call, meeting."""
    return scheduling.ActivityKind.Name(kind).removeprefix("ACTIVITY_KIND_").lower()  # type: ignore[arg-type]


def activity_words(activity: scheduling.Activity) -> str:
    """What is to do, in few words."""
    kinds = {"call": _("Call"), "meeting": _("Meeting"), "task": _("Task")}
    return activity.subject or kinds.get(activity_kind(activity.kind), "")


def channel_name(kind: int) -> str:
    """The word of a channel's kind in forms: phone, email …"""
    return contacts.ChannelKind.Name(kind).removeprefix("CHANNEL_KIND_").lower()  # type: ignore[arg-type]


def channel_number(name: str) -> contacts.ChannelKind.ValueType:
    """The inverse of `channel_name`; unspecified for a word that is none."""
    known: dict[str, contacts.ChannelKind.ValueType] = dict(contacts.ChannelKind.items())
    return known.get(f"CHANNEL_KIND_{name.upper()}", contacts.CHANNEL_KIND_UNSPECIFIED)


def channel_kinds() -> list[tuple[str, str]]:
    """The ways to reach a customer."""
    return [
        ("phone", _("Phone")),
        ("email", _("E-mail")),
        ("messenger", _("Messenger")),
        ("website", _("Website")),
        ("address", _("Address")),
    ]
