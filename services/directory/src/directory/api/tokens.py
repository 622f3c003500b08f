"""What every answer of a sign-in holds: a signed token for calls, and its end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chassis.access import Access
from chassis.clock import now
from chassis.tokens import LIFE_SECONDS, TokenSigner
from directory.messages import timestamp


class TokenCalls:
    """Gives tokens to those who came in."""

    signer: TokenSigner

    def signed(self, access: Access) -> dict[str, Any]:
        """A signed token for an access, with its end."""
        end = timestamp(now() + timedelta(seconds=LIFE_SECONDS))
        return {"access_token": self.signer.sign(access), "expire_time": end}
