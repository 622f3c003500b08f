"""What a check found, gathered a few per trouble and column. Pure: knows no database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

SHOWN_CELLS = 50
MOST_FINDINGS = 500  # distinct troubles of one file; more help nobody
ERROR, WARNING, INFO = "error", "warning", "info"
SEVERITIES = (ERROR, WARNING, INFO)  # worst first
_ORDER = {severity: place for place, severity in enumerate(SEVERITIES)}


@dataclass
class Finding:
    """One trouble of one column (or file) with the first cells it was met in."""

    code: str
    severity: str
    message: str
    way_out: str = ""
    sheet: str = ""
    cell: str = ""
    row: int = 0
    column: str = ""
    value: str = ""
    count: int = 1
    cells: list[str] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    row_only: bool = False

    @property
    def blocks(self) -> bool:
        """Tell whether it keeps the whole file from loading."""
        return self.severity == ERROR and not self.row_only


class Findings:
    """Gathers findings; the same code, column and, where `apart` is given, value count as one."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Finding] = {}
        self.dropped = 0

    def add(self, found: Finding, apart: str = "") -> None:
        """Count a finding and keep its cell while there are few; the first that blocks is kept in any case."""
        key = (found.code, found.column, apart)
        known = self._found.get(key)
        if known is not None:
            known.count += found.count
            if found.cell and len(known.cells) < SHOWN_CELLS:
                known.cells.append(found.cell)
            known.row_only = known.row_only and found.row_only
        elif len(self._found) < MOST_FINDINGS or (found.blocks and not self.blocking):
            found.cells = found.cells or ([found.cell] if found.cell else [])
            self._found[key] = found
        else:
            self.dropped += 1

    def extend(self, found: Iterable[Finding]) -> None:
        """Add several."""
        for one in found:
            self.add(one)

    def worst_first(self) -> list[Finding]:
        """All of them: what blocks, then errors, warnings, remarks."""
        return sorted(self._found.values(), key=lambda one: (not one.blocks, _ORDER[one.severity], one.row))

    @property
    def blocking(self) -> bool:
        """Tell whether anything keeps the file from loading."""
        return any(one.blocks for one in self._found.values())

    def count(self, severity: str) -> int:
        """How many cells or rows have a finding of this severity."""
        return sum(one.count for one in self._found.values() if one.severity == severity)
