"""Installs the browser's files that others wrote: fetched, compared with assets.lock, put into vendor/, once per lock.

    python -m gateway.web.installing

`./branchline` runs it where vendor/ was not made from the present lock. Nothing of vendor/ is ever committed.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway.web.fetching import AssetsNotFetched, LockedPackage, fetch_files, read_lock

LOCK = Path(__file__).resolve().parents[3] / "assets.lock"
VENDOR = Path(__file__).resolve().parent / "vendor"
TESTS_ONLY = "tests"  # folder below vendor/ of what is never served
STAMP = "installed.lock"  # the lock that vendor/ was made from, written last
# A map is not served; a browser that is told of one asks for it and reports the refusal.
SOURCE_MAP = re.compile(rb"(\n//[#@] sourceMappingURL=\S+|/\*[#@] sourceMappingURL=[^*]*\*/)\s*$")

Fetch = Callable[[Sequence[LockedPackage]], Mapping[str, bytes]]


class AssetDiffers(AssetsNotFetched):
    """A fetched file is not the one that was locked."""


def is_installed(lock: Path = LOCK, vendor: Path = VENDOR) -> bool:
    """Tell whether vendor/ was made from the present lock."""
    stamp = vendor / STAMP
    return stamp.is_file() and stamp.read_bytes() == lock.read_bytes()


def install(lock: Path = LOCK, vendor: Path = VENDOR, fetch: Fetch = fetch_files) -> None:
    """Make vendor/ hold exactly what the lock lists; on any trouble it stays as it was. Errors: AssetsNotFetched."""
    packages = read_lock(lock)
    fetched = fetch(packages)
    for package in packages:
        compare(package, fetched)
    places = {file.name: place_of(file.name, package) for package in packages for file in package.files}
    for name, place in places.items():
        write_whole(vendor / place, strip_source_map(fetched[name]))
    remove_others(vendor, {vendor / place for place in places.values()})
    write_whole(vendor / STAMP, lock.read_bytes())


def compare(package: LockedPackage, fetched: Mapping[str, bytes]) -> None:
    """Refuse a package of which one file is another than the locked one. Errors: AssetDiffers."""
    for file in package.files:
        found = hashlib.sha256(fetched[file.name]).hexdigest()
        if found != file.sha256:
            raise AssetDiffers(f"{package.exact}: {file.path} has sha256 {found}, locked is {file.sha256 or 'nothing'}")


def place_of(name: str, package: LockedPackage) -> Path:
    """Where a file lies below vendor/."""
    return Path(TESTS_ONLY, name) if package.tests_only else Path(name)


def strip_source_map(data: bytes) -> bytes:
    """Take off the last line's mention of a source map."""
    return SOURCE_MAP.sub(b"\n", data)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever sees half of it, also with two installations at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(path)


def remove_others(vendor: Path, kept: set[Path]) -> None:
    """Remove what an earlier lock listed; another installation's unfinished files begin with a dot and stay."""
    for path in vendor.rglob("*"):
        if path.is_file() and path not in kept and not path.name.startswith("."):
            path.unlink(missing_ok=True)


def main() -> int:
    """Install, or say what is missing, what works nevertheless and how to go on. Returns 1 then."""
    if is_installed():
        return 0
    say("installing what assets.lock lists for the browser")
    try:
        install()
    except AssetsNotFetched as trouble:
        say(f"the browser's files could not be installed: {trouble}")
        say("the web pages will not open until then; the command line and REST work")
        say("npm's and pip's own settings say where packages come from")
        say("to try again: .venv/bin/python -m gateway.web.installing")
        return 1
    return 0


def say(message: str) -> None:
    """Tell the person who waits; standard output belongs to the command that follows."""
    sys.stderr.write(f"branchline: {message}\n")


if __name__ == "__main__":
    sys.exit(main())
