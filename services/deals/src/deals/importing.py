"""What every import of deals' records shares: the fate of a row, where it came from, and trying without a change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chassis.database import UnitOfWork
from chassis.errors import DomainError
from crm.deals.v1 import deals_pb2 as pb
from deals.errors import invalid
from deals.rules import check_text
from deals.tables import provenance

MAX_ROWS = 1_000
MAX_NAME, MAX_RUN = 255, 255
_COLUMNS = tuple(provenance.c.keys())


@dataclass(frozen=True)
class Origin:
    """One imported record and where its row stands."""

    record_id: str
    said: pb.Provenance


def refused(reason: str, message: str) -> pb.RowFate:
    """The fate of a row that is not taken."""
    return pb.RowFate(fate=pb.FATE_REFUSED, reason=reason, message=message)


def refused_by(trouble: DomainError) -> pb.RowFate:
    """The fate of a row that a rule refuses."""
    return refused(trouble.reason, trouble.message)


def take(
    work: UnitOfWork, dry_run: bool, act: Callable[[], tuple[list[pb.RowFate], Sequence[Origin]]]
) -> list[pb.RowFate]:
    """Run an import; a dry run does all of it, and everything is undone before the answer.

    In a dry run a record that would be created has no id yet.
    """
    savepoint = work.connection.begin_nested()
    events = len(work.events)
    fates, origins = act()
    if not dry_run:
        store_provenance(work, origins)
        savepoint.commit()
        return fates
    savepoint.rollback()
    del work.events[events:]
    made = {fate.record_id for fate in fates if fate.fate == pb.FATE_CREATED}
    for fate in fates:
        if fate.record_id in made:
            fate.record_id = ""
    return fates


def store_provenance(work: UnitOfWork, origins: Sequence[Origin]) -> None:
    """Keep the file, sheet and row of every record that was made or changed, with user and time."""
    user = work.access.user_id
    rows = [
        (one.record_id, one.said.run_id, one.said.file, one.said.sheet, one.said.row, user, work.now) for one in origins
    ]
    work.copy_rows(provenance, _COLUMNS, rows)


def check_rows(count: int) -> None:
    """Errors: FieldInvalid for more rows than one transaction takes."""
    if count > MAX_ROWS:
        raise invalid("rows", f"has {count} rows; send at most {MAX_ROWS} at once")


def check_provenance(said: pb.Provenance) -> None:
    """Errors: FieldInvalid for texts that cannot be kept."""
    check_text("provenance.run_id", said.run_id, MAX_RUN)
    check_text("provenance.file", said.file, MAX_NAME)
    check_text("provenance.sheet", said.sheet, MAX_NAME)
