"""The first unit and the first administrator, made once; asking again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from chassis.database import Database
from directory import rules
from directory.passwords import hash_password
from directory.tables import unit, user
from directory.units import NewUnit, create_unit, lock_tree
from directory.users import NewPosition, NewUser, create_user


@dataclass(frozen=True)
class FirstFacts:
    """What must be known to begin: the company, and who administers it."""

    company: str
    code: str
    country_code: str
    currency_code: str
    time_zone: str
    login: str
    password: str


def bootstrap(database: Database, facts: FirstFacts) -> tuple[str, str]:
    """Make the company and its administrator unless they are there; answers their ids. Errors: FieldInvalid."""
    rules.check_password(facts.password)
    with database.transaction() as work:
        lock_tree(work)
        company_id = work.execute(sa.select(unit.c.id).where(unit.c.parent_id.is_(None))).scalar()
        if company_id is None:
            company_id = create_unit(
                work,
                NewUnit(
                    parent_id="",
                    kind="company",
                    code=facts.code,
                    name=facts.company,
                    country_code=facts.country_code,
                    time_zone=facts.time_zone,
                    currency_code=facts.currency_code,
                ),
            ).id
        login = sa.select(user.c.id).where(user.c.login_key == rules.login_key(facts.login))
        user_id = work.execute(login).scalar()
        if user_id is None:
            position = NewPosition(company_id, "Administrator", "administrator")
            new = NewUser(
                facts.login, login=facts.login, positions=(position,), password_hash=hash_password(facts.password)
            )
            user_id = create_user(work, new).id
    return str(company_id), str(user_id)
