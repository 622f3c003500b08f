"""Whose databases are backed up, how their tools are run, and what a database holds, told by counts and digests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from branchline.exits import Exit, Failure
from branchline.platform.environment import SERVICES, STORES
from chassis.embedded_postgres_server import binary
from chassis.settings import FOLDER

# What is worth nothing elsewhere: the sessions of browsers are sealed with the browsers' own keys.
LEFT_OUT: Mapping[str, tuple[str, ...]] = {"gateway": ("web_session",)}
SUFFIX = "_DATABASE_URL"
_VARIABLES = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}


def urls_of_settings() -> dict[str, str]:
    """The databases named by CONTACTS_DATABASE_URL and so on, or by files of the folder that SETTINGS_FOLDER names.

    Errors: Failure naming what is missing.
    """
    named = {
        name: os.environ.get(f"{name.upper()}{SUFFIX}") or _read_setting(f"{name}{SUFFIX.lower()}") for name in STORES
    }
    missing = [f"{name.upper()}{SUFFIX}" for name, url in named.items() if not url]
    if missing:
        raise Failure(f"not set: {', '.join(missing)}", Exit.USAGE, "DATABASES_UNKNOWN")
    return {name: url.replace("postgresql+psycopg://", "postgresql://", 1) for name, url in named.items()}


def _read_setting(name: str) -> str:
    path = Path(os.environ.get(FOLDER, "."), name)
    return path.read_text(encoding="utf-8").strip() if FOLDER in os.environ and path.exists() else ""


def has_events(name: str) -> bool:
    """Tell whether a store is a service's with a log of events; the gateway's has none."""
    return name in SERVICES


def run_tool(tool: str, url: str, words: Sequence[str]) -> None:
    """Run pg_dump or pg_restore against one database; the password is in no command line. Errors: Failure."""
    told = {_VARIABLES[name]: str(value) for name, value in conninfo_to_dict(url).items() if name in _VARIABLES}
    ended = subprocess.run(
        [str(binary(tool)), *words], env={**os.environ, **told}, capture_output=True, text=True, check=False
    )
    if ended.returncode != 0:
        raise Failure(f"{tool} of {told['PGDATABASE']}: {ended.stderr.strip()[-500:]}", reason="BACKUP_TOOL_FAILED")


def open_connection(url: str) -> psycopg.Connection[Any]:
    """A connection on which rows are written as text the same way everywhere."""
    return psycopg.connect(url, options="-c timezone=UTC -c datestyle=ISO -c extra_float_digits=1")


def describe_contents(connection: psycopg.Connection[Any], left_out: Sequence[str] = ()) -> dict[str, Any]:
    """Rows and a digest of each table, as the connection's transaction sees them; the digest knows no order of rows."""
    names = connection.execute(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND NOT c.relispartition AND c.relname <> ALL(%s) ORDER BY c.relname",
        (list(left_out),),
    ).fetchall()
    found = {}
    for (name,) in names:
        count, digest = connection.execute(
            sql.SQL("SELECT count(*), coalesce(bit_xor(hashtextextended(one::text, 0)), 0) FROM {} one").format(
                sql.Identifier(name)
            )
        ).fetchone() or (0, 0)
        found[name] = {"rows": count, "digest": f"{digest % 2**64:016x}"}
    return found


def read_revision(connection: psycopg.Connection[Any]) -> str:
    """The schema's revision; empty for a database without tables."""
    there = connection.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL").fetchone()
    if not there or not there[0]:
        return ""
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""
