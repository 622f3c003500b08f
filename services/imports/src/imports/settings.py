"""What an imports process needs to know at start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SERVICE = "imports"
PREFIX = "IMPORTS_"
SOURCE = "crm/hq/imports"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Settings:
    """Settings of every imports process; the peers' addresses and the secret are for its jobs only."""

    database_url: str = field(metadata={"help": "postgresql+psycopg://user:password@host/imports"})
    grpc_listen: str = "127.0.0.1:7404"
    bus_url: str = ""
    token_public_key: str = ""
    directory_address: str = "127.0.0.1:7401"
    contacts_address: str = "127.0.0.1:7402"
    deals_address: str = "127.0.0.1:7403"
    service_secret: str = ""
    batch_rows: int = 1_000  # rows a call; what a service takes in one transaction well under a second
    max_file_bytes: int = 268_435_456  # 256 MiB, the reader's own limit
