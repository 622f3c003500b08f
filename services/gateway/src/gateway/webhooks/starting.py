"""Makes what webhooks need out of the gateway's settings, or says that there are none."""

from __future__ import annotations

from chassis.database import Database
from chassis.settings import SettingsInvalid
from chassis.tokens import TokenVerifier
from gateway.services import Services
from gateway.settings import Settings
from gateway.webhooks.addresses import read_networks
from gateway.webhooks.carrying import Carrier, Logs
from gateway.webhooks.desk import Desk
from gateway.webhooks.sending import Post
from gateway.webhooks.signing import Sealing
from gateway.webhooks.telling import Sights
from units.acting import follower_tokens

LEAST_KEY = 32  # characters


def make_desk(settings: Settings, services: Services, verifier: TokenVerifier, database: Database) -> Desk | None:
    """The desk with its carrier; None where the operator gave no secret or no key. Errors: SettingsInvalid."""
    if not (settings.webhook_secret and settings.webhook_key and settings.follower_secret):
        return None
    if len(settings.webhook_key) < LEAST_KEY:
        raise SettingsInvalid(f"GATEWAY_WEBHOOK_KEY has fewer than {LEAST_KEY} characters")
    try:
        post = Post(read_networks(settings.webhook_networks))
    except ValueError:
        raise SettingsInvalid("GATEWAY_WEBHOOK_NETWORKS is no list of networks such as 10.20.0.0/16") from None
    logs = Logs(services, follower_tokens("gateway", settings.directory_address, settings.follower_secret))
    sealing = Sealing(settings.webhook_key)
    sights = Sights(services, verifier, settings.webhook_secret)
    # Connections of its own: however many webhooks are carried, pages wait for none of them.
    own = Database(settings.database_url, "gateway", pool_size=1, overflow=3)
    carrier = Carrier(own, logs, sights, sealing, post)
    return Desk(services, database, logs, sealing, post, carrier)
