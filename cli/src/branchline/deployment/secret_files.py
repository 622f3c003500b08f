"""The secrets of a distributed platform: made once, kept, and given to each part as files, no more than it needs.

A part's folder has one file a setting, as the services read them from SETTINGS_FOLDER; Docker mounts it as a volume,
Kubernetes as a Secret.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from branchline.deployment.definitions import cell_user, with_passwords
from branchline.platform.environment import SERVICES, STORES
from branchline.platform.folder import read_json, write_json
from chassis.cells import check_cell
from chassis.tokens import generate_key, public_key_of

KEPT = "secrets.json"  # every secret as it was made; never given to a part
PASSWORD_BYTES = 24
READABLE = 0o444  # the parts run as users of their own; nobody else gets the volume, and a folder is closed to others
LISTENING = ("gateway", "contacts", "deals", "scheduling", "imports", "reporting")  # to others' events
OPERATOR, ADMINISTRATOR, BRIDGE = "operator", "administrator", "bridge"
ACCOUNTS = "accounts"  # the broker's user by which the directory ends those of leavers; it reads and writes no queue
CELL = "cell-"  # begins the names of the secrets of other cells, and of the folders that go to them


@dataclass(frozen=True)
class Places:
    """Where databases and broker are: `database_host` may have `{}` for the name of the service."""

    database_host: str = "{}-database"
    database_port: int = 5432
    bus_host: str = "rabbitmq"
    bus_encrypted: bool = False
    bus_management_port: int = 15672

    def database_url(self, name: str, password: str) -> str:
        """The address of one service's database, whose role has the same name."""
        host = self.database_host.format(name)
        return f"postgresql+psycopg://{name}:{password}@{host}:{self.database_port}/{name}"

    def bus_url(self, name: str, password: str) -> str:
        """The address of the broker for one service."""
        scheme, port = ("amqps", 5671) if self.bus_encrypted else ("amqp", 5672)
        return f"{scheme}://{name}:{password}@{self.bus_host}:{port}/crm"

    def bus_management_url(self, password: str) -> str:
        """The address at which the directory ends users of the broker."""
        return f"http://{ACCOUNTS}:{password}@{self.bus_host}:{self.bus_management_port}"


class SecretUnknown(Exception):
    """No secret of this name is kept."""


def write_secrets(folder: Path, places: Places, renewed: Sequence[str] = (), cells: Sequence[str] = ()) -> list[str]:
    """Make what is missing and anew what is `renewed`, then write the files of every part below `folder`.

    `cells` are further cells whose bridges may come here; those of earlier calls stay. Answers the parts' names.
    Errors: SecretUnknown or NameInvalid, and nothing was changed.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = read_json(folder / KEPT)
    if strange := [name for name in renewed if name not in kept]:
        raise SecretUnknown(f"no secret {', '.join(strange)}; there are {', '.join(sorted(kept)) or 'none yet'}")
    for cell in cells:
        check_cell(cell)
    every = {*cells, *list_cells(kept)}
    known = make_missing({name: secret for name, secret in kept.items() if name not in renewed}, sorted(every))
    write_json(folder / KEPT, known)
    parts = files_of_parts(known, places)
    for part, files in parts.items():
        (folder / part).mkdir(exist_ok=True)
        for name, text in files.items():
            write_file(folder / part / name, text)
    return sorted(parts)


def list_cells(known: Mapping[str, str]) -> list[str]:
    """The other cells that have secrets."""
    ending = "_bus_password"
    users = [name.removesuffix(ending) for name in known if name.startswith(CELL) and name.endswith(ending)]
    return sorted(user.removeprefix(CELL) for user in users)


def make_missing(known: Mapping[str, str], cells: Sequence[str] = ()) -> dict[str, str]:
    """The secrets that are known, and new ones for those that are not."""
    made = dict(known)
    made.setdefault("token_private_key", generate_key())
    names = [
        "service_secret",
        "webhook_secret",
        "webhook_key",
        f"{ADMINISTRATOR}_password",
        "postgres_password",
        "erlang_cookie",
    ]
    names += [f"{store}_database_password" for store in (*STORES, BRIDGE)]
    names += [f"{user}_bus_password" for user in (*SERVICES, OPERATOR, ACCOUNTS)]
    names += [f"{service}_follower_secret" for service in LISTENING]
    names += [f"{cell_user(cell)}_{what}" for cell in cells for what in ("bus_password", "follower_secret")]
    for name in names:
        made.setdefault(name, secrets.token_urlsafe(PASSWORD_BYTES))
    return made


def files_of_parts(known: Mapping[str, str], places: Places) -> dict[str, dict[str, str]]:
    """The files of each part: services, gateway, postgres, rabbitmq, the operator's tools, the first administrator."""
    parts = {name: _files_of_service(name, known, places) for name in SERVICES}
    cells = list_cells(known)
    listening = (*LISTENING, *map(cell_user, cells))
    parts["directory"] |= {
        "token_private_key": known["token_private_key"],
        "service_secrets": f"imports={known['service_secret']},gateway={known['webhook_secret']}",
        "follower_secrets": ",".join(f"{name}={known[f'{name}_follower_secret']}" for name in listening),
        "broker_management_url": places.bus_management_url(known[f"{ACCOUNTS}_bus_password"]),
    }
    for name in LISTENING[1:]:
        parts[name]["follower_secret"] = known[f"{name}_follower_secret"]
    parts["imports"]["service_secret"] = known["service_secret"]
    parts["gateway"] = {
        "database_url": places.database_url("gateway", known["gateway_database_password"]),
        "token_public_key": public_key_of(known["token_private_key"]),
        "follower_secret": known["gateway_follower_secret"],
        "webhook_secret": known["webhook_secret"],
        "webhook_key": known["webhook_key"],
    }
    parts["postgres"] = {store: known[f"{store}_database_password"] for store in (*STORES, BRIDGE)}
    parts["postgres"]["postgres_password"] = known["postgres_password"]
    users = (*SERVICES, OPERATOR, ACCOUNTS, *map(cell_user, cells))
    passwords = {user: known[f"{user}_bus_password"] for user in users}
    parts["rabbitmq"] = {
        "definitions.json": with_passwords(passwords, cells=cells),
        "operator_password": passwords[OPERATOR],
        "erlang_cookie": known["erlang_cookie"],  # by which the nodes of a cluster know one another
    }
    urls = {store: places.database_url(store, known[f"{store}_database_password"]) for store in STORES}
    parts[OPERATOR] = {f"{store}_database_url": url for store, url in urls.items()}
    parts |= _files_of_bridges(known, places, urls, cells)
    parts[ADMINISTRATOR] = {"password": known[f"{ADMINISTRATOR}_password"]}
    return parts


def _files_of_bridges(
    known: Mapping[str, str], places: Places, urls: Mapping[str, str], cells: Sequence[str]
) -> dict[str, dict[str, str]]:
    """What a bridge of ours needs here, and for each other cell what its bridge needs to come here."""
    ours = {f"{service}_database_url": urls[service] for service in SERVICES}
    ours["database_url"] = places.database_url(BRIDGE, known[f"{BRIDGE}_database_password"])
    came = {
        cell_user(cell): places.bus_url(cell_user(cell), known[f"{cell_user(cell)}_bus_password"]) for cell in cells
    }
    if len(came) == 1:  # a branch knows headquarters only: what comes down from there is published as its user
        [ours["bus_url"]] = came.values()
    theirs = {
        user: {"far_bus_url": url, "far_follower_secret": known[f"{user}_follower_secret"]}
        for user, url in came.items()
    }
    return {BRIDGE: ours, **theirs}


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
