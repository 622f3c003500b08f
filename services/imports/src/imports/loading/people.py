"""Employees to the directory: users with a position, who sell and are named in other files."""

from __future__ import annotations

from crm.directory.v1 import directory_pb2 as pb
from imports.batches import Batch, StagedRow
from imports.fates import RowFate
from imports.findings import Finding
from imports.loading.context import LoadContext
from values.names import fold_name

_ROLES = {
    "seller": pb.ROLE_SELLER,
    "head": pb.ROLE_HEAD,
    "steward": pb.ROLE_STEWARD,
    "administrator": pb.ROLE_ADMINISTRATOR,
}


def load_employees(context: LoadContext, batch: Batch) -> tuple[list[RowFate], list[Finding]]:
    """Hand users over; one known by name or e-mail keeps the account and gets the position."""
    request = pb.ImportUsersRequest(
        request_id=context.request_id(batch),
        rows=[_row(context, staged) for (staged,) in batch.records],
        dry_run=context.dry_run,
    )
    answers = context.peers.take("directory", "ImportUsers", request)
    fates = [
        RowFate(
            staged.place, answer.fate, "" if answer.fate != "refused" else "user_refused", answer.reason, answer.user_id
        )
        for (staged,), answer in zip(batch.records, answers, strict=True)
    ]
    return fates, []


def _row(context: LoadContext, staged: StagedRow) -> pb.UserRow:
    record = staged.record
    name = record.get("name") or " ".join(filter(None, (record.get("given_name"), record.get("family_name"))))
    return pb.UserRow(
        display_name=name,
        email=next((one["value"] for one in record.get("emails", ()) if "value" in one), ""),
        unit_id=context.meaning("unit", record) or context.unit_id,
        title=record.get("title", ""),
        role=_ROLES.get(fold_name(record.get("role", "")), pb.ROLE_NONE),
        aliases=record["number"].split(", ") if record.get("number") else [],
    )
