"""What the directory's processes need to know from their environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from directory.provider_settings import ProviderSettings

SERVICE = "directory"
PREFIX = "DIRECTORY_"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Settings:
    """Settings of every process of the directory.

    `token_private_key` is PEM and needed to serve only; `service_secrets` is `imports=<secret>,reporting=<secret>`,
    and so is `follower_secrets`, of services that may follow events and act for nobody.
    """

    database_url: str = field(metadata={"help": "postgresql+psycopg://user:password@host/directory"})
    token_private_key: str = ""
    service_secrets: str = ""
    follower_secrets: str = ""
    token_public_key: str = ""
    grpc_listen: str = "127.0.0.1:7401"
    bus_url: str = ""
    broker_management_url: str = ""  # http://user:password@host:15672, to end the broker users of leavers
    otel_exporter_otlp_endpoint: str = ""
    openid_issuer: str = ""  # the provider at which people may sign in; without one there is none
    openid_client_id: str = ""
    openid_client_secret: str = ""
    openid_name: str = ""  # what the button says
    openid_claim: str = "email"  # which claim is the e-mail of a user; of `email` only a verified one counts

    def secrets(self) -> dict[str, str]:
        """The secret of each service that may act for users."""
        return _pairs(self.service_secrets)

    def followers(self) -> dict[str, str]:
        """The secret of each service that may follow events and nothing else."""
        return _pairs(self.follower_secrets)

    def provider(self) -> ProviderSettings:
        """The provider at which people may sign in."""
        return ProviderSettings(
            self.openid_issuer, self.openid_client_id, self.openid_client_secret, self.openid_name, self.openid_claim
        )


def _pairs(text: str) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in text.split(",") if "=" in entry)
    return {name.strip(): secret.strip() for name, _, secret in pairs if secret.strip()}
