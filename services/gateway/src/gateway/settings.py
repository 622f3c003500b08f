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
    requests_per_minute: int = 6_000  # of one person with their programs: a hundred a second is no longer work
    unit_requests_per_minute: int = 60_000  # of all people and programs of one unit together
    https_folder: str = ""  # with certificate.pem and key.pem; without it a proxy in front speaks HTTPS
    otel_exporter_otlp_endpoint: str = ""
    database_url: str = ""  # of the gateway's own database; without it REST alone is served
    follower_secret: str = ""  # by which it may follow the services' events; without it pages are not live
    webhook_secret: str = ""  # by which it may act for the owners of webhooks; without it there are none
    webhook_key: str = ""  # encrypts the secrets of webhooks in its database; at least 32 characters
    webhook_networks: str = ""  # networks of the house that webhooks may reach, such as 10.20.0.0/16, divided by commas
