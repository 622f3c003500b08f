"""A run's life: made over a file, checked, changed while it waits, confirmed, ended. Never reads the file itself."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from chassis.access import IMPORT
from chassis.database import UnitOfWork
from chassis.errors import DomainError, FieldInvalid, FieldViolation, StaleEtag
from chassis.ids import is_id, new_id
from chassis.jobs import add_job, cancel_job
from imports.errors import MappingInvalid, RunBlocked, RunEnded, RunNotFound, RunNotWaiting
from imports.events import add_progress_event, add_run_event
from imports.files import get_file
from imports.kinds import ATTRIBUTE, KINDS, OWN, RECORD_TYPES, Kind
from imports.tables import finding, run, run_fate, run_reference, run_row
from imports.templates import NEWEST, get_template
from units.records import RUN
from units.tables import unit as unit_table
from units.visibility import get_unit, visible

CHECK_JOB, LOAD_JOB = "check", "load"
WORKING = frozenset({"queued", "inspecting", "checking", "loading", "undoing"})
ENDED = frozenset({"finished", "failed", "cancelled", "undoing", "undone"})
TOLD_EVERY = 1.0  # seconds between the events of one run's progress
Json = dict[str, Any]


def create_run(
    work: UnitOfWork,
    *,
    file_id: str,
    kind_name: str,
    unit_id: str,
    options: Json,
    template_name: str,
    template_version: int = NEWEST,
    source: str,
    choices: Sequence[Json],
    mapping: Sequence[Json],
    unattended: bool = False,
) -> sa.Row[Any]:
    """Start a run; it is queued for checking.

    An `unattended` one goes on to its load by itself where nothing forbids it.

    Errors: FileNotFound, TemplateNotFound, UnitNotKnown, NotPermitted, FieldInvalid.
    """
    kind = KINDS.get(kind_name)
    if kind is None:
        raise FieldInvalid(FieldViolation("kind", f"is {kind_name!r}; use one of {', '.join(KINDS)}"))
    unit = get_unit(work, unit_id, IMPORT, kind.records)
    found = get_file(work, file_id)
    if not found.complete:
        raise FieldInvalid(FieldViolation("file_id", "the upload has not ended; complete the file first"))
    values: Json = {
        "id": new_id(),
        "file_id": file_id,
        "kind": kind.name,
        "unit_id": unit.id,
        "user_id": work.access.user_id,
        "source": source or unit.id,
        "state": "queued",
        "options": options,
        "mapping": _given_columns(kind, mapping),
        "choices": list(choices),
        "unattended": unattended,
        "create_time": work.now,
        "message": "waits to be read",
    }
    if template_name:
        values |= _from_template(work, kind, template_name, template_version, values)
    elif template_version:
        raise FieldInvalid(FieldViolation("template_version", "says nothing without template_name; name the template"))
    values["job_id"] = add_job(work, CHECK_JOB, {"run": values["id"]})
    return work.execute(sa.insert(run).values(values).returning(run)).one()


def _from_template(work: UnitOfWork, kind: Kind, name: str, version: int, given: Json) -> Json:
    saved = get_template(work, kind.name, name, version)
    own = {column["column"] for column in given["mapping"]}
    from_saved = [{**column, "origin": "template"} for column in saved.mapping if column["column"] not in own]
    return {
        "template_name": saved.name,
        "template_version": saved.version,
        "mapping": [*given["mapping"], *from_saved],
        "options": {**saved.options, **given["options"]},
        "choices": _merged(saved.choices, given["choices"], ("field", "text")),
    }


def get_run(work: UnitOfWork, run_id: str, lock: bool = False) -> sa.Row[Any]:
    """A run the caller may see. Errors: RunNotFound."""
    if is_id(run_id):
        question = sa.select(run).where(run.c.id == run_id, may_see(work))
        row = work.execute(question.with_for_update() if lock else question).one_or_none()
        if row is not None:
            return row
    raise RunNotFound(f"there is no run {run_id!r} you may see", metadata={"run": run_id})


def may_see(work: UnitOfWork) -> sa.ColumnElement[bool]:
    """The one filter of runs: those of visible units and the caller's own."""
    return visible(work.access, RUN, run.c.unit_id, run.c.user_id)


def update_run(work: UnitOfWork, run_id: str, etag: str, changes: Mapping[str, Any]) -> sa.Row[Any]:
    """Change options, mapping, choices or source of a run that waits; it is checked again.

    Errors: RunNotFound, RunNotWaiting, MappingInvalid, StaleEtag, NotPermitted.
    """
    found = get_own_run(work, run_id, etag)
    if found.state not in ("waiting", "failed") or found.state == "failed" and found.actual:
        raise RunNotWaiting(
            f"the run is {found.state}; only one that waits can be changed", metadata={"state": found.state}
        )
    values: Json = {}
    if "options" in changes:
        values["options"] = {**found.options, **changes["options"]}
    if "mapping" in changes:
        given = _given_columns(KINDS[found.kind], changes["mapping"])
        unknown = {one["column"] for one in given} - {one["column"] for one in found.mapping}
        if unknown:
            raise MappingInvalid(f"the file has no column {', '.join(map(repr, sorted(unknown)))}")
        chosen = _merged([one for one in found.mapping if one["origin"] in ("choice", "template")], given, ("column",))
        values["mapping"] = chosen
    if "choices" in changes:
        values["choices"] = _merged(found.choices, changes["choices"], ("field", "text"))
    if changes.get("source"):
        values["source"] = changes["source"]
    job_id = add_job(work, CHECK_JOB, {"run": run_id})
    return change_run(
        work,
        run_id,
        **values,
        state="queued",
        job_id=job_id,
        blocked=False,
        unattended=False,  # somebody looks at it now
        end_time=None,
        message="waits to be read",
    )


def confirm_run(work: UnitOfWork, run_id: str, etag: str) -> sa.Row[Any]:
    """Let a checked run load. Errors: RunNotFound, RunNotWaiting, RunBlocked, StaleEtag, NotPermitted."""
    found = get_own_run(work, run_id, etag)
    if found.state in ("loading", "finished"):
        return found  # confirmed before: the same answer once more
    if found.state != "waiting":
        raise RunNotWaiting(
            f"the run is {found.state}; only a checked one can be confirmed", metadata={"state": found.state}
        )
    if found.blocked:
        raise RunBlocked(
            f"{found.error_count} findings forbid the load; mend the file, the mapping or say what the values mean",
            metadata={"errors": str(found.error_count)},
        )
    return begin_load(work, run_id)


def begin_load(work: UnitOfWork, run_id: str, **values: Any) -> sa.Row[Any]:
    """Queue the load of a run that was checked and that nothing forbids to load."""
    job_id = add_job(work, LOAD_JOB, {"run": run_id})
    changed = {**values, "state": "loading", "job_id": job_id, "progress": 0.0, "message": "waits to be loaded"}
    return change_run(work, run_id, **changed)


def cancel_run(work: UnitOfWork, run_id: str) -> sa.Row[Any]:
    """End a run; what is loaded stays. Errors: RunNotFound, RunEnded, NotPermitted."""
    found = get_own_run(work, run_id, "")
    if found.state in ENDED:
        raise RunEnded(f"the run is {found.state} already")
    if found.job_id:
        cancel_job(work, found.job_id)
    return change_run(work, run_id, state="cancelled", end_time=work.now, message="ended by a user")


def fail_run(work: UnitOfWork, run_id: str, trouble: DomainError) -> None:
    """Record that a run could not go on, with the reason a person can act on."""
    change_run(work, run_id, state="failed", end_time=work.now, message=trouble.message)


def change_run(work: UnitOfWork, run_id: str, **values: Any) -> sa.Row[Any]:
    """Change a run and say so to others where its state matters to them."""
    changed = sa.update(run).where(run.c.id == run_id).values(version=run.c.version + 1, **values)
    row = work.execute(changed.returning(run)).one()
    if "state" in values:
        add_run_event(work, row, _path_of(work, row.unit_id))
    return row


def mark_progress(work: UnitOfWork, run_id: str, share: float, message: str, told: bool) -> None:
    """Store how far a run is, 0 to 1; `told` says so to others as well, see `Pace`."""
    if not told:
        work.execute(sa.update(run).where(run.c.id == run_id).values(progress=share, message=message))
        return
    row = change_run(work, run_id, progress=share, message=message)
    add_progress_event(work, row, _path_of(work, row.unit_id))


class Pace:
    """When something is due: at once, then at most once in so many seconds, so that a fast run floods nobody."""

    def __init__(self, seconds: float = TOLD_EVERY) -> None:
        self._seconds, self._next = seconds, 0.0

    def is_due(self) -> bool:
        """Whether it is now; the next span begins when so."""
        now = time.monotonic()
        due = now >= self._next
        if due:
            self._next = now + self._seconds
        return due


def forget_rows(work: UnitOfWork, run_id: str) -> None:
    """Drop what an earlier check left: rows, references, findings and expected fates."""
    for table in (run_row, run_reference, finding, run_fate):
        work.execute(sa.delete(table).where(table.c.run_id == run_id))


def _path_of(work: UnitOfWork, unit_id: str) -> str:
    return work.execute(sa.select(unit_table.c.path).where(unit_table.c.id == unit_id)).scalar() or ""


def get_own_run(work: UnitOfWork, run_id: str, etag: str = "") -> sa.Row[Any]:
    """A run, locked, in whose unit the caller may import. Errors: RunNotFound, NotPermitted, StaleEtag."""
    found = get_run(work, run_id, lock=True)
    get_unit(work, found.unit_id, IMPORT, KINDS[found.kind].records)
    if etag and etag != str(found.version):
        raise StaleEtag("the run changed since you read it; read it again", metadata={"etag": str(found.version)})
    return found


def _given_columns(kind: Kind, mapping: Iterable[Json]) -> list[Json]:
    """Columns set by a person. Errors: MappingInvalid for an unknown field or one used twice."""
    columns = [{"column": one["column"], "field": one.get("field", ""), "origin": "choice"} for one in mapping]
    used: set[str] = set()
    for one in columns:
        name = one["field"]
        known = kind.field(name)
        is_own = kind.name in RECORD_TYPES and name.startswith(OWN)  # the check knows which there are
        if name and name != ATTRIBUTE and known is None and not is_own:
            fields = ", ".join(each.name for each in kind.fields)
            raise MappingInvalid(f"{kind.name} has no field {name!r} for column {one['column']!r}; it has {fields}")
        if (is_own or known is not None and not known.repeats) and name in used:
            raise MappingInvalid(f"field {name!r} is fed by two columns; leave one of them out")
        used.add(name)
    return columns


def _merged(old: Iterable[Json], new: Iterable[Json], keys: tuple[str, ...]) -> list[Json]:
    found = {tuple(one[key] for key in keys): one for one in old}
    found |= {tuple(one[key] for key in keys): one for one in new}
    return list(found.values())
