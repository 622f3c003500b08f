"""The embedded server survives being killed, keeps its port, and is never started twice over one folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chassis.embedded_postgres_server import EmbeddedPostgres, PostgresNotStarted
from chassis.testing.eventually import eventually

SMALL = {"fsync": "off", "shared_buffers": "8MB"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A started server; the folder is the same for all tests of this file, as it is for the starts of a user."""
    made = EmbeddedPostgres(folder, settings=SMALL)
    made.start()
    yield made
    made.stop(immediate=True)


def test_a_restart_keeps_data_password_and_port(server: EmbeddedPostgres, folder: Path) -> None:
    server.create_database("kept")
    server.create_database("kept")
    server.stop()
    again = EmbeddedPostgres(folder, settings=SMALL)
    again.start()
    assert (again.port, again.password) == (server.port, server.password)
    psycopg.connect(again.conninfo("kept")).close()
    again.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(again.conninfo("kept"), connect_timeout=2)


def test_after_kill_9_the_next_start_passes_the_stale_lock(server: EmbeddedPostgres, folder: Path) -> None:
    with psycopg.connect(server.conninfo("postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS noted (n int)")
        connection.execute("INSERT INTO noted VALUES (1)")
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    assert (folder / "data" / "postmaster.pid").exists()
    again = EmbeddedPostgres(folder, settings=SMALL)
    again.start()
    with psycopg.connect(again.conninfo("postgres")) as connection:
        assert connection.execute("SELECT count(*) FROM noted").fetchone() == (1,)
    again.stop()


def test_a_lock_that_names_another_program_by_now_is_stale(server: EmbeddedPostgres, folder: Path) -> None:
    server.stop()
    (folder / "data" / "postmaster.pid").write_text("1\n")
    server.start()
    psycopg.connect(server.conninfo("postgres")).close()


def test_a_second_server_over_the_folder_is_refused_however_it_is_spelled(
    server: EmbeddedPostgres, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "alias").symlink_to(folder)
    for spelling in (folder, tmp_path / "alias", folder / ".." / folder.name):
        with pytest.raises(PostgresNotStarted, match="another server"):
            EmbeddedPostgres(spelling, settings=SMALL).start()
    psycopg.connect(server.conninfo("postgres")).close()


def test_a_server_that_cannot_start_says_where_its_log_is(server: EmbeddedPostgres, folder: Path) -> None:
    server.stop()
    with pytest.raises(PostgresNotStarted, match="postgres.log"):
        EmbeddedPostgres(folder, settings={**SMALL, "shared_buffers": "nonsense"}).start()


def test_only_who_has_the_password_gets_in_and_only_from_this_machine(server: EmbeddedPostgres, folder: Path) -> None:
    assert (folder / "password").stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres password=wrong dbname=postgres")
    with psycopg.connect(server.conninfo("postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)


STARTER = """
import sys; from pathlib import Path; from chassis.embedded_postgres_server import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), end_with_parent=True); server.start()
print(server.process.pid, flush=True); sys.stdin.read()
"""


def test_a_server_tied_to_its_starter_ends_when_that_is_killed(server: EmbeddedPostgres, folder: Path) -> None:
    server.stop()
    command = [sys.executable, "-c", STARTER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        number = int(starter.stdout.readline())
        os.kill(number, 0)
        starter.send_signal(signal.SIGKILL)
    assert eventually(lambda: not Path(f"/proc/{number}").exists())
