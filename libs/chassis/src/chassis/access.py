"""Who is asking and what their positions allow, as the signed token says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chassis.errors import NotPermitted

READ, WRITE, IMPORT, PLAN, ADMINISTER = "read", "write", "import", "plan", "administer"
FOLLOW = "follow"  # of services only: be told of every event, to carry the news on to those who may have it
OWN, SUBTREE, ALL = "own", "subtree", "all"


@dataclass(frozen=True)
class Grant:
    """One action allowed in one scope: own records, those of a unit's subtree (`unit_path`), or all."""

    action: str
    scope: str
    unit_path: str = ""


@dataclass(frozen=True)
class Access:
    """The user a call is made for. `unit_id` is the home unit; `service` is set when a service acts by itself."""

    user_id: str
    user_name: str = ""
    unit_id: str = ""
    grants: tuple[Grant, ...] = ()
    service: str = ""

    def grants_for(self, action: str) -> tuple[Grant, ...]:
        """The grants that allow `action`."""
        return tuple(grant for grant in self.grants if grant.action == action)

    def allows_everywhere(self, action: str) -> bool:
        """Tell whether `action` is allowed on every record."""
        return any(grant.scope == ALL for grant in self.grants_for(action))

    def allows_in(self, action: str, unit_path: str) -> bool:
        """Tell whether `action` is allowed on records of the unit at `unit_path`, whoever owns them."""
        return any(
            grant.scope == ALL or (grant.scope == SUBTREE and _is_below(unit_path, grant.unit_path))
            for grant in self.grants_for(action)
        )

    def require_in(self, action: str, unit_path: str) -> None:
        """Errors: NotPermitted unless `action` is allowed in the unit."""
        if not self.allows_in(action, unit_path):
            raise NotPermitted(f"your positions do not allow to {action} in {unit_path}", metadata={"unit": unit_path})

    def require_everywhere(self, action: str) -> None:
        """Errors: NotPermitted unless `action` is allowed on every record."""
        if not self.allows_everywhere(action):
            raise NotPermitted(f"your positions do not allow to {action} for the whole organization")

    def to_claims(self) -> dict[str, Any]:
        """The claims of a token; the inverse of `from_claims`."""
        return {
            "sub": self.user_id,
            "name": self.user_name,
            "unit": self.unit_id,
            "grants": [[grant.action, grant.scope, grant.unit_path] for grant in self.grants],
            "svc": self.service,
        }

    @staticmethod
    def from_claims(claims: dict[str, Any]) -> Access:
        """The access that verified claims describe."""
        return Access(
            user_id=str(claims["sub"]),
            user_name=str(claims.get("name", "")),
            unit_id=str(claims.get("unit", "")),
            grants=tuple(Grant(*map(str, grant)) for grant in claims.get("grants", [])),
            service=str(claims.get("svc", "")),
        )


def _is_below(path: str, top: str) -> bool:
    """Tell whether a path is `top` or under it; no top has nothing under it."""
    return bool(top) and (path + ".").startswith(top + ".")


def service_access(service: str) -> Access:
    """A service acting by itself: reads and writes everything of its own data, for handlers and timers."""
    return Access(
        user_id="",
        user_name=service,
        grants=tuple(Grant(action, ALL) for action in (READ, WRITE, IMPORT, PLAN, ADMINISTER)),
        service=service,
    )


def follower_access(service: str) -> Access:
    """A service that carries news on: it may follow events and do nothing else."""
    return Access(user_id="", user_name=service, grants=(Grant(FOLLOW, ALL),), service=service)
