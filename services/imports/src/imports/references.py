"""What texts of a file mean: owners, units, products, stages. A person's choice goes before what the services say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from imports.findings import ERROR, INFO, Finding
from imports.tables import run_reference, run_row

ASKED_AT_ONCE = 1_000
CREATE, NONE = "create", "none"  # meanings a person may choose instead of a name
EVERY_OTHER = "*"  # as the text of a choice: every text that means nothing known
MADE = frozenset({"product"})  # fields whose records an import may make
_NAMES = {
    "owner": "user",
    "author": "user",
    "unit": "unit",
    "product": "product",
    "stage": "stage",
}


@dataclass(frozen=True)
class Meaning:
    """What a text means: `id`, empty when unknown, with proposals. `details` are facts the load needs."""

    id: str
    suggestions: tuple[str, ...] = ()
    ambiguous: bool = False
    details: Mapping[str, Any] | None = None


class Peers(Protocol):
    """The services that know what texts mean."""

    def match_users(self, texts: Sequence[str], unit_id: str) -> list[Meaning]: ...
    def match_units(self, texts: Sequence[str], unit_id: str) -> list[Meaning]: ...
    def match_products(self, texts: Sequence[str]) -> list[Meaning]: ...
    def match_stages(self, texts: Sequence[str]) -> list[Meaning]: ...


def resolve_references(
    database: Database, run_id: str, unit_id: str, choices: Iterable[Mapping[str, str]], peers: Peers
) -> list[Finding]:
    """Fill in the meaning of every referenced text and tell of those that have none.

    Peers are asked outside of transactions. A choice's meaning is a proper name or an id; an empty one refuses the rows
    with that text.
    """
    chosen = {(one["field"], one["text"]): one["meaning"] for one in choices}
    with database.transaction() as work:
        rows = work.execute(_places(run_id)).all()
    findings: list[Finding] = []
    for field in sorted({row.field for row in rows}):
        mine = [row for row in rows if row.field == field]
        asked = {row.text: chosen.get((field, row.text), row.text) for row in mine}
        wanted = sorted({text for text in asked.values() if text})
        meanings = dict(zip(wanted, _ask(field, wanted, unit_id, peers), strict=True))
        other = chosen.get((field, EVERY_OTHER))
        found = {row.text: _settle(field, asked[row.text], meanings, other) for row in mine}
        refused = {row.text for row in mine if asked[row.text] == "" or (other == "" and not found[row.text].id)}
        findings += [_unknown(row, found[row.text], row.text in refused) for row in mine if not found[row.text].id]
        findings += [_made(row) for row in mine if found[row.text].id == CREATE]
        with database.transaction() as work:
            _store(work, run_id, field, found)
    return findings


def _settle(field: str, asked: str, meanings: Mapping[str, Meaning], other: str | None) -> Meaning:
    """What a text means in the end; `other` is what a person chose for every text that means nothing known."""
    found = meanings.get(asked, Meaning(""))
    unknown = bool(asked) and not found.id
    wish = asked if asked in (CREATE, NONE) else (other or "") if unknown else ""
    if wish == NONE or (wish == CREATE and field in MADE):
        return Meaning(wish)
    return found


def _made(row: sa.Row[Any]) -> Finding:
    what = _NAMES[row.field]
    message = f"{what} {row.text!r} will be made, as chosen"
    return Finding(f"new_{what}", INFO, message, row=row.row or 0, column=row.column, value=row.text, count=row.times)


def _places(run_id: str) -> sa.Select[Any]:
    first = sa.and_(run_row.c.run_id == run_reference.c.run_id, run_row.c.place == run_reference.c.first_place)
    return (
        sa.select(run_reference, run_row.c.sheet, run_row.c.row)
        .outerjoin(run_row, first)
        .where(run_reference.c.run_id == run_id)
        .order_by(run_reference.c.first_place)
    )


def _store(work: UnitOfWork, run_id: str, field: str, found: Mapping[str, Meaning]) -> None:
    same = sa.and_(
        run_reference.c.run_id == run_id, run_reference.c.field == field, run_reference.c.text == sa.bindparam("t")
    )
    values = {"meaning": sa.bindparam("m"), "details": sa.bindparam("d", type_=run_reference.c.details.type)}
    rows = [{"t": text, "m": one.id, "d": dict(one.details or {})} for text, one in found.items()]
    work.execute(sa.update(run_reference).where(same).values(values), rows)


def _ask(field: str, texts: Sequence[str], unit_id: str, peers: Peers) -> list[Meaning]:
    found: list[Meaning] = []
    rest = iter(texts)
    while some := list(islice(rest, ASKED_AT_ONCE)):
        match _NAMES[field]:
            case "user":
                found += peers.match_users(some, unit_id)
            case "unit":
                found += peers.match_units(some, unit_id)
            case "product":
                found += peers.match_products(some)
            case _:
                found += peers.match_stages(some)
    return found


def _unknown(row: sa.Row[Any], meaning: Meaning, refused: bool) -> Finding:
    what = _NAMES[row.field]
    if refused:
        message, way_out = f"rows with {what} {row.text!r} are refused, as chosen", ""
    elif meaning.ambiguous:
        message = f"{what} {row.text!r} fits several {what}s"
        way_out = "choose which one is meant"
    else:
        message = f"there is no {what} {row.text!r}"
        near = (
            f"choose what it means ({', '.join(meaning.suggestions)}?)"
            if meaning.suggestions
            else "choose what it means"
        )
        way_out = f"{near}, make the {what} first, or choose to refuse its rows"
    return Finding(
        f"unknown_{what}",
        INFO if refused else ERROR,
        message,
        way_out,
        sheet=row.sheet or "",
        row=row.row or 0,
        column=row.column,
        value=row.text,
        count=row.times,
        suggestions=list(meaning.suggestions),
        row_only=refused,
    )


def load_meanings(work: UnitOfWork, run_id: str) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    """Every resolved text: (field, text) -> (id, details)."""
    rows = work.execute(sa.select(run_reference).where(run_reference.c.run_id == run_id))
    return {(row.field, row.text): (row.meaning, row.details) for row in rows}
