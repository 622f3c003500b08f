"""The dry run: the whole file read, every row staged, every text resolved, every fate foretold, nothing changed."""

from __future__ import annotations

from contextlib import closing

import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from chassis.jobs import Job
from imports.batches import read_batches
from imports.fates import EXPECTED, count_fates, forget_fates, store_refused
from imports.files import local_copy
from imports.findings import ERROR, INFO, WARNING, Finding, Findings
from imports.foretelling import Foretelling
from imports.kept_findings import store_findings
from imports.kinds import KINDS
from imports.loading.context import LoadContext
from imports.own_fields import with_own_fields
from imports.peers import PeerServices
from imports.reading_in import stage_file
from imports.references import resolve_references
from imports.row_checks import check_quantities, refuse_mixed_currencies, refuse_unmeant, refused_values, require_fates
from imports.run_context import LOADERS, Check, load_context
from imports.runs import begin_load, change_run, forget_rows
from imports.scanning import scan_file
from imports.settings import Settings
from imports.staging import Staged
from imports.survey_apart import survey_file
from imports.tables import file, run, run_row
from imports.workbook import OpenedTable


def check_run(database: Database, peers: PeerServices, settings: Settings, job: Job) -> None:
    """Check a run from the beginning; a check that was cut off is simply done again."""
    with database.transaction() as work:
        found = work.execute(sa.select(run).where(run.c.id == job.payload["run"])).one()
        name = work.execute(sa.select(file.c.name).where(file.c.id == found.file_id)).scalar_one()
        forget_rows(work, found.id)
        job.save(work)
        change_run(work, found.id, state="inspecting", message="reads the file", progress=0.0, blocked=False)
    with peers.acting_for(found.user_id):
        kind = with_own_fields(database, peers, KINDS[found.kind], found.unit_id)
    check = Check(database, peers, settings, job, found, kind, Findings())
    with local_copy(database, found.file_id, name) as path:
        scan_file(path, settings.scan_command)
        with closing(survey_file(path, name, found.options)) as survey:
            staged, table, foretold = stage_file(check, survey)
    with peers.acting_for(found.user_id):
        check.tell(0.5, "asks what the names mean")
        for unknown in resolve_references(database, found.id, found.unit_id, _choices(check, staged), peers):
            check.findings.add(unknown, apart=unknown.value)  # each name is a question of its own
        refuse_unmeant(database, found.id)
        context = load_context(database, peers, found.id, dry_run=True)
        if found.kind == "deals":
            own = context.defaults.currency_code
            check.findings.extend(refuse_mixed_currencies(database, found.id, own))
        if found.kind in ("deals", "plans"):
            refused = refused_values(found.choices)
            check.findings.extend(check_quantities(database, found.id, context.meanings, refused, staged.percents))
        if check.foretells and not foretold and not check.findings.blocking:
            _foretell(check, context)
    _end_check(check, staged, table)


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
    if staged.rows == 0:
        check.findings.add(Finding("no_rows", ERROR, "the file has no data rows", "choose another sheet or file"))
    with check.database.transaction() as work:
        blocked = check.findings.blocking
        told = {
            "blocked": blocked,
            "expected": _expected(work, check),
            "rows_read": staged.rows,
            "rows_skipped": table.skipped(),
            "error_count": check.findings.count(ERROR),
            "warning_count": check.findings.count(WARNING),
        }
        store_findings(work, check.run.id, check.findings.worst_first())
        check.job.save(work)
        if check.run.unattended and not blocked:
            begin_load(work, check.run.id, **told)
            return
        message = "findings forbid the load" if blocked else "checked; waits for confirmation"
        change_run(work, check.run.id, **told, state="waiting", progress=1.0, message=message)


def _expected(work: UnitOfWork, check: Check) -> dict[str, int]:
    """Rows by the fate foretold; nothing where the load is forbidden or nothing was foretold."""
    if check.findings.blocking:
        forget_fates(work, check.run.id, EXPECTED)
        return {}
    if not check.foretells:
        return {}
    store_refused(work, check.run.id, EXPECTED)
    require_fates(work, check.run.id)
    return count_fates(work, check.run.id, EXPECTED)
