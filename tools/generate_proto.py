"""Makes libs/contracts/src/crm from proto/; with --check says whether the committed code is what proto/ gives.

python -m tools.generate_proto [--check]
"""

import argparse
import filecmp
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.protos import PROTO_DIR, ROOT, ProtoDoesNotCompile, list_proto_files, run_protoc

CONTRACTS_DIR = ROOT / "libs" / "contracts" / "src"
PACKAGE_DOC = '"""Generated from proto/ by `./branchline proto`; never edited."""\n'


def generate_into(target: Path, proto_dir: Path = PROTO_DIR) -> None:
    """Write messages, stubs and type hints of every proto below `target`. Errors: ProtoDoesNotCompile."""
    scripts = Path(sys.executable).parent
    plugins = [f"--plugin=protoc-gen-{plugin}={scripts / f'protoc-gen-{plugin}'}" for plugin in ("mypy", "mypy_grpc")]
    run_protoc(
        [*plugins, f"--python_out={target}", f"--mypy_out=quiet:{target}"], list_proto_files(proto_dir), proto_dir
    )
    with_services = [name for name in list_proto_files(proto_dir) if has_service(proto_dir / name)]
    if with_services:
        run_protoc(
            [*plugins, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}"], with_services, proto_dir
        )
    mark_packages(target)


def has_service(proto: Path) -> bool:
    """Tell whether gRPC stubs are due; a file of messages alone would get empty ones that import grpc."""
    return any(line.startswith("service ") for line in proto.read_text(encoding="utf-8").splitlines())


def mark_packages(target: Path) -> None:
    """Make every generated folder an ordinary typed package, which import-linter and mypy can follow."""
    root = target / "crm"
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").write_text(PACKAGE_DOC, encoding="utf-8")
    (root / "py.typed").touch()


def list_differences(fresh: Path, committed: Path) -> Iterator[str]:
    """Name the files that are missing, left over or different, relative to the contracts' source folder."""
    ours, theirs = (
        {str(path.relative_to(base)) for path in base.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        for base in (fresh, committed)
    )
    yield from (f"missing {name}" for name in sorted(ours - theirs))
    yield from (f"left over {name}" for name in sorted(theirs - ours))
    for name in sorted(ours & theirs):
        if not filecmp.cmp(fresh / name, committed / name, shallow=False):
            yield f"differs {name}"


def check_generated(proto_dir: Path = PROTO_DIR, contracts_dir: Path = CONTRACTS_DIR) -> list[str]:
    """Compare the committed code with a fresh run; an empty list means it is current."""
    with tempfile.TemporaryDirectory() as folder:
        generate_into(Path(folder), proto_dir)
        return list(list_differences(Path(folder) / "crm", contracts_dir / "crm"))


def replace_generated() -> None:
    """Write the generated package anew, touching only files that changed so that nothing is rebuilt in vain."""
    with tempfile.TemporaryDirectory() as folder:
        generate_into(Path(folder))
        for difference in list_differences(Path(folder) / "crm", CONTRACTS_DIR / "crm"):
            name = difference.split()[-1]
            target = CONTRACTS_DIR / "crm" / name
            if difference.startswith("left over"):
                target.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(folder) / "crm" / name, target)
            print(difference.replace("missing", "added").replace("left over", "removed").replace("differs", "changed"))


def main(argv: list[str]) -> int:
    """Generate, or check and print what differs. Returns 1 when the check fails or a proto does not compile."""
    parser = argparse.ArgumentParser(prog="generate_proto", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, fail if the committed code is stale")
    arguments = parser.parse_args(argv)
    try:
        if not arguments.check:
            replace_generated()
            return 0
        differences = check_generated()
    except ProtoDoesNotCompile:
        return 1
    for difference in differences:
        print(f"{difference}: run ./branchline proto")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
