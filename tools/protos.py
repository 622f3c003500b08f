"""Where the protos are and what they compile to; says nothing about whether they are good."""

import importlib.resources
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
PROTO_DIR = ROOT / "proto"


class ProtoDoesNotCompile(Exception):
    """protoc refused the files; its message is already on standard error."""


def list_proto_files(proto_dir: Path = PROTO_DIR) -> list[str]:
    """Name every proto of ours relative to `proto_dir`, sorted, so that every run sees one order."""
    return sorted(str(path.relative_to(proto_dir)) for path in proto_dir.glob("crm/**/*.proto"))


def include_dirs(proto_dir: Path = PROTO_DIR) -> list[str]:
    """Find where imports are looked up: ours first, then google.* from the installed packages."""
    google_protobuf = importlib.resources.files("grpc_tools") / "_proto"
    google_apis = next(path for path in map(Path, sys.path) if (path / "google" / "type" / "money.proto").exists())
    return [str(proto_dir), str(google_protobuf), str(google_apis)]


def run_protoc(outputs: Sequence[str], files: Sequence[str], proto_dir: Path = PROTO_DIR) -> None:
    """Run the locked protoc. Errors: ProtoDoesNotCompile."""
    includes = [f"-I{folder}" for folder in include_dirs(proto_dir)]
    if protoc.main(["protoc", *includes, *outputs, *files]) != 0:
        raise ProtoDoesNotCompile(str(proto_dir))


def compile_image(proto_dir: Path = PROTO_DIR) -> FileDescriptorSet:
    """Compile every proto of ours with its imports and comments. Errors: ProtoDoesNotCompile."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "image.binpb"
        outputs = [f"--descriptor_set_out={image}", "--include_imports", "--include_source_info"]
        run_protoc(outputs, list_proto_files(proto_dir), proto_dir)
        return FileDescriptorSet.FromString(image.read_bytes())


def our_files(image: FileDescriptorSet) -> Iterator[FileDescriptorProto]:
    """Pass over the imports and yield what this repository wrote."""
    return (file for file in image.file if file.name.startswith("crm/"))


def is_event_package(package: str) -> bool:
    """Tell crm.<service>.events.v1 from an API package."""
    return ".events." in package


def list_events(file: FileDescriptorProto) -> list[DescriptorProto]:
    """List the event messages of an events file: those that no message of the file holds as a field."""
    if not is_event_package(file.package):
        return []
    held = {field.type_name for message in file.message_type for field in message.field}
    return [message for message in file.message_type if f".{file.package}.{message.name}" not in held]
