"""Saved views of lists and reports: a filter with its columns, or a question, under a name, for oneself or others.

A view is what stands behind the question mark of a list's address, and nothing more: what it shows anybody is decided
by that person's own rights. Functions take an open transaction, the access of who asks, and `above`: the paths of the
unit that person belongs to and of all units above it, by their ids. So a unit that moves takes its views along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa

from chassis.access import CONFIGURE, PLAN, Access
from chassis.database import UnitOfWork
from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind, NotPermitted, StaleEtag
from chassis.ids import is_id, new_id
from gateway.tables import saved_view
from units.records import PLAN as PLAN_RECORDS

MINE, UNIT, EVERYBODY = "mine", "unit", "everybody"
SHARINGS = (MINE, UNIT, EVERYBODY)
WEEK, MONTH = "week", "month"
SENDINGS = ("", WEEK, MONTH)  # how often a saved report comes to those who have it; empty: never
_CUSTOMERS = ("view", "q", "unit", "owner", "kind", "home", "tag", "own", "group", "cols")
# What may stand in the address of each list, in the order in which a view is written.
CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "customers": _CUSTOMERS,
    "organizations": _CUSTOMERS,
    "deals": (
        "view", "pipeline", "unit", "owner", "organization", "person", "status", "closed", "in_stage", "expected",
        "exact", "sort", "group", "cols",
    ),
    "reports": (
        "report", "unit", "period", "from", "to", "group_by", "person", "pipeline", "product", "compare", "metric",
        "currency", "tree",
    ),
}  # fmt: skip
MOST_NAME, MOST_VALUE = 60, 1_500  # characters; each column of a company's own takes 41, each condition some words
MOST_VIEWS = 50  # of a person and list: more tabs than anybody finds again


class ViewNotFound(DomainError):
    """There is no such view, or it is not shared with this person."""

    kind = Kind.NOT_FOUND
    reason = "VIEW_NOT_FOUND"

    def __init__(self, view_id: str) -> None:
        super().__init__(f"there is no saved view {view_id[:40]!r}")


class TooManyViews(DomainError):
    """The person has as many views of this list as can be had."""

    kind = Kind.EXHAUSTED
    reason = "TOO_MANY_VIEWS"


@dataclass(frozen=True)
class ViewFacts:
    """What is said of a view; the unit is that with which it is shared, else empty."""

    list_name: str
    name: str
    query: str
    sharing: str = MINE
    unit_id: str = ""
    unit_path: str = ""
    send_every: str = ""


def write_query(list_name: str, values: Mapping[str, str]) -> str:
    """What a list is asked for, in one spelling: conditions that are none are left out."""
    known = {name: values.get(name, "")[:MOST_VALUE] for name in CONDITIONS[list_name]}
    return urlencode({name: value for name, value in known.items() if value})


def read_query(list_name: str, written: str) -> str:
    """A query somebody wrote, in the spelling of `write_query`."""
    return write_query(list_name, dict(parse_qsl(written.lstrip("?"), max_num_fields=100)))


def may_share(access: Access, unit_path: str = "") -> bool:
    """Tell whether somebody may share views with a unit, or with everybody where the path is empty.

    Whoever may configure there, and whoever answers for others: sets their plans.
    """
    if not unit_path:
        return access.allows_everywhere(CONFIGURE) or access.allows_everywhere(PLAN, PLAN_RECORDS)
    return access.allows_in(CONFIGURE, unit_path) or access.allows_in(PLAN, unit_path, PLAN_RECORDS)


def may_keep(access: Access, above: Mapping[str, str], row: Any) -> bool:
    """Tell whether somebody may change or remove a view: its owner may, and who may share with the same people."""
    if row.sharing == UNIT and row.owner_id != access.user_id:
        return row.unit_id in above and may_share(access, above[row.unit_id])
    return row.owner_id == access.user_id or (row.sharing == EVERYBODY and may_share(access))


def list_views(work: UnitOfWork, access: Access, above: Mapping[str, str], list_name: str = "") -> list[Any]:
    """The views somebody has, of one list or of all, by name."""
    c = saved_view.c
    of_list = [c.list_name == list_name] if list_name else []
    return list(work.execute(sa.select(saved_view).where(_seen(access, above), *of_list).order_by(c.name, c.id)))


def find_view(work: UnitOfWork, access: Access, above: Mapping[str, str], view_id: str) -> Any:
    """One of them, locked. Errors: ViewNotFound."""
    statement = sa.select(saved_view).where(saved_view.c.id == view_id, _seen(access, above)).with_for_update()
    row = work.execute(statement).one_or_none() if is_id(view_id) else None
    if row is None:
        raise ViewNotFound(view_id)
    return row


def make_view(work: UnitOfWork, access: Access, facts: ViewFacts) -> Any:
    """Keep a view. Errors: FieldInvalid, NotPermitted, TooManyViews."""
    check_facts(access, facts)
    mine = sa.and_(saved_view.c.owner_id == access.user_id, saved_view.c.list_name == facts.list_name)
    if work.execute(sa.select(sa.func.count()).where(mine)).scalar_one() >= MOST_VIEWS:
        raise TooManyViews(f"you have {MOST_VIEWS} views of this list; remove one that nobody needs")
    values = {**vars(facts), "owner_id": access.user_id, "create_time": work.now, "update_time": work.now}
    values["send_since"] = work.now if facts.send_every else None
    return work.execute(sa.insert(saved_view).values(id=new_id(), **values).returning(saved_view)).one()


def change_view(
    work: UnitOfWork, access: Access, above: Mapping[str, str], view_id: str, facts: ViewFacts, etag: str = ""
) -> Any:
    """Give a view another name, content or other readers.

    Errors: ViewNotFound, NotPermitted, FieldInvalid, StaleEtag where somebody was faster.
    """
    row = _find_to_keep(work, access, above, view_id)
    if etag and etag != str(row.version):
        raise StaleEtag(f"the view is at version {row.version} by now", metadata={"etag": str(row.version)})
    if facts.list_name != row.list_name:
        raise FieldInvalid(FieldViolation("list", "stays what it was; make another view instead"))
    check_facts(access, facts)
    values = {**vars(facts), "version": row.version + 1, "update_time": work.now}
    if facts.send_every != row.send_every:
        values["send_since"] = work.now if facts.send_every else None
    changed = sa.update(saved_view).where(saved_view.c.id == row.id).values(values)
    return work.execute(changed.returning(saved_view)).one()


def remove_view(work: UnitOfWork, access: Access, above: Mapping[str, str], view_id: str) -> None:
    """Forget a view. Errors: ViewNotFound, NotPermitted."""
    row = _find_to_keep(work, access, above, view_id)
    work.execute(sa.delete(saved_view).where(saved_view.c.id == row.id))


def check_facts(access: Access, facts: ViewFacts) -> None:
    """Errors: FieldInvalid, NotPermitted unless the person may share with these people."""
    if facts.list_name not in CONDITIONS:
        raise FieldInvalid(FieldViolation("list", f"is none; use one of {', '.join(CONDITIONS)}"))
    if not 0 < len(facts.name) <= MOST_NAME or "\0" in facts.name + facts.query:
        raise FieldInvalid(FieldViolation("name", f"has 1 to {MOST_NAME} characters"))
    if facts.sharing not in SHARINGS:
        raise FieldInvalid(FieldViolation("sharing", f"is none; use one of {', '.join(SHARINGS)}"))
    if facts.send_every not in SENDINGS or (facts.send_every and facts.list_name != "reports"):
        raise FieldInvalid(FieldViolation("send_every", "is week, month or empty, and goes with a report"))
    if (facts.sharing == UNIT) != bool(facts.unit_id):
        raise FieldInvalid(FieldViolation("unit_id", "goes with sharing a view with a unit"))
    if facts.sharing != MINE and not may_share(access, facts.unit_path):
        raise NotPermitted(
            "your positions do not allow to share views there",
            metadata={"action": CONFIGURE, "unit_path": facts.unit_path},
        )


def _find_to_keep(work: UnitOfWork, access: Access, above: Mapping[str, str], view_id: str) -> Any:
    row = find_view(work, access, above, view_id)
    if not may_keep(access, above, row):
        raise NotPermitted("the view is somebody else's; save it as one of your own", metadata={"action": CONFIGURE})
    return row


def _seen(access: Access, above: Mapping[str, str]) -> sa.ColumnElement[bool]:
    """A predicate: one's own views, everybody's, and those of the person's unit and of the units above it."""
    c = saved_view.c
    unit = sa.and_(c.sharing == UNIT, c.unit_id.in_(above))
    return sa.or_(c.owner_id == access.user_id, c.sharing == EVERYBODY, unit)
