"""Says where proto/ breaks the rules of contracts: buf's STANDARD set and the house rules below.

python -m tools.check_proto
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

from tools.protos import (
    PROTO_DIR,
    ProtoDoesNotCompile,
    compile_image,
    is_event_package,
    list_events,
    our_files,
)

PACKAGE = re.compile(r"crm\.[a-z][a-z0-9]*\.(events\.)?v[1-9][0-9]*")
IRREGULAR_PARTICIPLES = ("Begun", "Left", "Lost", "Sent", "Set", "Won")

# Numbers of the fields that lead to an element in descriptor.proto, as SourceCodeInfo.Location.path counts them.
MESSAGES, ENUMS, SERVICES = 4, 5, 6
MESSAGE_FIELDS, NESTED_MESSAGES, NESTED_ENUMS = 2, 3, 4
ENUM_VALUES, SERVICE_METHODS = 2, 2

# What a request must carry, by the verb its name starts with.
FIELDS_OF_REQUEST = {
    "Create": ("request_id",),
    "Update": ("update_mask", "etag"),
    "List": ("page_size", "page_token"),
}
FIELDS_OF_RESPONSE = {"List": ("next_page_token",)}

Route = tuple[int, ...]
Comments = dict[Route, str]


def check_image(image: FileDescriptorSet) -> list[str]:
    """List every break of the house rules, as `file: what is wrong`."""
    reasons = {file.package: collect_reasons(file) for file in our_files(image)}
    problems: list[str] = []
    for file in our_files(image):
        comments = collect_comments(file)
        found = [
            *check_package(file),
            *check_comments(file, comments),
            *check_reasons(file, comments, reasons[file.package]),
            *check_requests(file),
            *check_events(file),
        ]
        problems += [f"{file.name}: {problem}" for problem in found]
    return problems


def collect_comments(file: FileDescriptorProto) -> Comments:
    """Map the path of each element to the comment above it (or behind it), without surrounding blanks."""
    return {
        tuple(place.path): (place.leading_comments or place.trailing_comments).strip()
        for place in file.source_code_info.location
    }


def collect_reasons(file: FileDescriptorProto) -> set[str]:
    """Name the error reasons of a package as RPC comments write them, without the enum's prefix."""
    values = [value.name for enum in file.enum_type if enum.name == "ErrorReason" for value in enum.value]
    return {name.removeprefix("ERROR_REASON_") for name in values}


def check_package(file: FileDescriptorProto) -> Iterator[str]:
    """The package is crm.<service>.v1 or crm.<service>.events.v1, and the folder says the same."""
    if not PACKAGE.fullmatch(file.package):
        yield f"package {file.package} is not crm.<service>.v<n> or crm.<service>.events.v<n>"
    if Path(file.name).parent.as_posix() != file.package.replace(".", "/"):
        yield f"package {file.package} does not lie in its folder"


def check_comments(file: FileDescriptorProto, comments: Comments) -> Iterator[str]:
    """Every message, field, enum, value, service and RPC says what it is."""
    for path, name in list_elements(file):
        if not comments.get(path):
            yield f"{name} has no comment"


def list_elements(file: FileDescriptorProto) -> Iterator[tuple[Route, str]]:
    """Walk everything that needs a comment, with the path that SourceCodeInfo uses for it."""
    for number, message in enumerate(file.message_type):
        yield from list_message_elements(message, (MESSAGES, number), message.name)
    for number, enum in enumerate(file.enum_type):
        yield from list_enum_elements(enum, (ENUMS, number), enum.name)
    for number, service in enumerate(file.service):
        yield from list_service_elements(service, (SERVICES, number))


def list_message_elements(message: DescriptorProto, path: Route, name: str) -> Iterator[tuple[Route, str]]:
    """Walk a message with what is nested in it; the entry type that a map field makes is nobody's to comment."""
    yield path, name
    for number, field in enumerate(message.field):
        yield (*path, MESSAGE_FIELDS, number), f"{name}.{field.name}"
    for number, nested in enumerate(message.nested_type):
        if not nested.options.map_entry:
            yield from list_message_elements(nested, (*path, NESTED_MESSAGES, number), f"{name}.{nested.name}")
    for number, enum in enumerate(message.enum_type):
        yield from list_enum_elements(enum, (*path, NESTED_ENUMS, number), f"{name}.{enum.name}")


def list_enum_elements(enum: EnumDescriptorProto, path: Route, name: str) -> Iterator[tuple[Route, str]]:
    """Walk an enum and its values."""
    yield path, name
    for number, value in enumerate(enum.value):
        yield (*path, ENUM_VALUES, number), f"{name}.{value.name}"


def list_service_elements(service: ServiceDescriptorProto, path: Route) -> Iterator[tuple[Route, str]]:
    """Walk a service and its RPCs."""
    yield path, service.name
    for number, method in enumerate(service.method):
        yield (*path, SERVICE_METHODS, number), f"{service.name}.{method.name}"


def check_reasons(file: FileDescriptorProto, comments: Comments, reasons: set[str]) -> Iterator[str]:
    """Every RPC says by which reasons it refuses ("Errors: none." if by none), and each stands in ErrorReason."""
    for number, service in enumerate(file.service):
        for position, method in enumerate(service.method):
            comment = comments.get((SERVICES, number, SERVICE_METHODS, position), "")
            stated = re.search(r"Errors: ([A-Za-z0-9_,\s]+)\.", comment)
            if not stated:
                yield f'{service.name}.{method.name} has no "Errors: ..." in its comment'
                continue
            for reason in re.split(r",\s*", stated[1]):
                if reason != "none" and reason not in reasons:
                    yield f"{service.name}.{method.name} names {reason}, which ErrorReason does not have"


def check_requests(file: FileDescriptorProto) -> Iterator[str]:
    """Create carries request_id, Update update_mask and etag, List its page; of the types those names promise."""
    for message in file.message_type:
        fields = {field.name: field for field in message.field}
        for ending, rules in (("Request", FIELDS_OF_REQUEST), ("Response", FIELDS_OF_RESPONSE)):
            for verb, needed in rules.items():
                if re.fullmatch(f"{verb}[A-Z][A-Za-z]*{ending}", message.name):
                    yield from (f"{message.name} has no {name}" for name in needed if name not in fields)
        yield from check_field_types(message.name, fields)


def check_field_types(message: str, fields: dict[str, FieldDescriptorProto]) -> Iterator[str]:
    """The names that mean something everywhere have one type everywhere."""
    expected = dict.fromkeys(("request_id", "etag", "page_token", "id"), FieldDescriptorProto.TYPE_STRING)
    expected["page_size"] = FieldDescriptorProto.TYPE_INT32
    for name, kind in expected.items():
        if name in fields and fields[name].type != kind:
            yield f"{message}.{name} is not a {FieldDescriptorProto.Type.Name(kind).removeprefix('TYPE_').lower()}"
    for name, field in fields.items():
        if name.endswith("_time") and field.type_name != ".google.protobuf.Timestamp":
            yield f"{message}.{name} is not a google.protobuf.Timestamp"


def check_events(file: FileDescriptorProto) -> Iterator[str]:
    """An events package holds facts, named in the past tense, and no service."""
    if not is_event_package(file.package):
        return
    yield from (f"{service.name} is a service among events" for service in file.service)
    for event in list_events(file):
        if not event.name.endswith(("ed", *IRREGULAR_PARTICIPLES)):
            yield f"{event.name} is not in the past tense (or no event holds it)"


def lint_with_buf(image: FileDescriptorSet) -> list[str]:
    """Run buf's STANDARD rules over the compiled image, which needs no network."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "image.binpb"
        path.write_bytes(image.SerializeToString())
        return run_buf("lint", str(path))


def run_buf(*arguments: str) -> list[str]:
    """Run the locked buf with the rules of proto/buf.yaml and give its findings, one a line."""
    program = str(Path(sys.executable).parent / "buf")
    command = [program, *arguments, "--config", str(PROTO_DIR / "buf.yaml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    lines = (result.stdout + result.stderr).splitlines()
    return lines or ([f"buf ended with {result.returncode}"] if result.returncode else [])


def main(argv: list[str]) -> int:
    """Print every problem. Returns 1 when there is one."""
    if argv:
        print(__doc__)
        return 2
    try:
        image = compile_image()
    except ProtoDoesNotCompile:
        return 1
    problems = [*check_image(image), *lint_with_buf(image)]
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
