"""The job of an export: its rows are read page by page as its owner, then its file is written; resumable in between.

Each page is asked for with what the owner may export at that moment, and only while no freeze stops it: who is locked
out, or a unit that is frozen, ends the export within seconds. Memory: one page.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from chassis.access import EXPORT, Access
from chassis.audit.entries import ALARM, FILE, MOST_REASON, write_entry
from chassis.database import Database, UnitOfWork
from chassis.jobs import Job
from imports.errors import ExportTooLarge
from imports.exporting.asking import Heading, PageOfRows, find_list, read_report, read_rows
from imports.exporting.budget import charge_rows
from imports.exporting.storing import ASKED, QUEUED, READING, READY, WRITING, change_export, forget_content
from imports.exporting.writing import pieces_of, write_file
from imports.peers import PeerServices
from imports.settings import Settings
from imports.tables import export, export_page, export_piece
from units.freezing import refuse_frozen

PIECE_BYTES = 1_048_576
LOOK_AGAIN = 10.0  # seconds between two looks at rights and freezes while the file is written
UNDER_WAY = (QUEUED, READING, WRITING)


@dataclass
class Running:
    """One export at work."""

    database: Database
    peers: PeerServices
    settings: Settings
    job: Job
    export: Any
    headings: tuple[Heading, ...] = ()
    _looked: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """The export."""
        return str(self.export.id)

    def require_allowed(self) -> None:
        """Errors: NotPermitted for a freeze; SIGN_IN_REFUSED, NOT_PERMITTED for an owner who lost access or right."""
        with self.database.transaction() as work:
            refuse_frozen(work, self.export.unit_path, self.export.filters.get("unit_id", ""))
        with self.peers.acting_for(self.export.user_id, EXPORT, self.export.records):
            self._looked = time.monotonic()

    def look_again(self) -> None:
        """`require_allowed`, when the last look was a while ago; keeps the job as well."""
        if time.monotonic() - self._looked >= LOOK_AGAIN:
            self.require_allowed()
            with self.database.transaction() as work:
                self.job.save(work)


def run_export(database: Database, peers: PeerServices, settings: Settings, job: Job) -> None:
    """Read the rows and write the file, or ask a second person about them."""
    with database.transaction() as work:
        found = work.execute(sa.select(export).where(export.c.id == job.payload["export"])).one()
    if found.state not in UNDER_WAY:
        return
    running = Running(database, peers, settings, job, found)
    running.require_allowed()
    if not job.checkpoint.get("read"):
        _read_all(running)
    if job.checkpoint.get("asked"):
        return
    running.headings = tuple(Heading(**one) for one in job.checkpoint["headings"])
    _write(running)


def _read_all(running: Running) -> None:
    """Stage every page; beyond what may be taken they are only counted, so that who decides knows how many they are."""
    job = running.job
    while True:
        page = _read_page(running, job.checkpoint.get("token", ""))
        with running.database.transaction() as work:
            done = _keep_page(running, work, page)
        if done:
            return
        running.require_allowed()


def _read_page(running: Running, token: str) -> PageOfRows:
    one = running.export
    found = find_list(one.list)
    with running.peers.acting_for(one.user_id, EXPORT, one.records):
        if found is None:
            return read_report(running.peers, one.list, one.filters)
        columns = running.job.checkpoint.get("columns", one.columns)  # of the first page, whatever is made meanwhile
        return read_rows(running.peers, found, columns, one.filters, token)


def _keep_page(running: Running, work: UnitOfWork, page: PageOfRows) -> bool:
    """Store a page with the job's progress; True after the last one."""
    job, one = running.job, running.export
    number, rows = job.checkpoint.get("pages", 0), job.checkpoint.get("rows", 0) + len(page.rows)
    if rows > running.settings.export_most_rows:
        raise ExportTooLarge(
            f"the list has more than {running.settings.export_most_rows:,} rows; narrow it",
            metadata={"most": str(running.settings.export_most_rows)},
        )
    if rows > max(one.allowed_rows, one.budget_rows):
        forget_content(work, one.id)
    elif page.rows:
        work.execute(sa.insert(export_page).values(export_id=one.id, number=number, rows=page.rows))
    state = {"pages": number + 1, "rows": rows, "token": page.next_token, "columns": list(page.columns)}
    change_export(work, one.id, state=READING, row_count=rows, message=f"{rows:,} rows read")
    if page.next_token:
        job.save(work, **state)
        return False
    may_go = _may_go(work, one, rows)
    headings = [{"name": each.name, "type": each.type} for each in page.headings]
    job.save(work, **state, read=True, asked=not may_go, headings=headings)
    if not may_go:
        forget_content(work, one.id)
        message = f"{rows:,} rows are more than the budget; a second person has to agree"
        change_export(work, one.id, state=ASKED, row_count=rows, message=message)
        _tell(work, one, ALARM, "imports/LargeExport", f"{one.user_name} asks for {rows} rows of {one.list}")
    return True


def _may_go(work: UnitOfWork, one: Any, rows: int) -> bool:
    if rows <= one.allowed_rows:
        return True
    if not charge_rows(work, one.user_id, rows, one.budget_rows):
        return False
    change_export(work, one.id, charged=True, row_count=rows)
    return True


def _write(running: Running) -> None:
    one, database = running.export, running.database
    with database.transaction() as work:
        found = change_export(work, one.id, state=WRITING, message="the file is being written")
        running.job.save(work)
    facts = facts_of(found)
    with TemporaryDirectory(prefix="branchline-export-") as folder:
        path = Path(folder) / f"export.{one.format}"
        write_file(one.format, path, running.headings, _staged(running), facts)
        running.require_allowed()
        with database.transaction() as work:
            _store(running, work, path, found.row_count)


def _staged(running: Running) -> Iterator[list[str]]:
    """The rows that were read, in their order."""
    question = sa.select(export_page.c.rows).where(export_page.c.export_id == running.id)
    for number in range(running.job.checkpoint["pages"]):
        running.look_again()
        with running.database.transaction() as work:
            rows = work.execute(question.where(export_page.c.number == number)).scalar()
        yield from rows or ()


def _store(running: Running, work: UnitOfWork, path: Path, rows: int) -> None:
    """Keep the file until its time is over, and say in the trail that it is there."""
    one = running.export
    forget_content(work, one.id)
    for position, piece in pieces_of(path, PIECE_BYTES):
        work.execute(sa.insert(export_piece).values(export_id=one.id, position=position, data=piece))
    _tell(work, one, FILE, "imports/Export", f"{rows} rows of {one.list} as {one.format}")
    change_export(
        work,
        one.id,
        state=READY,
        message=f"{rows:,} rows",
        size_bytes=path.stat().st_size,
        end_time=work.now,
        expire_time=work.now + timedelta(days=running.settings.export_days),
    )
    running.job.save(work)


def _tell(work: UnitOfWork, one: Any, action: str, method: str, reason: str) -> None:
    """Say in the trail what the owner does by this job; an alarm is shown to whoever audits the owner's unit."""
    owner = Access(one.user_id, one.user_name, one.unit_id or "", unit_path=one.unit_path)
    write_entry(
        work, action, method, "export", [one.id], by=owner, unit_path=one.unit_path, reason=reason[:MOST_REASON]
    )


def facts_of(found: Any) -> list[tuple[str, str]]:
    """The mark of an export: who took what, when, by which request, how many rows, and who agreed."""
    return [
        ("by", f"{found.user_name} ({found.user_id})"),
        ("at", found.create_time.strftime("%Y-%m-%d %H:%M:%S UTC")),
        ("export", found.id),
        ("list", found.list),
        ("conditions", ", ".join(f"{name}={text}" for name, text in sorted(found.filters.items()))),
        ("rows", str(found.row_count)),
        ("agreed by", f"{found.decider_name} ({found.decider_id})" if found.decider_id else ""),
    ]
