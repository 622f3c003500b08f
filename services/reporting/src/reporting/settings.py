"""What reporting's processes need to know from their environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "REPORTING_"
SERVICE = "reporting"
SOURCE = "crm/hq/reporting"
CONSUMER = "reporting"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Settings:
    """Settings of every process of reporting. `statement_timeout_ms` bounds one report's query."""

    database_url: str = field(metadata={"help": "postgresql+psycopg://user:password@host/reporting"})
    token_public_key: str = ""
    grpc_listen: str = "127.0.0.1:7405"
    bus_url: str = ""
    statement_timeout_ms: int = 10_000
    otel_exporter_otlp_endpoint: str = ""
