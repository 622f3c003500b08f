"""A check whose file is read by a process of its own stages, finds and ends as one that reads it itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import xlsxwriter

from chassis.access import ALL, IMPORT, Access, Grant
from chassis.database import Database
from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.jobs import Job, JobRunner
from chassis.migrate import migrate
from chassis.testing.postgres import fresh_database
from crm.contacts.v1 import contacts_pb2 as contacts
from imports import survey_apart
from imports.checking import check_run
from imports.files import CHUNK_BYTES, complete_file, create_file, store_chunk
from imports.peers import PeerServices
from imports.runs import CHECK_JOB, create_run
from imports.settings import MIGRATIONS, Settings
from imports.survey_apart import ReadingFell, SurveyApart
from imports.tables import finding, run, run_row
from imports.workbook import GUESSED_FROM
from units.tables import unit

HQ, USER = "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"
ACCESS = Access(USER, "Anna", HQ, (Grant(IMPORT, ALL),))
UNIT = {
    "id": HQ, "parent_id": None, "kind": "company", "code": "hq", "name": "hq", "path": "hq", "country_code": "RU",
    "area_code": "", "epoch": 1, "version": 1, "time_zone": "Europe/Moscow", "currency_code": "RUB",
}  # fmt: skip
COUNT = 2 * GUESSED_FROM + 321


class Alone(PeerServices):
    """No other service is there; a file that refers to nothing needs none."""

    @contextmanager
    def acting_for(self, user_id: str, action: str = "", records: str = "") -> Iterator[None]:
        """Act as nobody."""
        yield

    def read(self, service: str, method: str, request: Any) -> Any:
        """The company made no fields for itself."""
        return contacts.ListCustomerFieldsResponse()


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Persons with phones, days that are none, e-mails that are none, and rows without a name."""
    path: Path = tmp_path_factory.mktemp("check") / "persons.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Customers")
    sheet.write_row(0, 0, ("Number", "Full name", "Phone", "E-mail", "Birth date", "City"))
    for row in range(1, COUNT + 1):
        born = "31.02.1980" if row % 700 == 0 else f"{row % 28 + 1:02d}.03.1980"
        email = "nobody" if row % 900 == 0 else f"p{row}@example.com"
        name = None if row % 1000 == 0 else f'Anna "{row}"'
        sheet.write_row(row, 0, (row, name, f"8 (916) {row:07d}", email, born, "Москва"))
    sheet.write_row(COUNT + 1, 0, ("Total", None, None, None, None, None))
    book.close()
    return path.read_bytes()


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """The service's own database with one unit."""
    made = Database(fresh_database(postgres, "imports", lambda url: migrate(url, MIGRATIONS)), "imports")
    with made.transaction() as work:
        work.execute(sa.insert(unit), [UNIT])
    yield made
    made.close()


def begin(database: Database, content: bytes) -> Job:
    """Upload the file, begin a run that nobody looks at, and claim its check."""
    with database.transaction(ACCESS) as work:
        made = create_file(work, "persons.xlsx", len(content), len(content))
        for at in range(0, len(content), CHUNK_BYTES):
            store_chunk(work, made.id, at, content[at : at + CHUNK_BYTES])
        complete_file(work, made.id, "")
        create_run(
            work, file_id=made.id, kind_name="persons", unit_id=HQ, options={}, template_name="", source="test",
            choices=[], mapping=[], unattended=True,
        )  # fmt: skip
    claimed = JobRunner(database, {CHECK_JOB: lambda _: None}, lambda *_: None).claim()
    assert claimed is not None
    return claimed


def check(database: Database, job: Job) -> None:
    """Check the run of a job."""
    settings = Settings(database_url="")
    check_run(database, Alone(settings), settings, job)


def all_of(database: Database, job: Job) -> tuple[list[Any], ...]:
    """Every staged row, every finding, and what the run says, but for ids and times."""
    with database.transaction() as work:
        run_id = job.payload["run"]
        rows = work.execute(sa.select(run_row).where(run_row.c.run_id == run_id).order_by(run_row.c.place)).all()
        found = work.execute(sa.select(finding).where(finding.c.run_id == run_id).order_by(finding.c.number)).all()
        names = ("state", "mapping", "detected", "rows_read", "rows_skipped", "error_count", "warning_count", "blocked")
        told = work.execute(sa.select(*(run.c[name] for name in names)).where(run.c.id == run_id)).all()
    return [row[1:] for row in rows], [one[1:] for one in found], list(told)


def test_rows_findings_and_the_run_are_the_same(
    database: Database, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    for bound in (len(content) + 1, 0):
        monkeypatch.setattr(survey_apart, "APART_FROM_BYTES", bound)
        monkeypatch.setattr("os.cpu_count", lambda: 2)
        job = begin(database, content)
        check(database, job)
        seen.append(all_of(database, job))

    here, apart = seen
    assert apart == here
    assert len(here[0]) == COUNT
    assert {code for _number, code, *_ in here[1]} >= {"impossible_date", "not_an_email", "missing_value"}


def test_a_check_whose_reading_process_is_killed_is_done_again_from_the_beginning(
    database: Database, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey_apart, "APART_FROM_BYTES", len(content) + 1)
    expected_job = begin(database, content)
    check(database, expected_job)
    monkeypatch.setattr(survey_apart, "APART_FROM_BYTES", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    job = begin(database, content)
    with monkeypatch.context() as killing:
        heard: list[str] = []
        hear = SurveyApart._hear

        def hear_and_kill(survey: SurveyApart) -> list[Any]:
            said = hear(survey)
            heard.append(said[0])
            if heard.count("rows") == GUESSED_FROM // 100 + 5:
                survey._child.kill()
            return said

        killing.setattr(SurveyApart, "_hear", hear_and_kill)
        with pytest.raises(ReadingFell):
            check(database, job)

    check(database, job)

    assert all_of(database, job) == all_of(database, expected_job)
