"""Makes requirements.lock from every pyproject.toml, or says with --check whether it is stale.

    python -m tools.lock [--check | --upgrade]

The lock holds each dependency of every package and of the dev group, exactly, with hashes, for Python 3.11 and newer
on every platform, and says for each by whom it is asked for, from which `choose_requirements` takes one package's part.
Its inputs are recorded in its first lines; --check compares those, so it needs no network.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.protos import ROOT

LOCK = ROOT / "requirements.lock"
INPUTS = "requirements.in"
PYTHON = "3.11"
OURS = "branchline-"
INPUT_MARK = "# inputs sha256: "
HEADER = "# Made by `python -m tools.lock` from the dependencies of every pyproject.toml here; never edited.\n"


def list_requirements(root: Path = ROOT) -> list[str]:
    """Collect what the members and the dev group ask for, sorted, without our own packages."""
    return sorted(
        {requirement for path in list_manifests(root) for requirement in read_requirements(path)}, key=str.lower
    )


def list_manifests(root: Path = ROOT) -> list[Path]:
    """List the workspace's own manifest and those of its members."""
    folders = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]["workspace"]["members"]
    members = sorted(path for folder in folders for path in root.glob(f"{folder}/pyproject.toml"))
    return [root / "pyproject.toml", *members]


def read_requirements(manifest: Path) -> Iterator[str]:
    """Read one manifest's dependencies, extras and groups."""
    content = tomllib.loads(manifest.read_text(encoding="utf-8"))
    listed = [*content["project"].get("dependencies", [])]
    extras = content["project"].get("optional-dependencies", {})
    for more in (*extras.values(), *content.get("dependency-groups", {}).values()):
        listed += more
    yield from (requirement for requirement in listed if not requirement.startswith(OURS))


def hash_inputs(requirements: list[str]) -> str:
    """Reduce the inputs to what the lock's head records."""
    return hashlib.sha256("\n".join(requirements).encode()).hexdigest()


def is_stale(root: Path = ROOT) -> bool:
    """Tell whether a manifest changed since the lock was made."""
    recorded = (root / "requirements.lock").read_text(encoding="utf-8").splitlines()[:5]
    return INPUT_MARK + hash_inputs(list_requirements(root)) not in recorded


def make_lock(upgrade: bool) -> int:
    """Resolve with uv; versions in the present lock are kept unless `upgrade`. Returns uv's exit status."""
    requirements = list_requirements()
    with tempfile.TemporaryDirectory() as folder:
        inputs, output = Path(folder) / INPUTS, Path(folder) / LOCK.name
        inputs.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        if not upgrade:
            output.write_bytes(LOCK.read_bytes())
        status = run_uv(Path(folder))
        if status == 0:
            head = f"{HEADER}{INPUT_MARK}{hash_inputs(requirements)}\n"
            LOCK.write_text(head + output.read_text(encoding="utf-8"), encoding="utf-8")
    return status


def run_uv(folder: Path) -> int:
    """Run the locked uv in a folder, by bare names and without addresses: the lock holds neither a path nor a host."""
    command = [
        str(Path(sys.executable).parent / "uv"),
        *("pip", "compile", "--quiet", "--universal", "--generate-hashes"),
        *("--python-version", PYTHON, "--no-header", "--no-emit-index-url", "--no-emit-find-links"),
        *("--output-file", LOCK.name, INPUTS),
    ]
    return subprocess.run(command, cwd=folder, check=False).returncode


def main(argv: list[str]) -> int:
    """Make or check the lock. Returns 1 when it is stale or could not be made."""
    parser = argparse.ArgumentParser(prog="lock", description=__doc__.splitlines()[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="change nothing, fail if the lock is stale")
    choice.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    arguments = parser.parse_args(argv)
    if not arguments.check:
        return make_lock(arguments.upgrade)
    if is_stale():
        print("requirements.lock is older than the manifests: run python -m tools.lock")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
