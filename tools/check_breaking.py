"""Says whether proto/ breaks somebody who was built against an earlier commit; knows nothing of what the change is for.

    python -m tools.check_breaking [REF]

REF, or BRANCHLINE_PROTO_BASE, names the commit to compare with. Without it: on a branch the point where it left main;
on main the commit before, or the last one while proto/ has changes that are not committed.
"""

import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tools.check_proto import run_buf
from tools.protos import ROOT, ProtoDoesNotCompile, compile_image


class NoSuchCommit(Exception):
    """The commit to compare with is not in this clone."""


def list_breaks(before: FileDescriptorSet, after: FileDescriptorSet) -> list[str]:
    """List what a reader of `before` cannot rely on in `after`: removed, renumbered, retyped or renamed elements."""
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder) / "old.binpb", Path(folder) / "new.binpb"
        old.write_bytes(before.SerializeToString())
        new.write_bytes(after.SerializeToString())
        return run_buf("breaking", str(new), "--against", str(old))


def compile_at(ref: str, root: Path = ROOT) -> FileDescriptorSet | None:
    """Compile proto/ as of a commit; None when it held no contract. Errors: NoSuchCommit, ProtoDoesNotCompile."""
    if not run_git(root, "ls-tree", ref, "proto/crm"):
        return None
    command = ["git", "-C", str(root), "archive", "--format=zip", ref, "proto"]
    archive = subprocess.run(command, capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(archive)) as files:
        files.extractall(folder)
        return compile_image(Path(folder) / "proto")


def find_base(root: Path = ROOT) -> str | None:
    """Name the commit that the working tree must not break; None in a clone with one commit."""
    named = os.environ.get("BRANCHLINE_PROTO_BASE")
    if named:
        return named
    head = run_git(root, "rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        if commit_exists(root, main) and (base := run_git(root, "merge-base", "HEAD", main)) != head:
            return base
    if run_git(root, "status", "--porcelain", "--", "proto/crm"):
        return head
    return "HEAD~1" if commit_exists(root, "HEAD~1") else None


def commit_exists(root: Path, ref: str) -> bool:
    """Tell whether this clone holds a commit."""
    command = ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run_git(root: Path, *arguments: str) -> str:
    """Run git and give what it prints. Errors: NoSuchCommit when git refuses."""
    result = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise NoSuchCommit(result.stderr.strip())
    return result.stdout.strip()


def main(argv: list[str]) -> int:
    """Print every break. Returns 1 when there is one, 2 when the comparison is impossible."""
    try:
        base = argv[0] if argv else find_base()
        before = compile_at(base) if base else None
        if before is None:
            print("no earlier contracts to compare with")
            return 0
        breaks = list_breaks(before, compile_image())
    except ProtoDoesNotCompile:
        return 1
    except NoSuchCommit as error:
        print(error)
        return 2
    print("\n".join(breaks), end="\n" if breaks else "")
    return 1 if breaks else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
