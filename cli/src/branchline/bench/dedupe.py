"""How well duplicates are found: precision and recall on people's and organizations' cards whose truth is known.

The same settings for every set, beside Splink and recordlinkage on the same columns. These two are installed by
`BRANCHLINE_BENCH_RIVALS`, the Python interpreter of a place of their own, or said to be missing.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from branchline.bench.catalogue import Bench, Figure, Say
from branchline.bench.dedupe_sets import LabelledSet, make_persons, read_sets
from branchline.exits import Exit, Failure
from branchline.processes import bench_rivals

RIVALS = "BRANCHLINE_BENCH_RIVALS"
ENGINES = ("splink", "recordlinkage")
PERSONS, MOST_SECONDS, AIM_SECONDS = 100_000, 10.0, 5.0
LEAST_CERTAIN = 0.99
PATIENCE_SECONDS = 900
Pairs = frozenset[tuple[str, str]]


class Quality(NamedTuple):
    """Pairwise figures of a set, each from 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        return 2 * self.precision * self.recall / (self.precision + self.recall or 1.0)


def measure(say: Say) -> Sequence[Figure]:
    """Every set with the same settings, then the time of many persons. Errors: Failure without the sets."""
    rivals = _find_rivals(say)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="branchline-bench-") as name:
        bench = _Bench(Path(name), rivals, say)
        for one in read_sets():
            figures += bench.measure_set(one)
        return [*figures, *bench.measure_time(make_persons(PERSONS))]


def judge(found: Pairs, true: Pairs) -> Quality:
    """How good the found pairs are."""
    right = len(found & true)
    return Quality(right / len(found) if found else 0.0, right / len(true) if true else 0.0)


class _Bench:
    def __init__(self, folder: Path, rivals: str, say: Say) -> None:
        self.folder, self.rivals, self.say = folder, rivals, say

    def measure_set(self, one: LabelledSet) -> list[Figure]:
        """Ours beside theirs; the better one of them is what ours must reach."""
        table = self._write(one)
        found, certain, _ = self._ours(table)
        ours = judge(found, one.true)
        theirs = {engine: judge(self._theirs(engine, table), one.true) for engine in ENGINES if self.rivals}
        for engine, quality in theirs.items():
            self.say(f"  {engine}: precision {quality.precision:.4f}, recall {quality.recall:.4f}, F1 {quality.f1:.4f}")
        best = max((quality.f1 for quality in theirs.values()), default=None)
        return [
            Figure(f"{one.name}: precision", ours.precision, ""),
            Figure(f"{one.name}: recall", ours.recall, ""),
            Figure(f"{one.name}: F1, the better of the others must be reached", ours.f1, "", must=best),
            Figure(f"{one.name}: precision without asking", judge(certain, one.true).precision, "", LEAST_CERTAIN),
            Figure(f"{one.name}: share found without asking", judge(certain, one.true).recall, ""),
        ]

    def measure_time(self, one: LabelledSet) -> list[Figure]:
        """The seconds of a large set."""
        found, _, told = self._ours(self._write(one))
        return [
            Figure(f"{PERSONS:,} persons, from cards to groups", told["seconds"], "s", MOST_SECONDS, AIM_SECONDS, True),
            Figure(f"{PERSONS:,} persons, processor of the finder", told["processor_seconds"], "s"),
            Figure(f"{PERSONS:,} persons: F1", judge(found, one.true).f1, ""),
        ]

    def _write(self, one: LabelledSet) -> Path:
        self.say(f"{one.name}: {len(one.rows):,} cards, {len(one.true):,} true pairs")
        table = self.folder / f"{one.name}.csv"
        with table.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(one.rows[0]))
            writer.writeheader()
            writer.writerows(one.rows)
        return table

    def _ours(self, table: Path) -> tuple[Pairs, Pairs, dict[str, float]]:
        """The pairs of groups, those found without asking, and the times."""
        words = [sys.executable, "-m", "branchline.processes.bench_dedupe", str(self.folder / "postgres")]
        told, rows = self._run(words, table)
        pairs = frozenset((row[0], row[1]) for row in rows)
        return pairs, frozenset((row[0], row[1]) for row in rows if row[2]), json.loads(told)

    def _theirs(self, engine: str, table: Path) -> Pairs:
        _, rows = self._run([self.rivals, bench_rivals.__file__, engine], table)
        return frozenset((row[0], row[1]) for row in rows)

    def _run(self, words: list[str], table: Path) -> tuple[str, list[list[str]]]:
        target = table.with_suffix(".pairs")
        done = subprocess.run(
            [*words, str(table), str(target)], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        if done.returncode:
            raise Failure(f"{words[-1]} failed: {done.stderr[-500:]}", Exit.FAILED, "BENCH_FAILED")
        with target.open(encoding="utf-8", newline="") as file:
            return done.stdout, list(csv.reader(file))


def _find_rivals(say: Say) -> str:
    """The interpreter that has Splink and recordlinkage, empty where there is none."""
    found = os.environ.get(RIVALS, "")
    if not found:
        say(f"Splink and recordlinkage are missing: set {RIVALS} to a Python that has them to compare with them")
    return found


BENCH = Bench("dedupe", "How many duplicates are found, how many rightly, and how fast?", measure)
