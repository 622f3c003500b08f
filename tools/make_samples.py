"""Makes the golden sample of every event that has none yet; what is there is never written again.

    python -m tools.make_samples

A sample is one message with every field filled, as `<event>.binpb` (what goes over the wire) and `<event>.txtpb` (the
same for people), in proto/samples/<service>/events/v<n>/. Producer and consumer tests read them; a changed sample means
a changed contract.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from google.protobuf import descriptor_pool, message_factory, text_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message

from tools.protos import PROTO_DIR, compile_image, list_events, our_files

SAMPLES_DIR = PROTO_DIR / "samples"
DEEPEST = 6  # a message that holds itself is filled to this depth
SAMPLE_SECONDS = 1_775_000_000  # 2026-03-31T23:33:20Z, a moment whose date differs between UTC and Moscow

# Text by the last word of a field's name; anything else gets the name itself, so that a swap of fields is seen.
TEXT_BY_ENDING = {
    "end_date": "2026-04-30",
    "date": "2026-03-31",
    "tax_id": "7707083893",
    "area_code": "495",
    "email": "anna@example.org",
    "country_code": "RU",
    "currency_code": "RUB",
    "time_zone": "Europe/Moscow",
    "quantity": "2.5",
    "path": "hq.ru.moscow",
    "phone": "+74951234567",
    "country": "RU",
    "role": "seller",
    "metric": "revenue",
    "status": "won",
    "state": "finished",
}
# Fields whose words depend on what holds them.
TEXT_BY_FIELD = {
    "UnitState.kind": "branch",
    "StageState.kind": "won",
    "InteractionState.kind": "call",
    "RunState.kind": "persons",
    "ActivityState.kind": "call",
    "ActivityState.status": "done",
    "ActivityState.priority": "high",
    "ActivityState.outcome": "away",
    "RepetitionState.unit": "week",
    "WaitingState.side": "user",
}


def list_samples(image: FileDescriptorSet) -> Iterator[tuple[Path, Descriptor]]:
    """Pair every event with the place of its sample, without suffix, relative to the samples' folder."""
    pool = descriptor_pool.DescriptorPool()
    for file in image.file:
        pool.Add(file)
    for file in our_files(image):
        folder = Path(*file.package.split(".")[1:])
        for event in list_events(file):
            yield folder / snake_case(event.name), pool.FindMessageTypeByName(f"{file.package}.{event.name}")


def snake_case(name: str) -> str:
    """Turn DealStageChanged into deal_stage_changed."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def make_sample(descriptor: Descriptor) -> Message:
    """Fill one message with values that tell their fields apart and are the same on every run."""
    message = message_factory.GetMessageClass(descriptor)()
    fill_message(message, depth=0)
    return message


def fill_message(message: Message, depth: int) -> None:
    """Fill every field; of a oneof the first one."""
    if fill_well_known(message):
        return
    for field in cast("list[FieldDescriptor]", message.DESCRIPTOR.fields):
        if field.containing_oneof and field.containing_oneof.fields[0].name != field.name:
            continue
        if field.message_type and field.message_type.full_name == "google.protobuf.FieldMask":
            getattr(message, field.name).paths.append(choose_mask_path(message))
        elif field.message_type and field.message_type.GetOptions().map_entry:
            key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
            getattr(message, field.name)[choose_value(key)] = choose_value(value)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            if depth < DEEPEST:
                held = getattr(message, field.name)
                fill_message(held.add() if field.is_repeated else held, depth + 1)
        elif field.is_repeated:
            getattr(message, field.name).append(choose_value(field))
        else:
            setattr(message, field.name, choose_value(field))


def fill_well_known(message: Message) -> bool:
    """Fill messages whose fields limit one another; tell whether this was one."""
    values: dict[str, dict[str, object]] = {
        "google.protobuf.Timestamp": {"seconds": SAMPLE_SECONDS, "nanos": 250_000_000},
        "google.type.Money": {"currency_code": "RUB", "units": 1_234, "nanos": 560_000_000},
        "google.type.Date": {"year": 2026, "month": 3, "day": 31},
    }
    fields = values.get(message.DESCRIPTOR.full_name, {})
    for name, value in fields.items():
        setattr(message, name, value)
    return bool(fields)


def choose_mask_path(message: Message) -> str:
    """Name a field of the state that an update event carries first, its id left out."""
    first = message.DESCRIPTOR.fields[0]
    return first.message_type.fields[1].name if first.message_type else first.name


def choose_value(field: FieldDescriptor) -> object:
    """Choose a value that is plausible for the field and never its default."""
    if field.enum_type:
        return field.enum_type.values[1].number
    if field.type == FieldDescriptor.TYPE_BOOL:
        return True
    if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES):
        text = choose_text(field)
        return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
    if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
        return field.number + 0.5
    return 100 + field.number


def choose_text(field: FieldDescriptor) -> str:
    """Choose a text; ids are UUIDv7 whose last digits are the field's number."""
    name = field.name.removesuffix("s") if field.is_repeated else field.name
    holder = f"{field.containing_type.name}.{name}" if field.containing_type else name
    if holder in TEXT_BY_FIELD:
        return TEXT_BY_FIELD[holder]
    for ending, text in TEXT_BY_ENDING.items():
        if name == ending or name.endswith(f"_{ending}"):
            return text
    if name == "id" or name.endswith("_id"):
        return f"0195f000-0000-7000-8000-{field.number:012d}"
    return name


def write_missing(image: FileDescriptorSet, samples_dir: Path = SAMPLES_DIR) -> list[Path]:
    """Write both forms of every sample that is missing altogether. Returns the places written."""
    written = []
    for place, descriptor in list_samples(image):
        binary, text = (samples_dir / place.with_suffix(suffix) for suffix in (".binpb", ".txtpb"))
        if binary.exists() or text.exists():
            continue
        binary.parent.mkdir(parents=True, exist_ok=True)
        sample = make_sample(descriptor)
        binary.write_bytes(sample.SerializeToString(deterministic=True))
        heading = f"# proto-message: {descriptor.full_name}\n"
        text.write_text(heading + text_format.MessageToString(sample, as_utf8=True), encoding="utf-8")
        written.append(place)
    return written


def main(argv: list[str]) -> int:
    """Make what is missing and name it."""
    if argv:
        print(__doc__)
        return 2
    for place in write_missing(compile_image()):
        print(f"made {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
