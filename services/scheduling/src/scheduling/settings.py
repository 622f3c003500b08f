"""What the scheduling processes need to know from their environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SERVICE = "scheduling"
PREFIX = "SCHEDULING_"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Settings:
    """Settings of every process of scheduling; `token_public_key` is PEM and needed to serve only.

    Units: `reminder_seconds` between two looks at what is due (work).
    """

    database_url: str = field(metadata={"help": "postgresql+psycopg://user:password@host/scheduling"})
    token_public_key: str = ""
    grpc_listen: str = "127.0.0.1:7406"
    bus_url: str = ""
    reminder_seconds: float = 5.0
    otel_exporter_otlp_endpoint: str = ""
