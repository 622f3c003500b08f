"""Less of an access: what somebody reads, where they may do something more with it; no I/O.

A service that works for a user, such as one that writes an export, is given no more than the work needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chassis.access import ALL, COVERED_BY, OWN, READ, SUBTREE, Access, Denial, Grant, is_below, missing_grant
from units.records import KINDS


def narrow_reading(access: Access, action: str, records: str) -> Access:
    """The access that reads records of a kind only where `action` is allowed on them as well, and changes nothing.

    Other kinds are read as ever; without `records` every kind is narrowed. What the grants of two actions share is
    told by one grant each; own records within a subtree no grant can tell, so they are left out rather than too much
    be let in. Errors: NotPermitted where `action` is allowed on no such record.
    """
    actions = (action, COVERED_BY.get(action))
    if not any(one.action in actions and records in ("", one.records or records) for one in access.grants):
        raise missing_grant(action, records, "")
    kinds = (records,) if records else KINDS
    grants: dict[Grant, None] = {}
    for kind in KINDS:
        found = _shared(access, action, kind) if kind in kinds else _read(access, kind)
        grants |= dict.fromkeys(found)
    denials = [one for one in access.denials if one.action == READ]
    denials += [Denial(one.unit_path, READ, kind) for kind in kinds for one in access.denials_for(action, kind)]
    return replace(access, grants=tuple(grants), denials=tuple(dict.fromkeys(denials)))


def _read(access: Access, kind: str) -> Iterator[Grant]:
    return (replace(one, records=kind) for one in access.grants_for(READ, kind))


def _shared(access: Access, action: str, kind: str) -> Iterator[Grant]:
    for read in _read(access, kind):
        for other in access.grants_for(action, kind):
            found = share_of(read, other)
            if found is not None:
                yield found


def share_of(read: Grant, other: Grant) -> Grant | None:
    """The grant to read what two grants both speak of; None where they share nothing that a grant can tell."""
    if other.scope == ALL or (other.scope, other.unit_path) == (read.scope, read.unit_path):
        return read
    scope = replace(read, scope=other.scope, unit_path=other.unit_path)
    if read.scope == ALL:
        return scope
    if OWN in (read.scope, other.scope):
        return None
    if read.scope == SUBTREE and is_below(other.unit_path, read.unit_path):
        return scope
    if other.scope == SUBTREE and is_below(read.unit_path, other.unit_path):
        return read
    return None
