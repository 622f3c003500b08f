"""How fast a workbook of customers becomes cards, keys, events and report figures, and how memory behaves."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from branchline.bench.catalogue import Bench, Figure, Say
from branchline.bench.customers import customer_rows, write_workbook
from branchline.exits import Failure
from branchline.platform.claim import stop_holder
from branchline.platform.folder import DataFolder, read_json
from branchline.platform.launch import start_detached
from branchline.platform.memory import MEGABYTE, resident_bytes
from branchline.rest import Rest, connect
from branchline.runs import Wanted, cancel_run, check_file

ROWS = int(os.environ.get("BRANCHLINE_BENCH_ROWS", "100000"))
SMALL = 10_000
MUST, AIM = 3_000, 10_000
STOP_SECONDS = 60.0
SAMPLE_SECONDS = 0.5
COMPANY = {"company": "Bench", "code": "hq", "country_code": "RU", "currency_code": "RUB", "time_zone": "Europe/Moscow"}


@dataclass
class Peaks:
    """The most memory each process held, in MiB, while sampled."""

    megabytes: dict[str, float] = field(default_factory=dict)

    def look(self, folder: DataFolder) -> None:
        """Take one sample."""
        for one in read_json(folder.state).get("processes", []):
            held = resident_bytes(one["pid"]) / MEGABYTE
            self.megabytes[one["name"]] = max(self.megabytes.get(one["name"], 0.0), held)


@dataclass(frozen=True)
class Seconds:
    """How long each step of an import took."""

    checked: float
    loaded: float
    visible: float

    @property
    def whole(self) -> float:
        """From upload to the last figure."""
        return self.checked + self.loaded + self.visible


def measure(say: Say) -> Sequence[Figure]:
    """Import a small and a large workbook on a fresh platform, each from upload until reporting counts every card.

    Unattended, as `branchline import --yes` does it: the whole file is checked, then loaded without a word.
    """
    with tempfile.TemporaryDirectory(prefix="branchline-bench-") as name:
        folder = DataFolder(Path(name) / "data")
        start_detached(folder, 0, "", COMPANY, lambda _: None)
        try:
            with connect(folder) as rest:
                small, small_peaks = _import(rest, folder, Path(name), SMALL, 1, say)
                large, large_peaks = _import(rest, folder, Path(name), ROWS, 2, say)
                foretold = _foretell(rest, Path(name), SMALL, 3, say)
            limit = ROWS / _copy_seconds(folder)
        finally:
            stop_holder(folder, STOP_SECONDS)
    figures = [
        Figure("upload to last figure", ROWS / large.whole, "rows/s", must=MUST, aim=AIM, limit=limit),
        Figure("of it: reading, mapping, checking every cell", ROWS / large.checked, "rows/s"),
        Figure("of it: load with keys and events", ROWS / large.loaded, "rows/s"),
        Figure("load until the last figure shows", ROWS / (large.loaded + large.visible), "rows/s", must=MUST, aim=AIM),
        Figure(f"the same, {SMALL:,} rows", SMALL / small.whole, "rows/s"),
        Figure(f"a dry run that foretells every fate, {SMALL:,} rows", SMALL / foretold, "rows/s"),
    ]
    for process, peak in sorted(large_peaks.megabytes.items()):
        growth = peak / max(small_peaks.megabytes.get(process, peak), 1.0)
        figures.append(
            Figure(f"memory of {process}, {ROWS:,} against {SMALL:,} rows", growth, "times", lower_is_better=True)
        )
    return figures


def _import(rest: Rest, folder: DataFolder, place: Path, rows: int, seed: int, say: Say) -> tuple[Seconds, Peaks]:
    workbook = place / f"customers-{rows}-{seed}.xlsx"
    say(f"writing {rows:,} rows")
    write_workbook(workbook, rows, seed)
    unit = rest.get("/units")["units"][0]["id"]
    before = _persons(rest)
    with _sampling(folder) as peaks:
        begun = checked = time.monotonic()
        say(f"importing {rows:,} rows")

        def look(message: str, _: float | None) -> None:
            nonlocal checked
            if not message.endswith(": loading"):
                checked = time.monotonic()

        wanted = Wanted(workbook, unit, "persons", source=f"bench {seed}", unattended=True)
        done = check_file(rest, wanted, look)
        loaded = time.monotonic()
        if done["state"] != "finished":
            raise Failure(f"the benchmark's workbook was not taken: {done['message']}")
        say(done["message"])
        _wait_until(lambda: _persons(rest) >= before + int(done["actual"]["created"]))
        visible = time.monotonic()
    say(f"checked {checked - begun:.1f} s, loaded {loaded - checked:.1f} s, visible {visible - loaded:.1f} s later")
    return Seconds(checked - begun, loaded - checked, visible - loaded), peaks


def _foretell(rest: Rest, place: Path, rows: int, seed: int, say: Say) -> float:
    """How long a person waits for the fate of every row of a file before loading it."""
    workbook = place / f"foretold-{rows}-{seed}.xlsx"
    write_workbook(workbook, rows, seed)
    unit = rest.get("/units")["units"][0]["id"]
    say(f"foretelling {rows:,} rows")
    begun = time.monotonic()
    run = check_file(rest, Wanted(workbook, unit, "persons", source=f"bench {seed}"), lambda _m, _s: None)
    ended = time.monotonic()
    if int(run["expected"]["created"]) == 0:
        raise Failure(f"the benchmark's workbook was not foretold: {run['message']}")
    cancel_run(rest, run["id"])
    return ended - begun


def _persons(rest: Rest) -> int:
    return int(rest.get("/freshness")["counts"].get("person", 0))


def _wait_until(holds: Any) -> None:
    while not holds():
        time.sleep(0.5)  # counting every card takes a while itself


@contextmanager
def _sampling(folder: DataFolder) -> Iterator[Peaks]:
    peaks, ended = Peaks(), threading.Event()

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            peaks.look(folder)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()
        peaks.look(folder)


def _copy_seconds(folder: DataFolder) -> float:
    """How long PostgreSQL takes to COPY the same rows into a bare table: the limit of any import."""
    secret = (folder.path / "postgres" / "password").read_text()
    port = (folder.path / "postgres" / "port").read_text()
    conninfo = f"host=127.0.0.1 port={port} user=postgres password={secret} dbname=postgres"
    columns = "a int, b text, c text, d text, e text, f text, g text, h int, i text, j text"
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench ({columns})")
        begun = time.monotonic()
        with cursor.copy("COPY bench FROM STDIN") as copy:
            for row in customer_rows(ROWS):
                copy.write_row(row)
        connection.commit()
        return time.monotonic() - begun


BENCH = Bench("import", "How fast does a workbook of customers become cards and figures?", measure)
