"""How interactions of files are taken over: each once by its number, with its original time and author."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import IMPORT
from chassis.database import UnitOfWork
from chassis.errors import FieldInvalid
from chassis.ids import new_id
from contacts.deciding import CREATED, MERGED, REFUSED, UNCHANGED, UPDATED
from contacts.drafts import Batch, Origin
from contacts.errors import invalid
from contacts.fields import EXTERNAL_ID, read_text, words_of
from contacts.importing import FATES, origin_of, read_batch
from contacts.interactions import read_interaction, say_logged
from contacts.keys import digest_of
from contacts.queries import ids
from contacts.recording import PROVENANCE, provenance_row
from contacts.tables import interaction, organization, person, provenance
from crm.contacts.v1 import contacts_pb2 as pb
from units.merges import find_survivors
from units.records import INTERACTION
from units.tables import unit

COMPARED = ("kind", "occur_time", "author_id", "author_name", "person_id", "organization_id", "summary", "outcome")


def import_interactions(work: UnitOfWork, request: pb.ImportInteractionsRequest) -> pb.ImportInteractionsResponse:
    """Take over a batch of interactions. Errors: FieldInvalid, UnitNotKnown, NotPermitted."""
    batch = read_batch(work, request)
    with _trying(work, request.dry_run):
        read = [_read(row, request, batch) for row in request.rows]
        _refuse_unknown(work, read)
        _refuse_foreign(work, read)
        wanted = [one for one in read if isinstance(one, dict)]
        first: dict[str, dict[str, Any]] = {}
        for one in wanted:
            first.setdefault(one["external_id"], one)
        fates = _store(work, first, batch)
        _keep_origins(work, first, fates, batch)
        answers = [_fate(one, first, fates, request.dry_run) for one in read]
    return pb.ImportInteractionsResponse(fates=answers)


@contextmanager
def _trying(work: UnitOfWork, dry_run: bool) -> Iterator[None]:
    """Run the block as it is, or undo all it did, events included, where nothing is meant to change."""
    if not dry_run:
        yield
        return
    savepoint = work.connection.begin_nested()
    yield
    savepoint.rollback()
    work.events.clear()


def _read(row: pb.InteractionRow, request: Any, batch: Batch) -> dict[str, Any] | pb.RowFate:
    try:
        number = read_text("external_id", row.external_id, EXTERNAL_ID)
        if not number:
            raise invalid("external_id", "is empty; give the row's number or a fingerprint", "MISSING")
        if not row.interaction.HasField("occur_time"):
            raise invalid("interaction.occur_time", "is missing", "MISSING")
        values = read_interaction(row.interaction, batch.now)
        origin = origin_of(row, request, batch)
    except FieldInvalid as trouble:
        reason, message = words_of(trouble)
        return _refused(reason, message)
    unit_id = row.interaction.unit_id or batch.unit.id
    more = {"id": new_id(), "unit_id": unit_id, "create_time": batch.now}
    return values | more | {"source": batch.source, "external_id": number, "origin": origin}


def _refused(reason: str, message: str) -> pb.RowFate:
    return pb.RowFate(fate=FATES[REFUSED], reason=reason, message=message)


def _refuse_unknown(work: UnitOfWork, read: list[dict[str, Any] | pb.RowFate]) -> None:
    """Put a refusal in the place of rows whose customer has no card; the id of a merged card means its survivor."""
    for table, name in ((person, "person_id"), (organization, "organization_id")):
        asked = {one[name] for one in read if isinstance(one, dict) and one[name]}
        survivors = find_survivors(work, asked)
        current = {*survivors.values(), *asked}
        here = sa.select(table.c.id).where(table.c.id == sa.any_(ids(current)))
        known = set(work.execute(here.with_for_update(read=True, key_share=True)).scalars())
        for at, one in enumerate(read):
            if isinstance(one, dict) and one[name]:
                one[name] = survivors.get(one[name], one[name])
            if isinstance(one, dict) and one[name] and one[name] not in known:
                read[at] = _refused(f"{table.name}_not_found", f"There is no {table.name} {one[name]}.")


def _refuse_foreign(work: UnitOfWork, read: list[dict[str, Any] | pb.RowFate]) -> None:
    """Put a refusal in the place of rows of units where the caller may not import; the others get their unit's path."""
    asked = {one["unit_id"] for one in read if isinstance(one, dict)}
    known = sa.select(unit.c.id, unit.c.path).where(unit.c.id == sa.any_(ids(asked)))
    paths = {row.id: row.path for row in work.execute(known) if work.access.allows_in(IMPORT, row.path, INTERACTION)}
    for at, one in enumerate(read):
        if isinstance(one, dict) and one["unit_id"] not in paths:
            read[at] = _refused("unit_not_permitted", f"You may not import into the unit {one['unit_id'][:50]!r}.")
        elif isinstance(one, dict):
            one["unit_path"] = paths[one["unit_id"]]


def _store(work: UnitOfWork, rows: dict[str, dict[str, Any]], batch: Batch) -> dict[str, str]:
    """Insert what is new, change what differs; the fate of each number. Rows get the id they are stored under."""
    made = _insert(work, list(rows.values()))
    fates = {number: CREATED for number in rows if rows[number]["id"] in made}
    changed = []
    for known in _lock_known(work, [number for number in rows if number not in fates], batch):
        row = rows[known["external_id"]]
        differs = any(row[name] != known[name] for name in COMPARED)
        row |= {"id": known["id"], "version": known["version"] + differs, "unit_id": known["unit_id"]}
        fates[known["external_id"]] = UPDATED if differs else UNCHANGED
        changed += [row] if differs else []
    if changed:
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in (*COMPARED, "version")}
        work.execute(
            sa.update(interaction).where(interaction.c.id == sa.bindparam("known")).values(values),
            [{"known": row["id"], **{f"new_{name}": row[name] for name in (*COMPARED, "version")}} for row in changed],
        )
    say_logged(work, [row for number, row in rows.items() if fates[number] != UNCHANGED])
    return fates


def _insert(work: UnitOfWork, rows: Sequence[dict[str, Any]]) -> set[str]:
    """The ids of the rows that were not there; a twin in another transaction is waited for."""
    if not rows:
        return set()
    names = [column.name for column in interaction.c]
    plain = [{name: row[name] for name in names} for row in sorted(rows, key=lambda one: str(one["external_id"]))]
    statement = insert(interaction).on_conflict_do_nothing().returning(interaction.c.id)
    return set(work.execute(statement, plain).scalars())


def _lock_known(work: UnitOfWork, numbers: list[str], batch: Batch) -> Sequence[Any]:
    if not numbers:
        return []
    c = interaction.c
    known = sa.select(interaction).where(c.source == batch.source, c.external_id.in_(numbers), c.external_id != "")
    return work.execute(known.order_by(c.id).with_for_update()).mappings().all()


def _keep_origins(work: UnitOfWork, rows: dict[str, dict[str, Any]], fates: dict[str, str], batch: Batch) -> None:
    kept = [
        _origin_row(row, row["origin"], fates[number], batch)
        for number, row in rows.items()
        if fates[number] != UNCHANGED
    ]  # fmt: skip
    work.copy_rows(provenance, PROVENANCE, kept)


def _origin_row(row: dict[str, Any], origin: Origin, fate: str, batch: Batch) -> tuple[Any, ...]:
    said = digest_of(*(str(row[name]) for name in COMPARED))
    return provenance_row(row["id"], row["external_id"], said, origin, fate, [], batch)


def _fate(
    one: dict[str, Any] | pb.RowFate, first: dict[str, dict[str, Any]], fates: dict[str, str], dry_run: bool
) -> pb.RowFate:
    if isinstance(one, pb.RowFate):
        return one
    stored = first[one["external_id"]]
    fate = fates[one["external_id"]]
    if stored is not one:
        if any(stored[name] != one[name] for name in COMPARED):
            return _refused(
                "external_id_repeated", f"Number {one['external_id']!r} stands twice with different values."
            )
        fate = UNCHANGED if fate in (UNCHANGED, UPDATED) else MERGED
    made = dry_run and fate == CREATED
    return pb.RowFate(
        fate=FATES[fate], record_id="" if made else stored["id"], organization_id=one["organization_id"] or ""
    )
