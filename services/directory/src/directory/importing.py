"""What becomes of an import's users: each row finds its user by e-mail or by name within the unit, or makes one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from chassis.access import ADMINISTER, IMPORT
from chassis.database import UnitOfWork
from chassis.errors import DomainError, NotPermitted
from chassis.ids import is_id, new_id
from crm.directory.events.v1 import directory_events_pb2 as events_pb
from directory import queries, rights, rules
from directory.errors import UnitNotFound
from directory.events import user_state
from directory.tables import alias, position, unit, user
from directory.users import mailed, named, tell_user
from directory.visibility import visible_units
from units.records import STAFF
from values.names import person_key

MOST_ROWS = 1_000
IMPORT_LOCK = 0x7573_6572_73  # two imports of one file at once must not make everybody twice


@dataclass(frozen=True)
class UserRow:
    """One user as a workbook says it, with one position; an empty role leaves a held role as it is."""

    display_name: str
    email: str
    unit_id: str
    title: str
    role: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fate:
    """What became of a row: created, updated, unchanged or refused."""

    fate: str
    user_id: str = ""
    reason: str = ""


@dataclass
class _Held:
    id: str
    title: str
    role: str
    is_new: bool = False
    is_changed: bool = False


@dataclass
class _Person:
    id: str
    display_name: str
    name_key: str
    email: str
    email_key: str
    held: dict[str, _Held] = field(default_factory=dict)  # by unit
    aliases: set[str] = field(default_factory=set)
    new_aliases: list[str] = field(default_factory=list)
    is_new: bool = False
    is_changed: bool = False


class _RowRefused(DomainError):
    """A row cannot be taken; the message says why."""


def import_users(work: UnitOfWork, rows: Sequence[UserRow], dry_run: bool = False) -> list[Fate]:
    """The fate of each row, in order; with `dry_run` nothing changes and new users have no id yet.

    Errors: FieldInvalid for more than 1,000 rows. What is wrong with a row is said in its fate.
    """
    if len(rows) > MOST_ROWS:
        raise rules.invalid("rows", f"has {len(rows)} entries; send at most {MOST_ROWS} at a time")
    work.execute(sa.select(sa.func.pg_advisory_xact_lock(IMPORT_LOCK)))
    paths, wide = _visible_paths(work, rows), _wide_roles(work, rows)
    people = _People(_read_people(work, rows))
    fates = [_take_row(work, people, row, paths, wide) for row in rows]
    if not dry_run:
        _write(work, people)
        return fates
    made = {one.id for one in people.all if one.is_new}
    return [Fate(one.fate, "" if one.user_id in made else one.user_id, one.reason) for one in fates]


class _People:
    """Whom the rows may mean; rows of this import add to it."""

    def __init__(self, known: Sequence[_Person]) -> None:
        self.all: list[_Person] = []
        self.by_email: dict[str, list[_Person]] = defaultdict(list)
        self.by_name: dict[str, list[_Person]] = defaultdict(list)
        for one in known:
            self.add(one)

    def add(self, one: _Person) -> None:
        self.all.append(one)
        self.by_name[one.name_key].append(one)
        if one.email_key:
            self.by_email[one.email_key].append(one)

    def find(self, name_key: str, email_key: str, unit_id: str) -> _Person | None:
        """The person a row means. Errors: _RowRefused where two may be meant or the e-mail is somebody else's."""
        holders = self.by_email.get(email_key, [])
        if holders:
            same = [one for one in holders if one.name_key == name_key]
            if len(same) != 1:
                raise _RowRefused("the e-mail belongs to another user; correct the name or the e-mail")
            return same[0]
        near = [one for one in self.by_name.get(name_key, []) if unit_id in one.held]
        near = [one for one in near if not email_key or not one.email_key]
        if len(near) > 1:
            raise _RowRefused("several users of the unit have this name; give the e-mail")
        return near[0] if near else None


def _take_row(work: UnitOfWork, people: _People, row: UserRow, paths: dict[str, str], wide: Collection[str]) -> Fate:
    try:
        _require_right(work, row, paths, wide)
        values = {**named(row.display_name), **mailed(row.email)}
        title = rules.check_text("title", row.title, rules.MAX_NAME)
        for text in row.aliases:
            rules.check_text("aliases", text, rules.MAX_NAME, required=True)
        found = people.find(values["name_key"], values["email_key"], row.unit_id)
    except DomainError as refusal:
        return Fate("refused", reason=refusal.message)
    if found is None:
        made = _Person(new_id(), values["display_name"], values["name_key"], values["email"], values["email_key"])
        made.held[row.unit_id], made.is_new = _new_held(title, row.role), True
        _add_aliases(made, row)
        people.add(made)
        return Fate("created", made.id)
    return Fate("updated" if _take_over(people, found, row, values) else "unchanged", found.id)


def _take_over(people: _People, known: _Person, row: UserRow, values: dict[str, str]) -> bool:
    """Add what the row says of a known person; tells whether anything was new."""
    changed = _add_aliases(known, row)
    if values["email_key"] and not known.email_key:
        known.email, known.email_key, changed = values["email"], values["email_key"], True
        people.by_email[known.email_key].append(known)
    held = known.held.get(row.unit_id)
    if held is None:
        known.held[row.unit_id], changed = _new_held(row.title, row.role), True
    elif (row.title and held.title != row.title) or (row.role and held.role != row.role):
        held.title, held.role = row.title or held.title, row.role or held.role
        held.is_changed = changed = True
    known.is_changed = known.is_changed or changed
    return changed


def _add_aliases(known: _Person, row: UserRow) -> bool:
    new = [text for text in dict.fromkeys(row.aliases) if text not in known.aliases]
    known.new_aliases += new
    known.aliases.update(new)
    return bool(new)


def _new_held(title: str, role: str) -> _Held:
    return _Held(new_id(), title, role or "none", is_new=True)


def _wide_roles(work: UnitOfWork, rows: Sequence[UserRow]) -> set[str]:
    """The roles of the rows that reach beyond the unit of a position."""
    allowed = queries.permissions_of(work, {row.role for row in rows})
    return {code for code, permissions in allowed.items() if rights.reaches_everywhere(permissions)}


def _require_right(work: UnitOfWork, row: UserRow, paths: dict[str, str], wide: Collection[str]) -> None:
    if row.unit_id not in paths:
        raise UnitNotFound(row.unit_id)
    path = paths[row.unit_id]
    if row.role in wide:
        work.access.require_everywhere(ADMINISTER)
        return
    may_import = row.role in ("", "none") and work.access.allows_in(IMPORT, path, STAFF)
    if not may_import and not work.access.allows_in(ADMINISTER, path):
        raise NotPermitted(f"your positions do not allow to give the role {row.role or 'none'} in {path}")


def _visible_paths(work: UnitOfWork, rows: Sequence[UserRow]) -> dict[str, str]:
    asked = {row.unit_id for row in rows if is_id(row.unit_id)}
    statement = sa.select(unit.c.id, unit.c.path).where(unit.c.id.in_(asked), visible_units(work.access))
    return {row.id: row.path for row in work.execute(statement)}


def _read_people(work: UnitOfWork, rows: Sequence[UserRow]) -> list[_Person]:
    """Everybody with a name or an e-mail of the rows, whether the caller sees them or not: one person, one user."""
    keys = [(_key_of(row), row.email.strip().casefold()) for row in rows]
    statement = sa.select(*queries.USER_COLUMNS).where(
        sa.or_(
            user.c.name_key.in_({name for name, _ in keys if name}),
            user.c.email_key.in_({email for _, email in keys if email and "\0" not in email}),
        )
    )
    people = {
        row.id: _Person(row.id, row.display_name, row.name_key, row.email, row.email_key)
        for row in work.execute(statement.order_by(user.c.id))
    }
    for user_id, texts in queries.aliases_of(work, list(people)).items():
        people[user_id].aliases = set(texts)
    for user_id, positions in queries.positions_of(work, list(people)).items():
        people[user_id].held = {
            one.unit_id: _Held(one.id, one.title, one.role) for one in positions if not one.absent_id
        }
    return list(people.values())


def _key_of(row: UserRow) -> str | None:
    """The name key of a row, None where the name cannot be stored."""
    try:
        return named(row.display_name)["name_key"]
    except DomainError:
        return None


def _write(work: UnitOfWork, people: _People) -> None:
    """Store what the rows added, one statement a kind, and tell of every user concerned."""
    made = [one for one in people.all if one.is_new]
    changed = [one for one in people.all if one.is_changed and not one.is_new]
    if made:
        fixed = {"active": True, "create_time": work.now}
        work.execute(sa.insert(user), [{**_columns(one), **fixed} for one in made])
    if changed:
        _update_people(work, changed)
    held = [(one.id, unit_id, place) for one in (*made, *changed) for unit_id, place in one.held.items()]
    new = [
        {"id": place.id, "user_id": user_id, "unit_id": unit_id, "title": place.title, "role": place.role}
        for user_id, unit_id, place in held
        if place.is_new
    ]
    if new:
        work.execute(sa.insert(position), new)
    spelled = [
        {"user_id": one.id, "text": text, "name_key": person_key(None, None, None, text)}
        for one in (*made, *changed)
        for text in one.new_aliases
    ]
    if spelled:
        work.execute(sa.insert(alias), spelled)
    retitled = [place for _, _, place in held if place.is_changed and not place.is_new]
    if retitled:
        _update_positions(work, retitled)
    _tell(work, made, changed)


def _columns(one: _Person) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("id", "display_name", "name_key", "email", "email_key")}


def _update_people(work: UnitOfWork, changed: Sequence[_Person]) -> None:
    given = _given(user.c.id, user.c.email, user.c.email_key, rows=[(x.id, x.email, x.email_key) for x in changed])
    work.execute(
        sa.update(user)
        .where(user.c.id == given.c.id)
        .values(version=user.c.version + 1, email=given.c.email, email_key=given.c.email_key)
    )


def _update_positions(work: UnitOfWork, changed: Sequence[_Held]) -> None:
    columns = (position.c.id, position.c.title, position.c.role)
    given = _given(*columns, rows=[(one.id, one.title, one.role) for one in changed])
    statement = sa.update(position).where(position.c.id == given.c.id)
    work.execute(statement.values(title=given.c.title, role=given.c.role))


def _given(*columns: sa.Column[Any], rows: Sequence[tuple[Any, ...]]) -> sa.Values:
    return sa.values(*(sa.column(one.name, one.type) for one in columns), name="given").data(rows)


def _tell(work: UnitOfWork, made: Sequence[_Person], changed: Sequence[_Person]) -> None:
    ids = [one.id for one in (*made, *changed)]
    positions = queries.positions_of(work, ids)
    new = {one.id for one in made}
    rows = work.execute(sa.select(*queries.USER_COLUMNS).where(user.c.id.in_(ids)).order_by(user.c.id)).all()
    for row in rows:
        held = positions[row.id]
        if row.id not in new:
            tell_user(work, row, held, ["aliases", "email", "positions"])
            continue
        home = rights.home_of(queries.places_of(held), work.now)
        event = events_pb.UserCreated(user=user_state(row, held))
        work.add_event(event, "user", row.id, row.version, home.unit_path if home else "")
