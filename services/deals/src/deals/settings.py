"""What the deals processes need to know from their environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SERVICE = "deals"
PREFIX = "DEALS_"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Settings:
    """Settings of every process of the deals service; `token_public_key` is PEM and needed to serve only."""

    database_url: str = field(metadata={"help": "postgresql+psycopg://user:password@host/deals"})
    token_public_key: str = ""
    grpc_listen: str = "127.0.0.1:7403"
    bus_url: str = ""
    otel_exporter_otlp_endpoint: str = ""
