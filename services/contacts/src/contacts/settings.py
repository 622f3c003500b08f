"""What the processes of contacts need to know from their environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "CONTACTS_"
SERVICE = "contacts"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Settings:
    """Settings of every process of contacts; `token_public_key` is PEM, needed to serve only."""

    database_url: str = field(metadata={"help": "postgresql+psycopg://user:password@host/contacts"})
    token_public_key: str = ""
    grpc_listen: str = "127.0.0.1:7402"
    bus_url: str = ""
    undo_days: int = field(default=30, metadata={"help": "days for which what an import changed is kept, to undo it"})
