"""Writes into assets.lock the checksums of the versions it names; run after a version was raised there.

python -m tools.lock_assets
"""

import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from gateway.web.fetching import AssetsNotFetched, fetch_files, read_lock
from gateway.web.installing import LOCK

ENTRY = re.compile(r'(name = "(?P<name>[^"]+)", sha256 = ")[^"]*(")')


def renew_checksums(text: str, fetched: Mapping[str, bytes]) -> str:
    """Give the lock's text with the checksum of each fetched file, everything else as it stands."""
    return ENTRY.sub(lambda entry: entry[1] + hashlib.sha256(fetched[entry["name"]]).hexdigest() + entry[3], text)


def lock_assets(lock: Path = LOCK) -> bool:
    """Fetch what the lock names and write the checksums. Returns whether the lock has changed."""
    before = lock.read_text(encoding="utf-8")
    after = renew_checksums(before, fetch_files(read_lock(lock)))
    lock.write_text(after, encoding="utf-8")
    return after != before


def main(argv: list[str]) -> int:
    """Renew the lock. Returns 1 when the packages could not be fetched."""
    if argv:
        print(__doc__)
        return 2
    try:
        print("assets.lock has changed" if lock_assets() else "assets.lock was right already")
    except AssetsNotFetched as trouble:
        print(trouble)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
