"""Which fields of a message are confidential, by the marks in the contracts; answers without those that are hidden.

The marks are read once a type of message. A caller from whom nothing is hidden costs nothing here.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from chassis.errors import NotPermitted
from crm.platform.v1 import confidential_pb2

M = TypeVar("M")
TOLD_IN = "hidden_fields"  # a field of this name tells which ones are left out


def without_hidden(answer: M, hidden: Collection[str]) -> M:
    """The answer, or a copy of it without the hidden fields; answers that are no messages have no marks."""
    if not hidden or not isinstance(answer, Message) or not holds_marks(answer.DESCRIPTOR):
        return answer
    copy = type(answer)()
    copy.CopyFrom(answer)
    _clear(copy, hidden)
    return copy


def refuse_hidden(request: Message, hidden: Collection[str]) -> None:
    """Errors: NotPermitted for a change of a field that is hidden: nobody overwrites what he cannot see."""
    if not hidden or "update_mask" not in request.DESCRIPTOR.fields_by_name:
        return
    asked = {path.partition(".")[0] for path in request.update_mask.paths}  # type: ignore[attr-defined]
    for field in request.DESCRIPTOR.fields:
        for name, marks in marks_of(field.message_type).items() if field.message_type else ():
            taken = sorted(marks.intersection(hidden))
            if name in asked and taken:
                raise NotPermitted(
                    f"you may not see {taken[0]}, so you cannot change {name}",
                    metadata={"field": taken[0]},
                )


@cache
def marks_of(kind: Descriptor) -> dict[str, frozenset[str]]:
    """By the name of a field: the marks on it and on all that is inside it; fields without any are left out."""
    return {field.name: found for field in kind.fields if (found := frozenset(_marks_within(field, ())))}


@cache
def holds_marks(kind: Descriptor) -> bool:
    """Tell whether a message has marked fields, itself or inside."""
    return bool(marks_of(kind))


def mark_of(field: Any) -> str:
    """The mark of a field: `kind.field`, or nothing."""
    return str(field.GetOptions().Extensions[confidential_pb2.confidential])


def _marks_within(field: Any, above: tuple[str, ...]) -> set[str]:
    own = {mark_of(field)} - {""}
    inner = field.message_type
    if inner is None or inner.full_name in above:  # a message that holds itself is read once
        return own
    return own.union(*(_marks_within(one, (*above, inner.full_name)) for one in inner.fields))


def _clear(message: Message, hidden: Collection[str]) -> None:
    left_out = []
    for name, marks in marks_of(message.DESCRIPTOR).items():
        if marks.isdisjoint(hidden):
            continue
        field: Any = message.DESCRIPTOR.fields_by_name[name]
        if mark_of(field) in hidden:
            message.ClearField(name)
            left_out.append(name)
        elif field.message_type.GetOptions().map_entry:
            for key in getattr(message, name):
                _clear(getattr(message, name)[key], hidden)
        else:
            several = getattr(message, name) if field.is_repeated else [getattr(message, name)]
            for one in several if field.is_repeated or message.HasField(name) else ():
                _clear(one, hidden)
    if left_out and TOLD_IN in message.DESCRIPTOR.fields_by_name:
        getattr(message, TOLD_IN).extend(left_out)
