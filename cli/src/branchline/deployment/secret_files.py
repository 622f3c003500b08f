"""The secrets of a distributed platform: made once, kept, and given to each part as files, no more than it needs.

A part's folder has one file a setting, as the services read them from SETTINGS_FOLDER; Docker mounts it as a volume,
Kubernetes as a Secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from branchline.deployment.definitions import with_passwords
from branchline.platform.environment import SERVICES, STORES
from branchline.platform.folder import read_json, write_json
from chassis.tokens import generate_key, public_key_of

KEPT = "secrets.json"  # every secret as it was made; never given to a part
PASSWORD_BYTES = 24
READABLE = 0o444  # the parts run as users of their own; nobody else gets the volume, and a folder is closed to others
LISTENING = ("gateway", "contacts", "deals", "scheduling", "imports", "reporting")  # to others' events
OPERATOR, ADMINISTRATOR = "operator", "administrator"


@dataclass(frozen=True)
class Places:
    """Where databases and broker are: `database_host` may have `{}` for the name of the service; ports are theirs."""

    database_host: str = "{}-database"
    database_port: int = 5432
    bus_host: str = "rabbitmq"
    bus_port: int = 5672

    def database_url(self, name: str, password: str) -> str:
        """The address of one service's database, whose role has the same name."""
        host = self.database_host.format(name)
        return f"postgresql+psycopg://{name}:{password}@{host}:{self.database_port}/{name}"

    def bus_url(self, name: str, password: str) -> str:
        """The address of the broker for one service."""
        return f"amqp://{name}:{password}@{self.bus_host}:{self.bus_port}/crm"


class SecretUnknown(Exception):
    """No secret of this name is kept."""


def write_secrets(folder: Path, places: Places, renewed: Sequence[str] = ()) -> list[str]:
    """Make what is missing and anew what is `renewed`, then write the files of every part below `folder`.

    Answers the parts' names. Errors: SecretUnknown, and nothing was changed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = read_json(folder / KEPT)
    if strange := [name for name in renewed if name not in kept]:
        raise SecretUnknown(f"no secret {', '.join(strange)}; there are {', '.join(sorted(kept)) or 'none yet'}")
    known = make_missing({name: secret for name, secret in kept.items() if name not in renewed})
    write_json(folder / KEPT, known)
    parts = files_of_parts(known, places)
    for part, files in parts.items():
        (folder / part).mkdir(exist_ok=True)
        for name, text in files.items():
            write_file(folder / part / name, text)
    return sorted(parts)


def make_missing(known: Mapping[str, str]) -> dict[str, str]:
    """The secrets that are known, and new ones for those that are not."""
    made = dict(known)
    made.setdefault("token_private_key", generate_key())
    names = ["service_secret", f"{ADMINISTRATOR}_password", "postgres_password"]
    names += [f"{store}_database_password" for store in STORES]
    names += [f"{user}_bus_password" for user in (*SERVICES, OPERATOR)]
    names += [f"{service}_follower_secret" for service in LISTENING]
    for name in names:
        made.setdefault(name, secrets.token_urlsafe(PASSWORD_BYTES))
    return made


def files_of_parts(known: Mapping[str, str], places: Places) -> dict[str, dict[str, str]]:
    """The files of each part: the services, the gateway, postgres, rabbitmq and the first administrator."""
    parts = {name: _files_of_service(name, known, places) for name in SERVICES}
    parts["directory"] |= {
        "token_private_key": known["token_private_key"],
        "service_secrets": f"imports={known['service_secret']}",
        "follower_secrets": ",".join(f"{name}={known[f'{name}_follower_secret']}" for name in LISTENING),
    }
    for name in LISTENING[1:]:
        parts[name]["follower_secret"] = known[f"{name}_follower_secret"]
    parts["imports"]["service_secret"] = known["service_secret"]
    parts["gateway"] = {
        "database_url": places.database_url("gateway", known["gateway_database_password"]),
        "token_public_key": public_key_of(known["token_private_key"]),
        "follower_secret": known["gateway_follower_secret"],
    }
    parts["postgres"] = {store: known[f"{store}_database_password"] for store in STORES}
    parts["postgres"]["postgres_password"] = known["postgres_password"]
    passwords = {user: known[f"{user}_bus_password"] for user in (*SERVICES, OPERATOR)}
    parts["rabbitmq"] = {"definitions.json": with_passwords(passwords), "operator_password": passwords[OPERATOR]}
    parts[ADMINISTRATOR] = {"password": known[f"{ADMINISTRATOR}_password"]}
    return parts


def _files_of_service(name: str, known: Mapping[str, str], places: Places) -> dict[str, str]:
    return {
        "database_url": places.database_url(name, known[f"{name}_database_password"]),
        "bus_url": places.bus_url(name, known[f"{name}_bus_password"]),
        "token_public_key": public_key_of(known["token_private_key"]),
    }


def write_file(path: Path, text: str) -> None:
    """Replace a file in one step, unless it says so already."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    draft = path.with_name(f".{path.name}")
    draft.write_text(text, encoding="utf-8")
    draft.chmod(READABLE)
    draft.replace(path)
