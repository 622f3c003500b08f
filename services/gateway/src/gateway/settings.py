"""What the gateway needs to know from its environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "GATEWAY_"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Settings:
    """Addresses of the services (`host:port`; one for all in embedded mode) and the gateway's own door."""

    directory_address: str = field(metadata={"help": "host:port of the directory's gRPC door"})
    contacts_address: str = field(metadata={"help": "host:port of the contacts' gRPC door"})
    deals_address: str = field(metadata={"help": "host:port of the deals' gRPC door"})
    scheduling_address: str = field(metadata={"help": "host:port of the scheduling's gRPC door"})
    imports_address: str = field(metadata={"help": "host:port of the imports' gRPC door"})
    reporting_address: str = field(metadata={"help": "host:port of the reporting's gRPC door"})
    token_public_key: str = field(metadata={"help": "the directory's public key, Ed25519, PEM"})
    http_listen: str = "127.0.0.1:8480"
    sign_ins_per_minute: int = 100  # from one address
    otel_exporter_otlp_endpoint: str = ""
    database_url: str = ""  # of the gateway's own database; without it REST alone is served
    follower_secret: str = ""  # by which it may follow the services' events; without it pages are not live
