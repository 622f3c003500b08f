"""What every kind's rows need to be built: the run, its unit's defaults, the meanings of texts, the peers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from google.type import date_pb2, money_pb2

from chassis.money import to_money
from imports.batches import Batch
from imports.fates import RowFate
from imports.findings import Finding
from imports.peers import PeerServices
from imports.records import BranchDefaults
from imports.references import CREATE, NONE

FATE_NAMES = {1: "created", 2: "updated", 3: "unchanged", 4: "merged", 5: "refused"}


@dataclass
class LoadContext:
    """One run being checked (`dry_run`) or loaded. `meanings` maps (field, text) to (id, details)."""

    run_id: str
    kind: str
    unit_id: str
    source: str
    file_name: str
    defaults: BranchDefaults
    meanings: Mapping[tuple[str, str], tuple[str, dict[str, Any]]]
    peers: PeerServices
    dry_run: bool
    fields: frozenset[str] = frozenset()
    choices: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def meaning(self, field: str, record: Mapping[str, Any]) -> str:
        """The id that a record's text means; empty when it has none, or when its record is yet to be made."""
        found = self.meanings.get((field, record.get(field, "")), ("", {}))[0]
        return "" if found in (CREATE, NONE) else found

    def details(self, field: str, record: Mapping[str, Any]) -> dict[str, Any]:
        """Further facts of that meaning."""
        return self.meanings.get((field, record.get(field, "")), ("", {}))[1]

    def request_id(self, batch: Batch, step: str = "") -> str:
        """The same for the same batch of the same run, whoever sends it."""
        return f"{self.run_id}:{step}:{batch.last}" if not self.dry_run else ""

    def request_before(self, batch: Batch) -> str:
        """The request id of the batch before; empty for the first one."""
        return f"{self.run_id}::{batch.after}" if batch.after and not self.dry_run else ""


class Loader(Protocol):
    """Hands one batch to the service that owns the kind; answers a fate a row and what people should look at."""

    def __call__(self, context: LoadContext, batch: Batch) -> tuple[list[RowFate], list[Finding]]: ...


def fates_of(batch: Batch, answers: Sequence[Any]) -> list[RowFate]:
    """One answer a record to one fate a row: the rows of a record share its fate."""
    return [
        RowFate(row.place, FATE_NAMES.get(answer.fate, "refused"), answer.reason, answer.message, answer.record_id)
        for rows, answer in zip(batch.records, answers, strict=True)
        for row in rows
    ]


def day_of(text: str | None) -> date_pb2.Date | None:
    """An ISO day as a contract's date."""
    if not text:
        return None
    day = date.fromisoformat(text)
    return date_pb2.Date(year=day.year, month=day.month, day=day.day)


def money_of(text: str | None, currency: str) -> money_pb2.Money | None:
    """A decimal text as money, exact to six places (half even beyond)."""
    return to_money(Decimal(text).quantize(Decimal("0.000001")), currency) if text else None


def currency_of(context: LoadContext, record: Mapping[str, Any]) -> str:
    """The record's currency, upper case, else the branch's."""
    return str(record.get("currency") or context.defaults.currency_code).strip().upper()
