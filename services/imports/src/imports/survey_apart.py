"""A file surveyed by a process of its own: its rows are read on one core while those before are staged on another.

The child has a path and writes to a pipe; it knows no database and no secret, so killing either process leaves nothing
half done.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from imports.findings import Finding
from imports.reading.cells import SourceRow
from imports.survey_lines import AGAIN, LOOK, SURVEY, findings_of, refusal_of, rows_of, table_of
from imports.workbook import OpenedTable, Survey, open_survey

# A workbook of about 8,000 rows. The child begins by importing the readers, which takes as long as 5,000 rows.
APART_FROM_BYTES = 512 * 1024
# All that the child gets of the environment, which holds the passwords of the jobs.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")


class ReadingFell(Exception):
    """The process that read the file ended before its time; the check is done again."""


def survey_file(path: Path, filename: str, options: Mapping[str, Any]) -> Survey:
    """Find the table of a file: of a large one, where there is a second core, in a process of its own.

    Errors: UnreadableFile.
    """
    if path.stat().st_size >= APART_FROM_BYTES and (os.cpu_count() or 1) > 1:
        return SurveyApart(path, filename, options)
    return open_survey(path, filename, options)


class SurveyApart:
    """The survey of a file that is open in a child process. Errors: UnreadableFile, ReadingFell."""

    def __init__(self, path: Path, filename: str, options: Mapping[str, Any]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._child = _start_child(path, filename, options, self._errors)
        self._pass: PassApart | None = None
        try:
            _, self._rows_in_sheets = self._hear()
        except BaseException:
            self.close()
            raise

    @property
    def rows_in_sheets(self) -> int:
        """About how many rows are to come, as the file says; 0 where only reading tells."""
        return int(self._rows_in_sheets)

    def rows(self) -> Iterator[SourceRow]:
        """The data rows not read yet, in order, each looked at before it is given."""
        return self._begun(SURVEY).rows()

    def look_through(self) -> None:
        """Look at all rows not read yet; they stay where they are read."""
        for _ in self._begun(LOOK).rows():
            pass

    def table(self) -> OpenedTable:
        """The table with what the rows so far say of its columns."""
        begun = self._begun(LOOK)
        return table_of(begun.table, begun, self._begin_again)

    def close(self) -> None:
        """End the child."""
        self._child.kill()
        self._child.communicate()
        self._errors.close()

    def _begun(self, word: str) -> PassApart:
        """The survey's only pass, begun now if it is not under way."""
        if self._pass is None:
            self._pass = PassApart(self._ask(word))
        return self._pass

    def _begin_again(self) -> PassApart:
        return PassApart(self._ask(AGAIN))

    def _ask(self, word: str) -> Iterator[list[Any]]:
        """Ask for a pass; answers what is said up to its end."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(f"{word}\n".encode())
            self._child.stdin.flush()
        except BrokenPipeError:
            raise self._fallen() from None
        while (said := self._hear())[0] != "end":
            yield said
        yield said

    def _hear(self) -> list[Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._fallen()
        said: list[Any] = json.loads(line)
        if said[0] == "refused":
            raise refusal_of(*said[1:])
        return said

    def _fallen(self) -> ReadingFell:
        """How it ended and in which line; the text of an error is left out, since it may hold what a cell says."""
        code = self._child.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").splitlines()
        where = next((line.strip() for line in reversed(lines) if line.startswith("  File ")), "")
        kind = lines[-1].partition(":")[0] if lines else ""
        return ReadingFell(f"the reading process ended with {code} {kind} {where}".rstrip())


class PassApart:
    """A pass that the child makes: `said` is what it says of it. `table` is what was last told of the columns."""

    def __init__(self, said: Iterator[list[Any]]) -> None:
        self.table: dict[str, Any] = {}
        self._skipped = 0
        self._findings: list[Finding] = []
        self._rows = self._read(said)

    def rows(self) -> Iterator[SourceRow]:
        """The rows not read yet, in order."""
        return self._rows

    def skipped(self) -> int:
        """Rows left out, but for blank ones."""
        return self._skipped

    def findings(self) -> list[Finding]:
        """What only the whole pass could tell."""
        return self._findings

    def _read(self, said: Iterator[list[Any]]) -> Iterator[SourceRow]:
        for kind, *rest in said:
            if kind == "rows":
                yield from rows_of(*rest)
            elif kind == "table":
                self.table = rest[0]
            else:
                self._skipped, self._findings = rest[0], findings_of(rest[1])


def _start_child(path: Path, filename: str, options: Mapping[str, Any], errors: Any) -> subprocess.Popen[bytes]:
    request = {"path": str(path), "name": filename, "options": dict(options), "parent": os.getpid()}
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-m", "imports.survey_child", json.dumps(request)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**passed_on, "PYTHONPATH": os.pathsep.join(sys.path)},
        process_group=0,  # Ctrl-C in a terminal is for the jobs alone, which end the child themselves
    )
