"""The dry run: the whole file read, every row staged, every text resolved, every fate foretold, nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from chassis.jobs import Job
from imports.batches import Batch, StagedRow, read_batches
from imports.fates import EXPECTED, count_fates, forget_fates, store_refused
from imports.files import local_copy
from imports.findings import ERROR, INFO, WARNING, Finding, Findings, store_findings
from imports.foretelling import LOOKED_UP, Foretelling
from imports.kinds import ATTRIBUTE, KINDS, FieldType, Kind
from imports.loading.context import LoadContext, Loader
from imports.loading.customers import load_interactions, load_organizations, load_persons
from imports.loading.people import load_employees
from imports.loading.selling import load_deals, load_plans, load_products
from imports.mapping import propose_mapping
from imports.peers import PeerServices
from imports.records import BranchDefaults, MappedColumn, RecordReader
from imports.references import load_meanings, resolve_references
from imports.row_checks import check_quantities, refuse_unmeant, refused_values, require_fates
from imports.runs import Pace, change_run, forget_rows, mark_progress
from imports.settings import Settings
from imports.staging import Staged, stage_rows
from imports.tables import file, run, run_row
from imports.workbook import OpenedTable, open_table
from units.tables import unit as unit_table

LOADERS: Mapping[str, Loader] = {
    "persons": load_persons,
    "organizations": load_organizations,
    "interactions": load_interactions,
    "deals": load_deals,
    "products": load_products,
    "plans": load_plans,
    "employees": load_employees,
}
MARKED_EVERY = 0.5  # seconds between progress marks


@dataclass
class Check:
    """One dry run at work."""

    database: Database
    peers: PeerServices
    settings: Settings
    job: Job
    run: Any
    findings: Findings
    pace: Pace = field(default_factory=Pace)

    def tell(self, share: float, message: str, work: UnitOfWork | None = None) -> None:
        """Mark progress, and keep the job's lease."""
        if work is None:
            with self.database.transaction() as work:
                self.tell(share, message, work)
            return
        self.job.save(work)
        mark_progress(work, self.run.id, share, message, self.pace.is_due())


def check_run(database: Database, peers: PeerServices, settings: Settings, job: Job) -> None:
    """Check a run from the beginning; a check that was cut off is simply done again."""
    with database.transaction() as work:
        found = work.execute(sa.select(run).where(run.c.id == job.payload["run"])).one()
        name = work.execute(sa.select(file.c.name).where(file.c.id == found.file_id)).scalar_one()
        forget_rows(work, found.id)
        job.save(work)
        change_run(work, found.id, state="inspecting", message="reads the file", progress=0.0, blocked=False)
    check = Check(database, peers, settings, job, found, Findings())
    with local_copy(database, found.file_id, name) as path, closing(open_table(path, name, found.options)) as table:
        staged, foretold = _stage(check, table)
    with peers.acting_for(found.user_id):
        check.tell(0.5, "asks what the names mean")
        for unknown in resolve_references(database, found.id, found.unit_id, _choices(check, staged), peers):
            check.findings.add(unknown, apart=unknown.value)  # each name is a question of its own
        refuse_unmeant(database, found.id)
        context = load_context(database, peers, found.id, dry_run=True)
        if found.kind in ("deals", "plans"):
            refused = refused_values(found.choices)
            check.findings.extend(check_quantities(database, found.id, context.meanings, refused, staged.percents))
        if not foretold and not check.findings.blocking:
            _foretell(check, context)
    _end_check(check, staged, table)


def load_context(database: Database, peers: PeerServices, run_id: str, dry_run: bool) -> LoadContext:
    """What loading (or foretelling) a run needs to know."""
    with database.transaction() as work:
        found = work.execute(sa.select(run).where(run.c.id == run_id)).one()
        name = work.execute(sa.select(file.c.name).where(file.c.id == found.file_id)).scalar_one()
        return LoadContext(
            run_id,
            found.kind,
            found.unit_id,
            found.source,
            name,
            _defaults(work, found.unit_id),
            load_meanings(work, run_id),
            peers,
            dry_run,
            choices={(one["field"], one["text"]): one["meaning"] for one in found.choices if one["meaning"]},
        )


def _defaults(work: UnitOfWork, unit_id: str) -> BranchDefaults:
    row = work.execute(sa.select(unit_table).where(unit_table.c.id == unit_id)).one()
    return BranchDefaults(row.country_code, row.area_code, row.currency_code, row.time_zone)


def _stage(check: Check, table: OpenedTable) -> tuple[Staged, bool]:
    """Stage every row; tells too whether the fates were foretold on the way."""
    kind = KINDS[check.run.kind]
    given = [one for one in check.run.mapping if one.get("origin") in ("choice", "template")]
    mapping = propose_mapping(kind, table.columns, given)
    with check.database.transaction() as work:
        defaults = _defaults(work, check.run.unit_id)
        changed = {"mapping": mapping, "detected": table.detected, "state": "checking", "message": "checks every row"}
        change_run(work, check.run.id, **changed)
    reader = RecordReader(kind, _mapped(kind, table, mapping), defaults, refused_values(check.run.choices))
    check.findings.extend(table.findings)
    check.findings.extend(_unmapped(kind, mapping))
    on_the_way = _refers_to_nothing(reader) and not check.findings.blocking
    staged = _stage_and_foretell(check, table, reader) if on_the_way else _stage_only(check, table, reader)
    check.findings.extend(table.findings_after())
    check.findings.extend(staged.findings.worst_first())
    if reader.dates:
        with check.database.transaction() as work:
            days = {"first_date": min(reader.dates), "last_date": max(reader.dates)}
            work.execute(sa.update(run).where(run.c.id == check.run.id).values(**days))
    return staged, on_the_way


def _refers_to_nothing(reader: RecordReader) -> bool:
    """Whether each row can be compared with the base as soon as it is read."""
    fields = (column.field for column in reader.columns if column.field is not None)
    return reader.kind.name in LOOKED_UP and all(field.type is not FieldType.REFERENCE for field in fields)


def _stage_only(check: Check, table: OpenedTable, reader: RecordReader) -> Staged:
    tell = _paced(check, max(table.expected_rows, 1), 0.5)
    return stage_rows(check.database, check.run.id, reader, table.rows(), tell)


def _stage_and_foretell(check: Check, table: OpenedTable, reader: RecordReader) -> Staged:
    """Two things at once: while rows are read and stored, those before them are compared with the base."""
    context = load_context(check.database, check.peers, check.run.id, dry_run=True)
    tell = _paced(check, max(table.expected_rows, 1), 1.0)
    load = LOADERS[check.run.kind]
    with Foretelling(
        check.database, context, load, check.run.user_id, lambda work, _: check.job.save(work)
    ) as foretelling:

        def ask(rows: Sequence[StagedRow]) -> None:
            for start in range(0, len(rows), check.settings.batch_rows):
                records = [[row] for row in rows[start : start + check.settings.batch_rows]]
                foretelling.ask(Batch(records, records[-1][0].place))

        staged = stage_rows(check.database, check.run.id, reader, table.rows(), tell, ask)
    check.findings.extend(foretelling.findings.worst_first())
    return staged


def _paced(check: Check, expected: int, share: float) -> Callable[[UnitOfWork, int], None]:
    pace = Pace(MARKED_EVERY)

    def tell(work: UnitOfWork, rows: int) -> None:
        if pace.is_due():
            check.tell(min(rows / expected, 1.0) * share, f"{rows:,} rows checked", work)

    return tell


def _mapped(kind: Kind, table: OpenedTable, mapping: list[dict[str, Any]]) -> list[MappedColumn]:
    columns = []
    for place, one in enumerate(mapping):
        if one["field"] == ATTRIBUTE:
            columns.append(MappedColumn(place, one["column"], None))
        elif one["field"]:
            columns.append(MappedColumn(place, one["column"], kind.field(one["field"]), table.forms[place]))
    return columns


def _unmapped(kind: Kind, mapping: list[dict[str, Any]]) -> list[Finding]:
    """Required fields that no column feeds keep the file from loading."""
    fed = {one["field"] for one in mapping}
    groups = [(one.name,) for one in kind.fields if one.required] + list(kind.needs)
    return [
        Finding(
            "field_not_mapped",
            ERROR,
            f"no column was found for {' or '.join(names)}",
            f"choose the column; the file has {', '.join(one['column'] for one in mapping)}"[:500],
        )
        for names in groups
        if not fed.intersection(names)
    ]


def _choices(check: Check, staged: Staged) -> list[dict[str, str]]:
    """The run's choices; a deals file without stages lists sales: its rows are won unless a choice says otherwise."""
    choices: list[dict[str, str]] = list(check.run.choices)
    if check.run.kind == "deals" and not staged.fields["stage"] and staged.rows > staged.refused:
        meaning = next((one["meaning"] for one in choices if one["field"] == "stage" and one["text"] == ""), "Won")
        with check.database.transaction() as work:
            work.execute(
                sa.text(
                    'INSERT INTO run_reference (run_id, field, text, times, first_place, "column")'
                    " VALUES (:run, 'stage', '', :count, 1, '')"
                ),
                {"run": check.run.id, "count": staged.rows},
            )
        choices = [one for one in choices if (one["field"], one["text"]) != ("stage", "")]
        choices.append({"field": "stage", "text": "", "meaning": meaning})
        message = f"the file has no stage column: its rows are taken as deals in stage {meaning!r}"
        check.findings.add(Finding("no_stage_column", INFO, message, "choose another stage for the empty text if not"))
    return choices


def _foretell(check: Check, context: LoadContext) -> None:
    """Ask the owning service for the fate of every record, without a change."""
    with check.database.transaction() as work:
        total = work.execute(sa.select(sa.func.count()).where(run_row.c.run_id == check.run.id)).scalar_one()

    def tell(work: UnitOfWork, done: int) -> None:
        check.tell(0.5 + 0.5 * done / max(total, 1), f"{done:,} of {total:,} rows compared with the base", work)

    with Foretelling(check.database, context, LOADERS[check.run.kind], check.run.user_id, tell) as foretelling:
        for batch in read_batches(check.database, check.run.id, 0, check.settings.batch_rows):
            foretelling.ask(batch)
    check.findings.extend(foretelling.findings.worst_first())


def _end_check(check: Check, staged: Staged, table: OpenedTable) -> None:
    with check.database.transaction() as work:
        if check.findings.blocking:
            forget_fates(work, check.run.id, EXPECTED)
        else:
            store_refused(work, check.run.id, EXPECTED)
            require_fates(work, check.run.id)
        counts = count_fates(work, check.run.id, EXPECTED)
        if staged.rows == 0:
            check.findings.add(Finding("no_rows", ERROR, "the file has no data rows", "choose another sheet or file"))
        store_findings(work, check.run.id, check.findings.worst_first())
        blocked = check.findings.blocking
        check.job.save(work)
        change_run(
            work,
            check.run.id,
            state="waiting",
            blocked=blocked,
            expected={} if blocked else counts,
            rows_read=staged.rows,
            rows_skipped=table.skipped(),
            progress=1.0,
            error_count=check.findings.count(ERROR),
            warning_count=check.findings.count(WARNING),
            message="findings forbid the load" if blocked else "checked; waits for confirmation",
        )
