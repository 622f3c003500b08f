"""What the owning service would make of every record: asked batch by batch while the next ones are prepared."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from chassis.database import Database, UnitOfWork
from imports.batches import Batch
from imports.fates import EXPECTED, RowFate, store_fates
from imports.findings import WARNING, Finding, Findings
from imports.loading.context import LoadContext, Loader
from imports.under_way import UnderWay

# Kinds whose owner only looks when it foretells: two batches at once do not wait for each other.
LOOKED_UP = frozenset({"persons", "organizations"})
AT_ONCE = 2
Answer = tuple[list[RowFate], list[Finding]]


class Foretelling:
    """Asks for the fates of batches and stores them; a batch is settled a little after it was given.

    `tell(work, rows so far)` is called in each transaction. Used as a context; leaving it in peace settles the rest.
    """

    def __init__(
        self,
        database: Database,
        context: LoadContext,
        load: Loader,
        user_id: str,
        tell: Callable[[UnitOfWork, int], None],
    ) -> None:
        self.findings = Findings()
        self.done = 0
        self._database, self._context, self._load = database, context, load
        self._user_id, self._tell = user_id, tell
        at_once = AT_ONCE if context.kind in LOOKED_UP else 1
        self._under_way = UnderWay(self._ask, self._settle, at_once)

    def ask(self, batch: Batch) -> None:
        """Have the fates of a batch asked for; waits while as many as may be are under way."""
        if batch.records:
            self._under_way.give(batch)

    def __enter__(self) -> Foretelling:
        self._under_way.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, trouble: BaseException | None, place: TracebackType | None
    ) -> None:
        self._under_way.__exit__(kind, trouble, place)

    def _ask(self, batch: Batch) -> Answer:
        with self._context.peers.acting_for(self._user_id):
            return self._load(self._context, batch)

    def _settle(self, batch: Batch, answer: Answer) -> None:
        fates, findings = answer
        self.findings.extend(findings)
        for fate in fates:
            if fate.fate == "refused" and fate.reason != "unknown_customer":
                self.findings.add(_refusal(batch, fate))
        self.done += batch.rows
        with self._database.transaction() as work:
            store_fates(work, self._context.run_id, EXPECTED, fates)
            self._tell(work, self.done)


def _refusal(batch: Batch, fate: RowFate) -> Finding:
    row = next(row for rows in batch.records for row in rows if row.place == fate.place)
    return Finding(
        fate.reason or "refused",
        WARNING,
        fate.message,
        "correct the row and import it again",
        row.sheet,
        "",
        row.row,
        row_only=True,
    )
