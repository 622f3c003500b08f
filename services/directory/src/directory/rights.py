"""What positions allow: roles as permissions, and the grants and denials that follow from them; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from chassis.access import (
    ADMINISTER,
    ALL,
    ASSIGN,
    AUDIT,
    CHANGE,
    CONFIGURE,
    COVERED_BY,
    CREATE,
    DELETE,
    EXPORT,
    IMPORT,
    OWN,
    PLAN,
    PROVISION,
    READ,
    SUBSCRIBE,
    SUBTREE,
    TEAM,
    WRITE,
    Denial,
    Grant,
    is_below,
)
from units.records import ACTIVITY, CUSTOMER, DEAL, FIELDS, INTERACTION, KINDS, STAFF

ACTIONS = (
    READ, WRITE, CREATE, CHANGE, ASSIGN, DELETE, EXPORT, IMPORT, PLAN, ADMINISTER, CONFIGURE, AUDIT, PROVISION,
    SUBSCRIBE,
)  # fmt: skip
SCOPES = (OWN, TEAM, SUBTREE, ALL)
RECORDS = ("", *KINDS)
ADMINISTRATOR, NONE = "administrator", "none"
FIXED = (ADMINISTRATOR, NONE)  # changed, nobody might be left who can change them back


@dataclass(frozen=True, order=True)
class Permission:
    """One action on one kind of records (`records` empty: on every kind) in one scope."""

    action: str
    scope: str
    records: str = ""


@dataclass(frozen=True)
class BuiltIn:
    """A role that every installation begins with."""

    name: str
    permissions: tuple[Permission, ...] = ()


def _below(*actions: str) -> tuple[Permission, ...]:
    return tuple(Permission(action, SUBTREE) for action in actions)


def _own(*actions: str) -> tuple[Permission, ...]:
    return tuple(Permission(action, OWN) for action in actions)


def _everywhere(*actions: str, records: str = "") -> tuple[Permission, ...]:
    return tuple(Permission(action, ALL, records) for action in actions)


_HEAD = (READ, WRITE, PLAN, AUDIT)
BUILT_IN = {
    "seller": BuiltIn("Seller", (*_below(READ, WRITE), *_own(READ, WRITE))),
    "assistant": BuiltIn("Assistant", (*_below(READ, CREATE, CHANGE), *_own(READ, CREATE, CHANGE))),
    "head": BuiltIn("Head", (*_below(*_HEAD), *_own(READ, WRITE))),
    "branch_head": BuiltIn("Head of a branch", (*_below(*_HEAD, IMPORT, EXPORT), *_own(READ, WRITE))),
    "steward": BuiltIn("Data steward", (*_below(READ, WRITE, PLAN, IMPORT, EXPORT), *_own(READ, WRITE))),
    "security_officer": BuiltIn("Security officer", (*_everywhere(READ, records=STAFF), *_everywhere(AUDIT))),
    ADMINISTRATOR: BuiltIn("Administrator", _everywhere(READ, WRITE, IMPORT, PLAN, ADMINISTER, DELETE, EXPORT)),
    NONE: BuiltIn("No rights"),
}


@dataclass(frozen=True)
class FieldGroup:
    """Confidential fields of a kind of records that are granted together: to read `key` is to see them."""

    records: str
    code: str
    name: str
    fields: tuple[str, ...]

    @property
    def key(self) -> str:
        """How permissions and restrictions name it in the place of a kind of records."""
        return f"{self.records}.{self.code}"


FIRST_GROUPS = (
    FieldGroup(CUSTOMER, "contacts", "Telephones, e-mails, address", ("channels", "address")),
    FieldGroup(CUSTOMER, "identity", "Date of birth, tax number", ("birth_date", "tax_id")),
    FieldGroup(CUSTOMER, "facts", "Facts of one's own", ("attributes",)),
    FieldGroup(INTERACTION, "content", "What was said", FIELDS[INTERACTION]),
    FieldGroup(DEAL, "amounts", "Amounts and prices", FIELDS[DEAL]),
    FieldGroup(ACTIVITY, "content", "Description and result", FIELDS[ACTIVITY]),
)


@dataclass(frozen=True)
class Place:
    """A position as rights see it: where, from when to when in the zone of its unit, and what its role allows.

    `stands_in_for` is the user who is away, where the position is held for somebody else.
    """

    role: str
    unit_id: str
    unit_path: str
    time_zone: str
    start_date: date | None
    end_date: date | None
    permissions: tuple[Permission, ...] = ()
    stands_in_for: str = ""

    def in_force(self, moment: datetime) -> bool:
        """Tell whether the position holds at an aware moment, by the calendar of its unit."""
        return is_in_force(self.start_date, self.end_date, self.time_zone, moment)


@dataclass(frozen=True)
class Restriction:
    """An explicit restriction as rights see it, with the path and zone of its unit."""

    unit_path: str
    action: str
    records: str
    time_zone: str
    start_date: date | None
    end_date: date | None


def is_in_force(start: date | None, end: date | None, time_zone: str, moment: datetime) -> bool:
    """Tell whether an aware moment lies in [start, end) by the calendar of a zone; None is open."""
    today = moment.astimezone(ZoneInfo(time_zone)).date()
    return (start is None or start <= today) and (end is None or today < end)


def grants_of(places: Iterable[Place], moment: datetime) -> tuple[Grant, ...]:
    """What the positions in force at `moment` allow, each grant once and none that another one holds already."""
    found: dict[Grant, None] = {}
    for place in places:
        if place.in_force(moment):
            found |= dict.fromkeys(_grant(one, place.unit_path) for one in place.permissions)
    return tuple(one for one in found if not any(_holds(other, one) for other in found if other != one))


def denials_of(restrictions: Iterable[Restriction], moment: datetime) -> tuple[Denial, ...]:
    """What the restrictions in force at `moment` take away."""
    current = (one for one in restrictions if is_in_force(one.start_date, one.end_date, one.time_zone, moment))
    return tuple(dict.fromkeys(Denial(one.unit_path, one.action, one.records) for one in current))


def hidden_of(groups: Iterable[FieldGroup], grants: Sequence[Grant], denials: Sequence[Denial]) -> tuple[str, ...]:
    """The confidential fields, `kind.field`, that somebody with these grants and denials sees on no record.

    A group is seen on all records one may read, or on none: it needs a grant wherever the records have one, and no
    restriction there. Whoever reads a branch without its telephones could else tell them by sorting and searching.
    """
    hidden = {f"{one.records}.{name}" for one in groups if not _sees(one, grants, denials) for name in one.fields}
    return tuple(sorted(hidden))


def _sees(group: FieldGroup, grants: Sequence[Grant], denials: Sequence[Denial]) -> bool:
    reads = [one for one in grants if one.action == READ and one.records in ("", group.records)]
    needed = [replace(one, records=group.key) for one in reads]
    granted = all(any(_holds(other, one) for other in grants) for one in needed)
    denied = [one.unit_path for one in denials if one.action == READ and one.records == group.key]
    return granted and not any(_meet(path, one) for path in denied for one in reads)


def _meet(path: str, grant: Grant) -> bool:
    """Tell whether a grant may reach records of the units at `path` and below."""
    if grant.scope in (ALL, OWN):
        return True
    return is_below(grant.unit_path, path) or (grant.scope == SUBTREE and is_below(path, grant.unit_path))


def speaks_of_fields(records: str) -> bool:
    """Tell whether a permission or restriction names a group of fields in the place of a kind of records."""
    return "." in records


def absent_of(places: Iterable[Place], moment: datetime) -> tuple[str, ...]:
    """The users whose own records count as own ones: those for whom the positions in force stand in."""
    return tuple(dict.fromkeys(one.stands_in_for for one in places if one.stands_in_for and one.in_force(moment)))


def home_of(places: Iterable[Place], moment: datetime) -> Place | None:
    """The place that counts as home: the youngest of one's own in force, else the youngest; `places` oldest first."""
    ordered = list(places)
    current = [place for place in ordered if place.in_force(moment)]
    own = [place for place in current if not place.stands_in_for]
    chosen = own or current or ordered
    return chosen[-1] if chosen else None


def reaches_everywhere(permissions: Iterable[Permission]) -> bool:
    """Tell whether a role allows something beyond the unit in which its position is."""
    return any(one.scope == ALL for one in permissions)


def _grant(permission: Permission, unit_path: str) -> Grant:
    path = unit_path if permission.scope in (SUBTREE, TEAM) else ""
    return Grant(permission.action, permission.scope, path, permission.records)


def _holds(wider: Grant, grant: Grant) -> bool:
    """Tell whether a grant allows at least what another one does."""
    if wider.action not in (grant.action, COVERED_BY.get(grant.action)) or wider.records not in ("", grant.records):
        return False
    if wider.scope == ALL:
        return True
    below = wider.scope == SUBTREE and grant.scope in (SUBTREE, TEAM) and is_below(grant.unit_path, wider.unit_path)
    return below or (wider.scope, wider.unit_path) == (grant.scope, grant.unit_path)
