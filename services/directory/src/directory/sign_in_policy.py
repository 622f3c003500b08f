"""How those who hold a role sign in: whether a password does, and what it takes besides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.access import ADMINISTER
from chassis.audit.entries import ACT, write_entry
from chassis.database import UnitOfWork
from directory import queries, rules
from directory.errors import RoleFixed
from directory.rights import ADMINISTRATOR
from directory.roles import find_role
from directory.tables import role

CODE, PASSKEY = "code", "passkey"
FACTORS = ("", CODE, PASSKEY)


@dataclass(frozen=True)
class Policy:
    """What holds for a user by the roles held now; the strictest of them counts."""

    password_off: bool = False
    factor: str = ""


def set_role_sign_in(work: UnitOfWork, code: str, password_off: bool, factor: str) -> Any:
    """Say how those with a role sign in; answers its row. Errors: RoleNotFound, RoleFixed, FieldInvalid, NotPermitted.

    Administrators keep their password: a provider that is away must not lock everybody out.
    """
    work.access.require_everywhere(ADMINISTER)
    known = find_role(work, code)
    if factor not in FACTORS:
        raise rules.invalid("factor", f"is {factor[:40]!r}; use {CODE}, {PASSKEY} or nothing")
    if password_off and code == ADMINISTRATOR:
        raise RoleFixed(code, "without passwords")
    values = {"password_off": password_off, "factor": factor, "version": role.c.version + 1}
    row = work.execute(sa.update(role).where(role.c.id == known.id).values(values).returning(role)).one()
    said = " ".join(filter(None, ("no password" if password_off else "password", factor)))
    write_entry(work, ACT, "directory/SetRoleSignIn", "role", [row.id], reason=said)
    return row


def policy_of(work: UnitOfWork, user_id: str) -> Policy:
    """What holds for a user now."""
    places = queries.places_of(queries.positions_of(work, [user_id])[user_id])
    held = {one.role for one in places if one.in_force(work.now)}
    rows = work.execute(sa.select(role.c.password_off, role.c.factor).where(role.c.code.in_(held))).all()
    return Policy(any(row.password_off for row in rows), _strictest(row.factor for row in rows))


def _strictest(factors: Iterable[str]) -> str:
    return max(factors, key=FACTORS.index, default="")
