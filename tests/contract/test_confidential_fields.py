"""The marks of confidential fields in the contracts, and the fields that rights know, are the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from google.protobuf.descriptor import Descriptor

from chassis.hiding import TOLD_IN, mark_of
from units.records import FIELDS

SERVICES = ("contacts", "deals", "directory", "imports", "reporting", "scheduling")


def all_messages() -> Iterator[Descriptor]:
    """Every message of the services' contracts."""
    for name in SERVICES:
        yield from import_module(f"crm.{name}.v1.{name}_pb2").DESCRIPTOR.message_types_by_name.values()


def test_every_mark_is_a_field_that_can_be_put_into_a_group() -> None:
    marked = {mark_of(field) for message in all_messages() for field in message.fields} - {""}
    assert marked == {f"{kind}.{name}" for kind, names in FIELDS.items() for name in names}


def test_records_that_lose_fields_have_a_place_to_name_them() -> None:
    records = {"Person", "Organization", "Interaction", "Deal", "Activity"}
    for message in all_messages():
        if message.name in records:
            assert any(mark_of(field) for field in message.fields), message.name
            assert TOLD_IN in message.fields_by_name, message.name


def test_events_are_marked_as_the_records_they_tell_of() -> None:
    marked = {
        mark_of(field)
        for name in ("contacts", "deals", "scheduling")
        for message in import_module(
            f"crm.{name}.events.v1.{name}_events_pb2"
        ).DESCRIPTOR.message_types_by_name.values()
        for field in message.fields
    } - {""}
    known = {f"{kind}.{name}" for kind, names in FIELDS.items() for name in names}
    assert marked == known
