"""Shows that every event has a golden sample which today's code reads and writes without losing anything."""

from pathlib import Path

import pytest
from google.protobuf import message_factory, text_format
from google.protobuf.descriptor import Descriptor

from tools.make_samples import SAMPLES_DIR, list_samples, write_missing
from tools.protos import compile_image

SAMPLES = list(list_samples(compile_image()))
each_sample = pytest.mark.parametrize(("place", "event"), SAMPLES, ids=[place.as_posix() for place, _ in SAMPLES])

# Field 9999, a number, in the wire format: what a younger producer may add.
UNKNOWN_FIELD = b"\xf8\xf0\x04\x2a"


@each_sample
def test_a_sample_is_read_and_written_back_unchanged(place: Path, event: Descriptor) -> None:
    wire = (SAMPLES_DIR / place.with_suffix(".binpb")).read_bytes()

    message = message_factory.GetMessageClass(event).FromString(wire)

    assert message.ListFields()
    assert message.SerializeToString(deterministic=True) == wire


@each_sample
def test_both_forms_of_a_sample_say_the_same(place: Path, event: Descriptor) -> None:
    message = message_factory.GetMessageClass(event)()

    text_format.Parse((SAMPLES_DIR / place.with_suffix(".txtpb")).read_text(encoding="utf-8"), message)

    assert message.SerializeToString(deterministic=True) == (SAMPLES_DIR / place.with_suffix(".binpb")).read_bytes()


@each_sample
def test_a_field_of_a_younger_producer_is_kept(place: Path, event: Descriptor) -> None:
    wire = (SAMPLES_DIR / place.with_suffix(".binpb")).read_bytes() + UNKNOWN_FIELD

    message = message_factory.GetMessageClass(event).FromString(wire)

    assert message.SerializeToString(deterministic=True) == wire


def test_no_sample_is_left_over_from_an_event_that_is_gone() -> None:
    on_disk = {path.relative_to(SAMPLES_DIR).with_suffix("") for path in SAMPLES_DIR.rglob("*.*pb")}

    assert on_disk == {place for place, _ in SAMPLES}


def test_a_sample_that_is_there_is_never_written_again(tmp_path: Path) -> None:
    first = write_missing(compile_image(), tmp_path)
    changed = tmp_path / first[0].with_suffix(".binpb")
    changed.write_bytes(b"")

    second = write_missing(compile_image(), tmp_path)

    assert second == []
    assert changed.read_bytes() == b""
