"""Migrations run once, however many processes start at once."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from chassis.embedded_postgres_server import EmbeddedPostgres
from chassis.migrate import has_revision, migrate
from chassis.testing.eventually import eventually
from chassis.testing.postgres import fresh_database

ENVIRONMENT = "from chassis.migrate import run_environment\n\nrun_environment()\n"
STEP = """
from alembic import op

revision, down_revision = {number!r}, {before!r}

def upgrade():
    {act}
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder of migrations whose two steps show when they run twice or side by side."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(ENVIRONMENT)
    add_step(tmp_path, 1, "op.execute('CREATE TABLE ran (step int); SELECT pg_sleep(0.3); INSERT INTO ran VALUES (1)')")
    add_step(tmp_path, 2, "op.execute('INSERT INTO ran VALUES (2)')")
    return tmp_path


def add_step(scripts: Path, number: int, act: str) -> None:
    before = str(number - 1) if number > 1 else None
    (scripts / "versions" / f"{number}.py").write_text(STEP.format(number=str(number), before=before, act=act))


def steps_run(url: str) -> list[int]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = list(connection.execute(sa.text("SELECT step FROM ran ORDER BY step")).scalars())
    engine.dispose()
    return found


def test_four_processes_at_once_run_each_step_once(postgres: EmbeddedPostgres, scripts: Path) -> None:
    url = fresh_database(postgres, "migrate")
    code = "import sys, pathlib; from chassis.migrate import migrate; migrate(sys.argv[1], pathlib.Path(sys.argv[2]))"
    processes = [subprocess.Popen([sys.executable, "-c", code, url, str(scripts)]) for _ in range(4)]
    assert [process.wait(100) for process in processes] == [0, 0, 0, 0]
    assert steps_run(url) == [1, 2]


def test_a_step_that_fails_changes_nothing_and_frees_the_others(postgres: EmbeddedPostgres, scripts: Path) -> None:
    url = fresh_database(postgres, "migrate")
    add_step(scripts, 3, "op.execute('INSERT INTO ran VALUES (3); SELECT 1/0')")
    with pytest.raises(sa.exc.DataError):
        migrate(url, scripts)
    assert steps_run(url) == [1, 2]
    add_step(scripts, 3, "op.execute('INSERT INTO ran VALUES (3)')")
    migrate(url, scripts)
    migrate(url, scripts)
    assert steps_run(url) == [1, 2, 3]


def test_a_step_lets_others_through_while_it_waits_for_a_table(postgres: EmbeddedPostgres, scripts: Path) -> None:
    url = fresh_database(postgres, "migrate")
    migrate(url, scripts)
    add_step(scripts, 3, "op.execute('ALTER TABLE ran ADD COLUMN note text; INSERT INTO ran VALUES (3)')")
    engine = sa.create_engine(url)
    with ThreadPoolExecutor(1) as pool, engine.connect() as long_reader, engine.connect() as others:
        long_reader.execute(sa.text("SELECT * FROM ran"))
        migrating = pool.submit(migrate, url, scripts)
        eventually(lambda: waits_for_a_lock(others))
        others.execute(sa.text("SET lock_timeout = '8s'"))  # four times what a step may keep others waiting
        assert others.execute(sa.text("SELECT count(*) FROM ran")).scalar_one() == 2
        others.rollback()
        assert not migrating.done()
        long_reader.rollback()
        migrating.result(60)
    engine.dispose()
    assert steps_run(url) == [1, 2, 3]


def waits_for_a_lock(connection: sa.Connection) -> bool:
    """Whether anybody waits for a table of this database."""
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'ran'::regclass)"
    found = bool(connection.execute(sa.text(waiting)).scalar_one())
    connection.rollback()
    return found


def test_revisions_are_told_without_running_what_a_migration_imports(scripts: Path) -> None:
    (scripts / "versions" / "3.py").write_text("import nowhere\n\nrevision = '0003'\ndown_revision = '0002'\n")

    assert has_revision(scripts, "1")
    assert has_revision(scripts, "0003")
    assert not has_revision(scripts, "0002")
