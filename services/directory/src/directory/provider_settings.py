"""What the directory must know of an OpenID Connect provider."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProviderSettings:
    """One provider: `claim` is what names a user by e-mail where the subject is not linked yet."""

    issuer: str
    client_id: str
    client_secret: str
    name: str = ""
    claim: str = "email"
