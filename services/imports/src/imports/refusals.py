"""What the owning service refused of a load that nobody had foretold: told as findings, one a reason."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from imports.findings import WARNING, Finding
from imports.kept_findings import add_findings

MOST = 100  # reasons; there are a dozen
_REFUSED = sa.text("""
SELECT fate.reason, (array_agg(fate.message ORDER BY fate.place))[1] AS message,
       (array_agg(line.sheet ORDER BY fate.place))[1] AS sheet, (array_agg(line.row ORDER BY fate.place))[1] AS row,
       count(*) AS times
FROM run_fate fate JOIN run_row line ON line.run_id = fate.run_id AND line.place = fate.place
WHERE fate.run_id = :run AND fate.phase = 'actual' AND fate.fate = 'refused' AND line.reason = ''
GROUP BY fate.reason ORDER BY times DESC, fate.reason LIMIT :most""")


def tell_refusals(work: UnitOfWork, run_id: str) -> int:
    """Add a finding for each reason of refusal; answers how many rows they are about."""
    found = [_finding_of(row) for row in work.execute(_REFUSED, {"run": run_id, "most": MOST})]
    add_findings(work, run_id, found)
    return sum(one.count for one in found)


def _finding_of(row: Any) -> Finding:
    way_out = "correct the row and import it again"
    return Finding(
        row.reason or "refused", WARNING, row.message, way_out, row.sheet, row=row.row, count=row.times, row_only=True
    )
