"""Who is asking and what their positions allow, as the signed token says it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chassis.errors import NotPermitted

READ, WRITE, IMPORT, PLAN, ADMINISTER = "read", "write", "import", "plan", "administer"
CREATE, CHANGE, ASSIGN, DELETE, EXPORT = "create", "change", "assign", "delete", "export"
CONFIGURE, AUDIT, PROVISION = "configure", "audit", "provision"  # the last: bring people in, place them, close them
SUBSCRIBE = "subscribe"  # have what one may read told to systems outside, as it happens
FOLLOW = "follow"  # of services only: be told of every event, to carry the news on to those who may have it
OWN, TEAM, SUBTREE, ALL = "own", "team", "subtree", "all"

# Who may do the one may do the others: a token stays short, and services of before and after understand each other.
COVERS: dict[str, tuple[str, ...]] = {
    WRITE: (CREATE, CHANGE, ASSIGN),
    ADMINISTER: (CONFIGURE, AUDIT, PROVISION, SUBSCRIBE),
}
COVERED_BY = {part: whole for whole, parts in COVERS.items() for part in parts}
RULING = (
    ADMINISTER,
    *COVERS[ADMINISTER],
)  # of the installation, not of records: not reading some takes none of it away


@dataclass(frozen=True)
class Grant:
    """One action allowed in one scope, on records of one kind or (`records` empty) of every kind.

    Scopes: own records, those of the unit at `unit_path` alone (team), of it and all below (subtree), or all.
    """

    action: str
    scope: str
    unit_path: str = ""
    records: str = ""


@dataclass(frozen=True)
class Denial:
    """An explicit restriction: whatever is granted, not this action on records of the unit at `unit_path` or below.

    Without `records` every kind is meant. Who may not read may not do anything else with the records either.
    """

    unit_path: str
    action: str = READ
    records: str = ""

    def forbids(self, action: str, records: str) -> bool:
        """Tell whether it speaks of this action on records of this kind."""
        about = self.action in (action, COVERED_BY.get(action)) or (self.action == READ and action not in RULING)
        return about and self.records in ("", records)


@dataclass(frozen=True)
class Access:
    """The user a call is made for.

    `unit_id` is the home unit, `unit_path` its path; `service` is set when a service acts by itself, `session_id` when
    the user signed in.
    `stands_in_for` are colleagues who are away and whose own records count as the user's own. `hidden` are confidential
    fields, `kind.field`, that the user sees on no record, whatever records may be read.
    """

    user_id: str
    user_name: str = ""
    unit_id: str = ""
    grants: tuple[Grant, ...] = ()
    service: str = ""
    session_id: str = ""
    denials: tuple[Denial, ...] = ()
    stands_in_for: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    unit_path: str = ""

    def grants_for(self, action: str, records: str = "") -> tuple[Grant, ...]:
        """The grants that allow `action` on records of this kind; without `records` those for every kind only."""
        actions = (action, COVERED_BY.get(action))
        return tuple(grant for grant in self.grants if grant.action in actions and grant.records in ("", records))

    def allows_somewhere(self, action: str) -> bool:
        """Tell whether `action` is allowed on some records of some kind."""
        return any(grant.action in (action, COVERED_BY.get(action)) for grant in self.grants)

    def require_somewhere(self, action: str) -> None:
        """Errors: NotPermitted unless `action` is allowed on some records of some kind."""
        if not self.allows_somewhere(action):
            raise missing_grant(action, "", "")

    def denials_for(self, action: str, records: str = "") -> tuple[Denial, ...]:
        """The restrictions of `action` on records of this kind; without `records` those of every kind only."""
        return tuple(denial for denial in self.denials if denial.forbids(action, records))

    def owns(self, owner_id: str) -> bool:
        """Tell whether a record of this owner counts as the user's own."""
        mine = owner_id == self.user_id or owner_id in self.stands_in_for
        return bool(owner_id and self.user_id) and mine

    def allows_everywhere(self, action: str, records: str = "") -> bool:
        """Tell whether `action` is allowed on every record of this kind."""
        granted = any(grant.scope == ALL for grant in self.grants_for(action, records))
        return granted and not self.denials_for(action, records)

    def allows_in(self, action: str, unit_path: str, records: str = "") -> bool:
        """Tell whether `action` is allowed on records of the unit at `unit_path`, whoever owns them."""
        return any(covers(grant, unit_path) for grant in self.grants_for(action, records)) and not self.is_denied(
            action, unit_path, records
        )

    def allows(self, action: str, unit_path: str, owner_id: str, records: str = "") -> bool:
        """Tell whether `action` is allowed on a record of this unit and owner."""
        if self.owns(owner_id) and any(grant.scope == OWN for grant in self.grants_for(action, records)):
            return not self.is_denied(action, unit_path, records)
        return self.allows_in(action, unit_path, records)

    def is_denied(self, action: str, unit_path: str, records: str = "") -> bool:
        """Tell whether a restriction speaks of the unit."""
        return any(is_below(unit_path, denial.unit_path) for denial in self.denials_for(action, records))

    def require_in(self, action: str, unit_path: str, records: str = "") -> None:
        """Errors: NotPermitted unless `action` is allowed in the unit."""
        if not self.allows_in(action, unit_path, records):
            raise missing_grant(action, records, unit_path)

    def require(self, action: str, unit_path: str, owner_id: str, records: str = "") -> None:
        """Errors: NotPermitted unless `action` is allowed on a record of this unit and owner."""
        if not self.allows(action, unit_path, owner_id, records):
            raise missing_grant(action, records, unit_path)

    def require_everywhere(self, action: str, records: str = "") -> None:
        """Errors: NotPermitted unless `action` is allowed on every record."""
        if not self.allows_everywhere(action, records):
            raise missing_grant(action, records, "")

    def hides(self, field: str) -> bool:
        """Tell whether a confidential field, `kind.field`, is hidden from the user."""
        return field in self.hidden

    def require_shown(self, field: str, use: str) -> None:
        """Errors: NotPermitted when a hidden field is to be used so that it would be told: sorted, narrowed by."""
        if self.hides(field):
            raise NotPermitted(f"you may not see {field}, so nothing can be {use} by it", metadata={"field": field})

    def to_claims(self) -> dict[str, Any]:
        """The claims of a token; the inverse of `from_claims`. What a user has not is left out."""
        claims: dict[str, Any] = {
            "sub": self.user_id,
            "name": self.user_name,
            "unit": self.unit_id,
            "grants": [_short(grant.action, grant.scope, grant.unit_path, grant.records) for grant in self.grants],
            "svc": self.service,
            **({"sid": self.session_id} if self.session_id else {}),
        }
        if self.denials:
            claims["denials"] = [[one.unit_path, one.action, one.records] for one in self.denials]
        if self.stands_in_for:
            claims["for"] = list(self.stands_in_for)
        if self.hidden:
            claims["hid"] = list(self.hidden)
        if self.unit_path:
            claims["at"] = self.unit_path
        return claims

    @staticmethod
    def from_claims(claims: dict[str, Any]) -> Access:
        """The access that verified claims describe."""
        return Access(
            user_id=str(claims["sub"]),
            user_name=str(claims.get("name", "")),
            unit_id=str(claims.get("unit", "")),
            grants=tuple(Grant(*map(str, grant)) for grant in claims.get("grants", [])),
            service=str(claims.get("svc", "")),
            session_id=str(claims.get("sid", "")),
            denials=tuple(Denial(*map(str, denial)) for denial in claims.get("denials", [])),
            stands_in_for=tuple(map(str, claims.get("for", []))),
            hidden=tuple(map(str, claims.get("hid", []))),
            unit_path=str(claims.get("at", "")),
        )


def missing_grant(action: str, records: str, unit_path: str) -> NotPermitted:
    """The refusal that names the missing grant: `metadata` has `action`, `records` and `unit` where they are known."""
    what = f"{action} {records}" if records else action
    where = f"in {unit_path}" if unit_path else "for the whole organization"
    named = {"action": action, "records": records, "unit": unit_path}
    return NotPermitted(
        f"your positions do not allow to {what} {where}",
        metadata={name: value for name, value in named.items() if value},
    )


def covers(grant: Grant, unit_path: str) -> bool:
    """Tell whether a grant speaks of records of the unit, whoever owns them."""
    if grant.scope == TEAM:
        return bool(unit_path) and unit_path == grant.unit_path
    return grant.scope == ALL or (grant.scope == SUBTREE and is_below(unit_path, grant.unit_path))


def is_below(path: str, top: str) -> bool:
    """Tell whether a path is `top` or under it; no top has nothing under it."""
    return bool(top) and (path + ".").startswith(top + ".")


def _short(*parts: str) -> list[str]:
    """The parts without empty ones at the end."""
    kept = list(parts)
    while kept and not kept[-1]:
        kept.pop()
    return kept


def service_access(service: str) -> Access:
    """A service acting by itself: reads and writes everything of its own data, for handlers and timers."""
    return Access(
        user_id="",
        user_name=service,
        grants=grants_everywhere((READ, WRITE, DELETE, IMPORT, PLAN, ADMINISTER)),
        service=service,
    )


def grants_everywhere(actions: Iterable[str]) -> tuple[Grant, ...]:
    """Grants of these actions on every record."""
    return tuple(Grant(action, ALL) for action in actions)


def follower_access(service: str) -> Access:
    """A service that carries news on: it may follow events and do nothing else."""
    return Access(user_id="", user_name=service, grants=(Grant(FOLLOW, ALL),), service=service)
