"""The broker's definitions as it loads them at its start: infra/rabbitmq/definitions.json with its users' passwords."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from branchline.platform.folder import ROOT

DEFINITIONS = ROOT / "infra" / "rabbitmq" / "definitions.json"
SALT_BYTES = 4  # as the broker's rabbit_password_hashing_sha256 has it


def with_passwords(passwords: Mapping[str, str], path: Path = DEFINITIONS) -> str:
    """The definitions with each user's password as a salted hash. Errors: KeyError for a user without a password."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for user in found["users"]:
        password = passwords[user["name"]].encode()
        user["password_hash"] = hash_password(password, salt_for(user["name"].encode(), password))
    return json.dumps(found, indent=1)


def hash_password(password: bytes, salt: bytes) -> str:
    """A password as RabbitMQ keeps it: base64 of the salt and the SHA-256 of salt and password."""
    return base64.b64encode(salt + hashlib.sha256(salt + password).digest()).decode()


def salt_for(user: bytes, password: bytes) -> bytes:
    """A salt that is the same each time, so that unchanged definitions are the same file."""
    return hashlib.sha256(b"salt" + user + password).digest()[:SALT_BYTES]
