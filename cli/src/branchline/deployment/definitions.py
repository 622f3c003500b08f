"""The broker's definitions as it loads them at its start: infra/rabbitmq/definitions.json with its users' passwords."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from branchline.platform.folder import ROOT
from chassis.naming import EXCHANGE

DEFINITIONS = ROOT / "infra" / "rabbitmq" / "definitions.json"
VHOST = "crm"
CELL_LIMITS = {"max-connections": 10, "max-channels": 20}  # a bridge has one, a broken one leaves a few behind
SALT_BYTES = 4  # as the broker's rabbit_password_hashing_sha256 has it


def with_passwords(passwords: Mapping[str, str], path: Path = DEFINITIONS, cells: Iterable[str] = ()) -> str:
    """The definitions with each user's password as a salted hash, and with a user for each of the `cells`.

    Errors: KeyError for a user without a password.
    """
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for cell in cells:
        for kind, one in rights_of_cell(cell).items():
            found[kind].append(one)
    for user in found["users"]:
        password = passwords[user["name"]].encode()
        user["password_hash"] = hash_password(password, salt_for(user["name"].encode(), password))
    return json.dumps(found, indent=1)


def cell_user(cell: str) -> str:
    """The broker's user of another cell's bridge."""
    return f"cell-{cell}"


def rights_of_cell(cell: str) -> dict[str, dict[str, Any]]:
    """What another cell may do here: publish events under keys that end with its own word, and nothing else."""
    user, at = cell_user(cell), {"user": cell_user(cell), "vhost": VHOST}
    return {
        "users": {
            "name": user, "password_hash": "", "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": [],
            "limits": CELL_LIMITS,
        },
        "permissions": {**at, "configure": "^$", "write": rf"^{re.escape(EXCHANGE)}$", "read": "^$"},
        "topic_permissions": {
            **at, "exchange": EXCHANGE, "write": rf"^crm\.([a-z0-9_]+\.)+{re.escape(cell)}$", "read": "^$",
        },
    }  # fmt: skip


def hash_password(password: bytes, salt: bytes) -> str:
    """A password as RabbitMQ keeps it: base64 of the salt and the SHA-256 of salt and password."""
    return base64.b64encode(salt + hashlib.sha256(salt + password).digest()).decode()


def salt_for(user: bytes, password: bytes) -> bytes:
    """A salt that is the same each time, so that unchanged definitions are the same file."""
    return hashlib.sha256(b"salt" + user + password).digest()[:SALT_BYTES]
