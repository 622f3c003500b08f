"""The certificates by which a part is known and knows others: on where TLS_FOLDER names a folder, else off.

The folder has `authority.pem` (whose certificates are believed), `certificate.pem` and `key.pem` of this part. They are
read when a connection is made or a server starts; channels to services live long, so there a renewed certificate is
taken by starting the part again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from chassis.settings import SettingsInvalid

FOLDER = "TLS_FOLDER"
AUTHORITY, CERTIFICATE, PRIVATE = "authority.pem", "certificate.pem", "key.pem"


@dataclass(frozen=True)
class Certificates:
    """What a part shows of itself and whom it believes, PEM."""

    authority: bytes
    certificate: bytes
    key: bytes


def find_folder() -> Path | None:
    """The folder of this process's certificates; None where connections are plain."""
    folder = os.environ.get(FOLDER, "")
    return Path(folder) if folder else None


def read_certificates() -> Certificates | None:
    """The certificates of this process; None where connections are plain. Errors: SettingsInvalid."""
    folder = find_folder()
    if folder is None:
        return None
    try:
        return Certificates(*((folder / name).read_bytes() for name in (AUTHORITY, CERTIFICATE, PRIVATE)))
    except OSError as trouble:
        raise SettingsInvalid(f"settings: {FOLDER} is '{folder}': {trouble.strerror} {trouble.filename}") from None
