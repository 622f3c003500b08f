"""Whom a provider means: the linked user, else the one with the e-mail it vouches for, who is linked then."""

from __future__ import annotations

import sqlalchemy as sa

from chassis.audit.entries import ACT, REFUSED, write_entry
from chassis.database import UnitOfWork
from directory.provider import Word
from directory.tables import identity, user


def find_user_of(work: UnitOfWork, word: Word, origin: str) -> str:
    """The id of the user; empty where nobody, or more than one, is meant, which is noted."""
    i = identity.c
    linked = sa.select(i.user_id).where(i.issuer == word.issuer, i.subject == word.subject)
    known = work.execute(linked).scalar()
    if known is not None:
        return str(known)
    key = word.email.strip().casefold()
    by_mail = sa.select(user.c.id).where(user.c.email_key == key, user.c.active).limit(2)
    found = list(work.execute(by_mail).scalars()) if key and "\0" not in key else []
    if len(found) != 1:
        reason = "nobody has this e-mail" if not found else "several people have this e-mail"
        write_entry(work, REFUSED, "directory/SignInWithProvider", "user", found, origin=origin, reason=reason)
        return ""
    values = {"issuer": word.issuer, "subject": word.subject, "user_id": found[0], "create_time": work.now}
    work.execute(sa.insert(identity).values(values))
    write_entry(work, ACT, "directory/LinkProvider", "user", [found[0]], origin=origin, reason=word.issuer)
    return str(found[0])
