"""Persons, organizations and interactions to contacts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm.contacts.v1 import contacts_pb2 as pb
from imports.batches import Batch, StagedRow
from imports.fates import RowFate
from imports.findings import WARNING, Finding
from imports.loading.context import LoadContext, day_of, fates_of
from values.names import fold_name

_INTERACTION_WORDS = {
    pb.INTERACTION_KIND_CALL: "call phone telephone звонок тел телефон anruf telefonat appel llamada 電話 通話 电话 مكالمة اتصال تماس",
    pb.INTERACTION_KIND_MEETING: "meeting visit встреча визит выезд treffen termin besuch réunion visite reunión visita 会議 訪問 会面 اجتماع زيارة جلسه",
    pb.INTERACTION_KIND_EMAIL: "email mail letter письмо почта courriel correo メール 邮件 بريد ایمیل",
    pb.INTERACTION_KIND_CHAT: "chat messenger whatsapp telegram чат мессенджер チャット 聊天 دردشة چت",
    pb.INTERACTION_KIND_NOTE: "note comment заметка комментарий notiz nota メモ 备注 ملاحظة یادداشت",
}
_KIND_OF_WORD = {fold_name(word): kind for kind, words in _INTERACTION_WORDS.items() for word in words.split()}


def load_persons(context: LoadContext, batch: Batch) -> tuple[list[RowFate], list[Finding]]:
    """Hand persons with their organizations over; contacts joins each to the card it belongs to."""
    request = batch.request or build_persons(context, batch)
    return fates_of(batch, context.peers.take("contacts", "ImportPersons", request)), []


def build_persons(context: LoadContext, batch: Batch) -> pb.ImportPersonsRequest:
    """The call that hands persons over."""
    request = pb.ImportPersonsRequest(
        request_id=context.request_id(batch),
        after_request_id=context.request_before(batch),
        unit_id=context.unit_id,
        source=context.source,
        dry_run=context.dry_run,
    )
    for (staged,) in batch.records:
        _fill_person(request.rows.add(), context, staged)
    return request


def load_organizations(context: LoadContext, batch: Batch) -> tuple[list[RowFate], list[Finding]]:
    """Hand organizations over."""
    request = batch.request or build_organizations(context, batch)
    return fates_of(batch, context.peers.take("contacts", "ImportOrganizations", request)), []


def build_organizations(context: LoadContext, batch: Batch) -> pb.ImportOrganizationsRequest:
    """The call that hands organizations over."""
    return pb.ImportOrganizationsRequest(
        request_id=context.request_id(batch),
        rows=[_organization_row(context, staged) for (staged,) in batch.records],
        unit_id=context.unit_id,
        source=context.source,
        dry_run=context.dry_run,
    )


def load_interactions(context: LoadContext, batch: Batch) -> tuple[list[RowFate], list[Finding]]:
    """Hand interactions over whose person or organization is known; the others are refused and named."""
    records = [staged.record for (staged,) in batch.records]
    matches = context.peers.match_customers([reference_of(one) for one in records], context.unit_id, context.source)
    fates: list[RowFate] = []
    findings: list[Finding] = []
    rows, taken = [], []
    for (staged,), match in zip(batch.records, matches, strict=True):
        if not match.person_id and not match.organization_id:
            fates.append(
                RowFate(staged.place, "refused", "unknown_customer", "no customer of the base is meant by this row")
            )
            findings.append(_unknown_customer(staged, list(match.organization_suggestions)))
            continue
        rows.append(_interaction_row(context, staged, match))
        taken.append([staged])
    if rows:
        request = pb.ImportInteractionsRequest(
            request_id=context.request_id(batch),
            rows=rows,
            unit_id=context.unit_id,
            source=context.source,
            dry_run=context.dry_run,
        )
        answers = context.peers.take("contacts", "ImportInteractions", request)
        fates += fates_of(Batch(taken, batch.last), answers)
    return fates, findings


def reference_of(record: Mapping[str, Any]) -> pb.CustomerReference:
    """Which customer a row of a deal or interaction means."""
    phones = [one["value"] for one in record.get("phones", ()) if "value" in one]
    emails = [one["value"] for one in record.get("emails", ()) if "value" in one]
    return pb.CustomerReference(
        organization_name=record.get("organization", ""),
        organization_tax_id=record.get("organization_tax_id", ""),
        organization_external_id=record.get("organization_external_id", ""),
        person_name=record.get("person", ""),
        phone=phones[0] if phones else "",
        email=emails[0] if emails else "",
    )


_OF_PERSON = ("given_name", "middle_name", "family_name", "tax_id")
_OF_PERSON_ROW = {
    "external_id": "external_id",
    "organization": "organization_name",
    "organization_tax_id": "organization_tax_id",
    "organization_external_id": "organization_external_id",
    "role": "role",
}
_ADDRESS = ("street", "city", "region", "postal_code", "country")


def _fill_person(row: pb.PersonRow, context: LoadContext, staged: StagedRow) -> None:
    """Field by field, and only what the row says: it takes half as long as a message made whole."""
    record, person = staged.record, row.person
    for name in _OF_PERSON:
        if name in record:
            setattr(person, name, record[name])
    names = (person.given_name, person.middle_name, person.family_name)
    person.display_name = record.get("full_name") or " ".join(filter(None, names))
    if (born := day_of(record.get("birth_date"))) is not None:
        person.birth_date.CopyFrom(born)
    _fill_channels(person, record)
    _fill_address(person, record)
    if owner := context.meaning("owner", record):
        person.owner_id = owner
    if "attributes" in record or "note" in record:
        person.attributes.update(_attributes(record))
    for name, field in _OF_PERSON_ROW.items():
        if name in record:
            setattr(row, field, record[name])
    _fill_provenance(row, context, staged)


def _organization_row(context: LoadContext, staged: StagedRow) -> pb.OrganizationRow:
    record = staged.record
    organization = pb.Organization(
        display_name=record["name"],
        tax_id=record.get("tax_id", ""),
        industry=record.get("industry", ""),
        owner_id=context.meaning("owner", record),
        attributes=_attributes(record),
    )
    _fill_channels(organization, record)
    if record.get("website"):
        organization.channels.add(kind=pb.CHANNEL_KIND_WEBSITE, value=record["website"], raw=record["website"])
    _fill_address(organization, record)
    return pb.OrganizationRow(
        organization=organization,
        external_id=record.get("external_id", ""),
        parent_name=record.get("parent", ""),
        provenance=_provenance(context, staged),
    )


def _interaction_row(context: LoadContext, staged: StagedRow, match: Any) -> pb.InteractionRow:
    record = staged.record
    interaction = pb.Interaction(
        kind=_KIND_OF_WORD.get(fold_name(record.get("kind", "")), pb.INTERACTION_KIND_NOTE),
        author_id=context.meaning("author", record),
        author_name=record.get("author", ""),
        unit_id=context.details("author", record).get("unit_id") or context.unit_id,
        person_id=match.person_id,
        organization_id=match.organization_id,
        summary=record["summary"],
        outcome=record.get("outcome", ""),
    )
    interaction.occur_time.FromDatetime(datetime.fromisoformat(record["occur_time"]))
    return pb.InteractionRow(
        interaction=interaction,
        external_id=record.get("external_id") or staged.record_key,
        provenance=_provenance(context, staged),
    )


def _fill_channels(card: pb.Person | pb.Organization, record: Mapping[str, Any]) -> None:
    """The staged channels have the names of the message's fields; where they say nothing, the field stays unset."""
    for said in record.get("phones", ()):
        phone = card.channels.add()
        phone.kind = pb.CHANNEL_KIND_PHONE
        for name, value in said.items():
            setattr(phone, name, value)
    for said in record.get("emails", ()):
        email = card.channels.add()
        email.kind, email.raw = pb.CHANNEL_KIND_EMAIL, said["raw"]
        if "value" in said:
            email.value, email.verified = said["value"], True
        else:
            email.problem = said["problem"]


def _fill_address(card: pb.Person | pb.Organization, record: Mapping[str, Any]) -> None:
    for name in _ADDRESS:
        if record.get(name):
            setattr(card.address, name, record[name])


def _attributes(record: Mapping[str, Any]) -> dict[str, str]:
    facts = dict(record.get("attributes", {}))
    return {**facts, "note": record["note"]} if record.get("note") else facts


def _provenance(context: LoadContext, staged: StagedRow) -> pb.Provenance:
    return pb.Provenance(run_id=context.run_id, file=context.file_name, sheet=staged.sheet, row=staged.row)


def _fill_provenance(row: pb.PersonRow, context: LoadContext, staged: StagedRow) -> None:
    place = row.provenance
    place.run_id, place.file, place.sheet, place.row = context.run_id, context.file_name, staged.sheet, staged.row


def _unknown_customer(staged: StagedRow, suggestions: list[str]) -> Finding:
    name = str(staged.record.get("person") or staged.record.get("organization") or "")
    return Finding(
        "unknown_customer",
        WARNING,
        f"no customer {name!r} is known",
        "import the customer first, then this file again",
        staged.sheet,
        "",
        staged.row,
        "",
        name,
        suggestions=suggestions,
        row_only=True,
    )
