"""The findings of a run as they are stored for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from imports.findings import Finding
from imports.tables import finding


def store_findings(work: UnitOfWork, run_id: str, found: Sequence[Finding]) -> None:
    """Replace the stored findings of a run."""
    work.execute(sa.delete(finding).where(finding.c.run_id == run_id))
    if found:
        work.execute(sa.insert(finding), [_row(run_id, number, one) for number, one in enumerate(found, 1)])


def add_findings(work: UnitOfWork, run_id: str, found: Sequence[Finding]) -> None:
    """Store findings behind those that a run has."""
    if not found:
        return
    last = work.execute(sa.select(sa.func.max(finding.c.number)).where(finding.c.run_id == run_id)).scalar() or 0
    work.execute(sa.insert(finding), [_row(run_id, number, one) for number, one in enumerate(found, last + 1)])


def _row(run_id: str, number: int, one: Finding) -> dict[str, Any]:
    texts = {name: _storable(getattr(one, name)) for name in ("sheet", "cell", "column", "message", "value", "way_out")}
    return {
        "run_id": run_id,
        "number": number,
        "code": one.code,
        "severity": one.severity,
        "row": one.row,
        "times": one.count,
        "cells": one.cells,
        "suggestions": one.suggestions,
        "row_only": one.row_only,
        **texts,
    }


def _storable(text: str) -> str:
    return text.replace("\x00", "␀")[:2000]
