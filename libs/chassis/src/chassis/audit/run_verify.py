"""`verify-audit`, a command of each service that is deployed apart: works out its chain and says what does not fit."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from chassis.audit.verifying import Verdict, read_heads, verify_trail
from chassis.database import Database


def run_verify(database: Database, words: Sequence[str]) -> int:
    """Verify the trail in `database`; prints one JSON document, ends with 1 when something was touched."""
    parser = argparse.ArgumentParser(prog=f"{database.service} verify-audit")
    parser.add_argument("--heads", type=Path, help="file of heads noted earlier, as AUDIT_HEADS names it")
    options = parser.parse_args(words[1:])
    noted = read_heads(options.heads, database.service) if options.heads else []
    verdict = verify_trail(database, noted)
    sys.stdout.write(json.dumps(told(database.service, verdict)) + "\n")
    return 1 if verdict.faults else 0


def told(service: str, verdict: Verdict) -> dict[str, object]:
    """A verdict as one document."""
    return {"service": service, **asdict(verdict)}
