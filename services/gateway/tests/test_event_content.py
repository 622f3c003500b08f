"""What events say goes to JSON and back without loss, and a wrong content is refused by its fields."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass

from chassis.errors import FieldInvalid
from gateway.event_content import EVENT_FILES, message_json, message_text, read_message, read_text

SAMPLES = Path(__file__).resolve().parents[3] / "proto" / "samples"
KINDS = [kind for file in EVENT_FILES for kind in file.DESCRIPTOR.message_types_by_name.values()]
PERSON = "crm.contacts.events.v1.PersonCreated"


def sample_of(kind: str) -> bytes | None:
    """The golden sample of an event, where there is one."""
    _, service, *_, name = kind.split(".")
    words = "".join("_" + sign.lower() if sign.isupper() else sign for sign in name).strip("_")
    file = SAMPLES / service / "events" / "v1" / f"{words}.binpb"
    return file.read_bytes() if file.exists() else None


SAMPLED = [kind.full_name for kind in KINDS if sample_of(kind.full_name) is not None]


def test_every_event_has_a_sample_to_try() -> None:
    assert len(SAMPLED) > 20


@pytest.mark.parametrize("kind", SAMPLED)
def test_a_content_shown_and_taken_back_is_the_same_message(kind: str) -> None:
    data = sample_of(kind)
    assert data is not None
    made = GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(kind))
    assert made.FromString(read_text(kind, message_text(kind, data))) == made.FromString(data)


def test_a_wrong_content_is_refused_by_its_fields() -> None:
    data = sample_of(PERSON)
    assert data is not None
    content = message_json(PERSON, data)
    assert content is not None
    content["person"]["surname"] = "not a field"
    content["person"]["id"] = 7
    with pytest.raises(FieldInvalid) as wrong:
        read_message(PERSON, content)
    assert {one.field for one in wrong.value.violations} == {"message.person.surname", "message.person.id"}
    for text in ("no json", json.dumps([1]), "[" * 100_000):
        with pytest.raises(FieldInvalid):
            read_text(PERSON, text)
    with pytest.raises(FieldInvalid, match="not known"):
        read_message("crm.contacts.events.v1.NeverSaid", {})
