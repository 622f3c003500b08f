"""Which users the names, logins and e-mails of a workbook mean; several fits stay undecided, nothing is guessed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from rapidfuzz import fuzz, process

from chassis.database import UnitOfWork
from directory import queries, rules
from directory.tables import alias, user
from directory.units import find_unit
from directory.visibility import visible_users
from values.names import person_key

MOST_TEXTS = 1_000
MOST_UNKNOWN = 200  # distinct texts that get proposals; each is compared with every name
SUGGESTIONS = 3
LEAST_LIKENESS = 60.0  # of 100: "Versi Hilpert" and "Versie Hillpert" have 93, two different names about 40


@dataclass(frozen=True)
class Match:
    """What one written text means; `user_id` is empty when unknown or ambiguous."""

    text: str
    user_id: str = ""
    unit_id: str = ""
    suggestions: tuple[str, ...] = ()
    ambiguous: bool = False


@dataclass(frozen=True)
class _Known:
    id: str
    display_name: str
    exact: frozenset[str] = field(default_factory=frozenset)  # login and e-mail keys
    names: frozenset[str] = field(default_factory=frozenset)  # keys of the name and its other spellings


def match_users(work: UnitOfWork, texts: Sequence[str], unit_id: str = "") -> list[Match]:
    """One match per text, in the order asked; users with a position below `unit_id` are preferred.

    Errors: FieldInvalid for more than 1,000 texts or one over 300 characters, UnitNotFound.
    """
    if len(texts) > MOST_TEXTS:
        raise rules.invalid("texts", f"has {len(texts)} entries; ask for at most {MOST_TEXTS} at a time")
    for text in texts:
        rules.check_text("texts", text, 300)
    inside = find_unit(work, unit_id).path if unit_id else ""
    wanted = {text: (text.strip().casefold(), person_key(None, None, None, text)) for text in texts if text.strip()}
    fits = _fits(wanted, _read_known(work, wanted))
    positions = queries.positions_of(work, sorted({one.id for found in fits.values() for one in found}))
    decided = {text: _decide(text, fits[text], positions, inside) for text in wanted}
    unknown = [text for text, match in decided.items() if not match.user_id and not match.ambiguous]
    proposals = _propose(work, unknown[:MOST_UNKNOWN])
    return [
        Match(text, suggestions=proposals[text]) if text in proposals else decided.get(text, Match(text))
        for text in texts
    ]


def _read_known(work: UnitOfWork, wanted: dict[str, tuple[str, str]]) -> list[_Known]:
    exact = sorted({key for key, _ in wanted.values()})
    names = sorted({key for _, key in wanted.values()})
    spelled = sa.select(alias.c.user_id).where(_among(alias.c.name_key, names))
    statement = (
        sa.select(
            user.c.id,
            user.c.display_name,
            user.c.login_key,
            user.c.email_key,
            user.c.name_key,
            sa.func.array_agg(alias.c.name_key).filter(alias.c.name_key.is_not(None)).label("spellings"),
        )
        .outerjoin(alias, alias.c.user_id == user.c.id)
        .where(visible_users(work.access))
        .where(
            sa.or_(
                _among(user.c.login_key, exact),
                _among(user.c.email_key, exact),
                _among(user.c.name_key, names),
                user.c.id.in_(spelled),
            )
        )
        .group_by(user.c.id)
    )
    return [
        _Known(
            row.id,
            row.display_name,
            frozenset(filter(None, (row.login_key, row.email_key))),
            frozenset((row.name_key, *(row.spellings or ()))),
        )
        for row in work.execute(statement)
    ]


def _among(column: sa.ColumnElement[Any], values: Sequence[str]) -> sa.ColumnElement[bool]:
    return column == sa.func.any(sa.cast(list(values), sa.ARRAY(sa.Text)))


def _fits(wanted: dict[str, tuple[str, str]], known: Sequence[_Known]) -> dict[str, list[_Known]]:
    """The users each text fits; a login or e-mail beats a name."""
    by_exact: dict[str, list[_Known]] = defaultdict(list)
    by_name: dict[str, list[_Known]] = defaultdict(list)
    for one in known:
        for key in one.exact:
            by_exact[key].append(one)
        for key in one.names:
            by_name[key].append(one)
    return {text: by_exact.get(exact) or by_name.get(name, []) for text, (exact, name) in wanted.items()}


def _decide(text: str, fits: Sequence[_Known], positions: dict[str, list[Any]], inside: str) -> Match:
    near = [one for one in fits if any(_is_below(held.path, inside) for held in positions[one.id])] if inside else []
    chosen = near or fits
    if len(chosen) > 1:
        return Match(text, ambiguous=True)
    if not chosen:
        return Match(text)
    held = positions[chosen[0].id]
    best = [one for one in held if inside and _is_below(one.path, inside)] or held
    return Match(text, chosen[0].id, best[-1].unit_id if best else "")


def _is_below(path: str, inside: str) -> bool:
    return (path + ".").startswith(inside + ".")


def _propose(work: UnitOfWork, unknown: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The nearest names of each unknown text, best first."""
    if not unknown:
        return {}
    rows = work.execute(sa.select(user.c.name_key, user.c.display_name).where(visible_users(work.access))).all()
    names = {row.name_key: row.display_name for row in rows}
    return {
        text: tuple(
            names[key]
            for key, _, _ in process.extract(
                person_key(None, None, None, text),
                list(names),
                scorer=fuzz.ratio,
                limit=SUGGESTIONS,
                score_cutoff=LEAST_LIKENESS,
            )
        )
        for text in unknown
    }
