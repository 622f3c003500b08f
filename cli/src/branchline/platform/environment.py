"""What each process of the platform is told through its environment, and no more than it needs.

Secrets travel only this way and in files of the data folder that nobody else may read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from branchline.platform.folder import DataFolder

SERVICES = ("directory", "contacts", "deals", "scheduling", "imports", "reporting")
STORES = (*SERVICES, "gateway")  # each has its own database
# glibc keeps an arena of memory per thread otherwise, which triples what a threaded process holds; and having freed
# something large it takes what is large from the heap as well, where small things behind it keep it from going back.
ARENAS, LARGE_BYTES = 2, 128 * 1024
SMALL = {
    "MALLOC_ARENA_MAX": str(ARENAS),
    "MALLOC_MMAP_THRESHOLD_": str(LARGE_BYTES),
    "MALLOC_TRIM_THRESHOLD_": str(LARGE_BYTES),
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True)
class Addresses:
    """Where the platform's parts are: `server_url` of PostgreSQL with `{}` for the database; ports of 127.0.0.1."""

    server_url: str
    grpc_port: int
    port: int
    bus_url: str  # empty: the bus inside PostgreSQL


def database_url(server_url: str, database: str) -> str:
    """The SQLAlchemy URL of one database."""
    return server_url.format(database).replace("postgresql://", "postgresql+psycopg://", 1)


def environment_of(process: str, addresses: Addresses, secrets: dict[str, str], data: str) -> dict[str, str]:
    """The environment of one process: api, worker, jobs, gateway or prepare."""
    told = {**os.environ, **SMALL, "BRANCHLINE_DATA": data}
    address = f"127.0.0.1:{addresses.grpc_port}"
    if process == "prepare":
        return told | {"SERVER_URL": addresses.server_url, "BUS_URL": addresses.bus_url}
    if process != "gateway":
        owners = ("imports",) if process == "jobs" else SERVICES
        told |= {f"{name.upper()}_DATABASE_URL": database_url(addresses.server_url, name) for name in owners}
    if process != "worker":
        told |= {f"{name.upper()}_ADDRESS": address for name in SERVICES}
        told["TOKEN_PUBLIC_KEY"] = secrets["token_public_key"]
    return told | _particulars(process, addresses, secrets, data)


def _particulars(process: str, addresses: Addresses, secrets: dict[str, str], data: str) -> dict[str, str]:
    if process == "api":
        return {
            "GRPC_LISTEN": f"127.0.0.1:{addresses.grpc_port}",
            "DIRECTORY_TOKEN_PRIVATE_KEY": secrets["token_private_key"],
            "DIRECTORY_SERVICE_SECRETS": f"imports={secrets['service_secret']},gateway={secrets['webhook_secret']}",
            "DIRECTORY_FOLLOWER_SECRETS": f"gateway={secrets['follower_secret']}",
        }
    heads = DataFolder(Path(data)).audit_heads
    if process == "worker":
        embedded = addresses.server_url.format("bus").replace("postgresql://", "pgmq://", 1)
        return {"BUS_URL": addresses.bus_url or embedded, "AUDIT_HEADS": str(heads)}
    if process == "jobs":
        return {"IMPORTS_SERVICE_SECRET": secrets["service_secret"]}
    return {
        "AUDIT_HEADS": str(heads),
        "HTTP_LISTEN": f"127.0.0.1:{addresses.port}",
        "GATEWAY_DATABASE_URL": database_url(addresses.server_url, "gateway"),
        "GATEWAY_FOLLOWER_SECRET": secrets["follower_secret"],
        "GATEWAY_WEBHOOK_SECRET": secrets["webhook_secret"],
        "GATEWAY_WEBHOOK_KEY": secrets["webhook_key"],
    }
