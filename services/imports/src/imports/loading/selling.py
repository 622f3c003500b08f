"""Deals, products and plans to deals; customers that deals name and the base lacks are made in contacts first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from crm.contacts.v1 import contacts_pb2 as contacts
from crm.deals.v1 import deals_pb2 as pb
from imports.batches import Batch, StagedRow
from imports.fates import RowFate
from imports.findings import INFO, WARNING, Finding
from imports.loading.context import LoadContext, currency_of, day_of, fates_of, money_of
from imports.loading.customers import reference_of

SIX = Decimal("0.000001")
UNNAMED = "not named"  # a line of which the file tells only the quantity


def load_products(context: LoadContext, batch: Batch) -> tuple[list[RowFate], list[Finding]]:
    """Hand products over."""
    rows = [_product_row(context, staged) for (staged,) in batch.records]
    request = pb.ImportProductsRequest(request_id=context.request_id(batch), rows=rows, dry_run=context.dry_run)
    return fates_of(batch, context.peers.take("deals", "ImportProducts", request)), []


def load_plans(context: LoadContext, batch: Batch) -> tuple[list[RowFate], list[Finding]]:
    """Hand plan figures over; a row with money and a quantity is two figures and has the first fate that moved."""
    rows: list[pb.PlanRow] = []
    owners: list[int] = []
    for number, (staged,) in enumerate(batch.records):
        for figure in _plan_rows(context, staged):
            rows.append(figure)
            owners.append(number)
    answers: list[Any] = [None] * len(batch.records)
    for start in range(0, len(rows), 1000):
        request = pb.ImportPlansRequest(
            request_id=f"{context.request_id(batch)}:{start}" if not context.dry_run else "",
            rows=rows[start : start + 1000],
            unit_id=context.unit_id,
            dry_run=context.dry_run,
        )
        for number, answer in zip(owners[start:], context.peers.take("deals", "ImportPlans", request), strict=False):
            if answers[number] is None or answers[number].fate == pb.FATE_UNCHANGED:
                answers[number] = answer
    return fates_of(batch, answers), []


def load_deals(context: LoadContext, batch: Batch) -> tuple[list[RowFate], list[Finding]]:
    """Hand deals over, each with its customer; a customer the base lacks is made first and told of."""
    customers, findings = _customers_of(context, batch)
    rows = [_deal_row(context, rows, customer) for rows, customer in zip(batch.records, customers, strict=True)]
    request = pb.ImportDealsRequest(
        request_id=context.request_id(batch),
        rows=rows,
        unit_id=context.unit_id,
        source=context.source,
        dry_run=context.dry_run,
    )
    return fates_of(batch, context.peers.take("deals", "ImportDeals", request)), findings


def _customers_of(context: LoadContext, batch: Batch) -> tuple[list[Any], list[Finding]]:
    references = [reference_of(_chosen_customer(context, rows[0].record)) for rows in batch.records]
    asked = {one.SerializeToString(deterministic=True): one for one in references if one.ByteSize()}
    if not asked:
        return [contacts.CustomerMatch()] * len(references), []
    found = dict(
        zip(asked, context.peers.match_customers(list(asked.values()), context.unit_id, context.source), strict=True)
    )
    findings = [
        _told(rows[0], one, found) for rows, one in zip(batch.records, references, strict=True) if _lacks(one, found)
    ]
    missing = {one.organization_name: one for one in references if _lacks(one, found)}
    if missing and not context.dry_run:
        _make_organizations(context, batch, missing, found)
    nobody = contacts.CustomerMatch()
    return [found.get(one.SerializeToString(deterministic=True), nobody) for one in references], findings


def _chosen_customer(context: LoadContext, record: Mapping[str, Any]) -> Mapping[str, Any]:
    name = record.get("organization", "")
    meaning = context.choices.get(("organization", name))
    return {**record, "organization": meaning} if meaning else record


def _lacks(reference: contacts.CustomerReference, found: Mapping[bytes, Any]) -> bool:
    if not reference.organization_name:
        return False
    return not found[reference.SerializeToString(deterministic=True)].organization_id


def _told(staged: StagedRow, reference: contacts.CustomerReference, found: Mapping[bytes, Any]) -> Finding:
    match = found[reference.SerializeToString(deterministic=True)]
    name, near = reference.organization_name, list(match.organization_suggestions)
    if match.organization_ambiguous:
        message, way_out = f"organization {name!r} fits several cards", "choose which one is meant, or give its tax id"
    else:
        message = f"organization {name!r} is not in the base and will be made"
        way_out = f"if it is {' or '.join(near)}, choose that" if near else ""
    return Finding(
        "new_organization",
        WARNING if near else INFO,
        message,
        way_out,
        staged.sheet,
        "",
        staged.row,
        "organization",
        name,
        suggestions=near,
    )


def _make_organizations(
    context: LoadContext, batch: Batch, missing: Mapping[str, Any], found: dict[bytes, Any]
) -> None:
    rows = [
        contacts.OrganizationRow(
            organization=contacts.Organization(display_name=name, tax_id=one.organization_tax_id),
            external_id=one.organization_external_id,
            provenance=contacts.Provenance(run_id=context.run_id, file=context.file_name),
        )
        for name, one in missing.items()
    ]
    request = contacts.ImportOrganizationsRequest(
        request_id=context.request_id(batch, "organizations"), rows=rows, unit_id=context.unit_id, source=context.source
    )
    made = dict(zip(missing, context.peers.take("contacts", "ImportOrganizations", request), strict=True))
    for key, match in found.items():
        reference = contacts.CustomerReference.FromString(key)
        if not match.organization_id and reference.organization_name in made:
            match.organization_id = made[reference.organization_name].record_id


def _product_row(context: LoadContext, staged: StagedRow) -> pb.ProductRow:
    record = staged.record
    product = pb.Product(
        name=record["name"],
        code=record.get("code", ""),
        category=record.get("category", ""),
        unit_of_measure=record.get("unit_of_measure", ""),
        fraction_allowed=record.get("fraction_allowed", False),
        list_price=money_of(record.get("list_price"), currency_of(context, record)),
    )
    return pb.ProductRow(product=product, external_id=record.get("code", ""), provenance=_provenance(context, staged))


def _plan_rows(context: LoadContext, staged: StagedRow) -> list[pb.PlanRow]:
    record = staged.record
    base: dict[str, Any] = {
        "unit_id": context.meaning("unit", record) or context.unit_id,
        "user_id": context.meaning("owner", record),
        "product_id": context.meaning("product", record),
        "start_date": day_of(record["start_date"]),
        "end_date": day_of(record["end_date"]),
    }
    figures = []
    if record.get("amount"):
        money = money_of(record["amount"], currency_of(context, record))
        figures.append(pb.Plan(**base, metric=pb.PLAN_METRIC_REVENUE, amount=money))
    if record.get("quantity"):
        figures.append(pb.Plan(**base, metric=pb.PLAN_METRIC_QUANTITY, quantity=record["quantity"]))
    return [pb.PlanRow(plan=plan, provenance=_provenance(context, staged)) for plan in figures]


def _deal_row(context: LoadContext, rows: Sequence[StagedRow], customer: Any) -> pb.DealRow:
    first = rows[0]
    record = _joined(rows)
    currency = currency_of(context, record)
    stage_id, stage = _stage_of(context, record)
    won_or_lost = stage.get("kind") in (pb.STAGE_KIND_WON, pb.STAGE_KIND_LOST)
    close = record.get("close_date") or (record.get("open_date", "") if won_or_lost else "")
    owner = context.details("owner", record)
    lines = [_line(context, row, currency, won_or_lost) for row in rows if _has_line(row.record)]
    total = _sum(row.record.get("amount") for row in rows) if not lines else None
    if total is not None and not won_or_lost and Decimal(total) == 0:
        total = None  # an open deal worth nothing is one whose value nobody has said
    deal = pb.Deal(
        title=record.get("title", ""),
        stage_id=stage_id,
        organization_id=customer.organization_id,
        person_id=customer.person_id,
        unit_id=context.meaning("unit", record) or owner.get("unit_id") or context.unit_id,
        owner_id=context.meaning("owner", record),
        amount=money_of(total, currency),
        line_items=lines,
        open_date=day_of(record.get("open_date")),
        close_date=day_of(close) if won_or_lost else None,
        loss_reason=record.get("loss_reason", ""),
        loss_comment=record.get("loss_comment", ""),
        business_line=record.get("business_line", ""),
        external_id=record.get("external_id", ""),
        attributes=record.get("attributes", {}),
        expected_close_date=day_of(
            record.get("expected_close_date") or ("" if won_or_lost else record.get("close_date"))
        ),
    )
    return pb.DealRow(
        deal=deal,
        external_id=record.get("external_id") or first.record_key,
        provenance=pb.Provenance(run_id=context.run_id, file=context.file_name, sheet=first.sheet, row=first.row),
    )


def _joined(rows: Sequence[StagedRow]) -> dict[str, Any]:
    """What the rows of a deal say together: the first that says something of a field is taken."""
    joined: dict[str, Any] = {}
    for row in reversed(rows):
        joined.update(row.record)
    return joined


def _stage_of(context: LoadContext, record: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The stage of a deal; a file without a stage column lists sales, so its deals are won."""
    if record.get("stage"):
        return context.meaning("stage", record), context.details("stage", record)
    return context.meanings.get(("stage", ""), ("", {}))


def _has_line(record: Mapping[str, Any]) -> bool:
    return bool(record.get("product") or record.get("quantity"))


def _line(context: LoadContext, row: StagedRow, currency: str, ended: bool) -> pb.LineItem:
    record = row.record
    quantity = Decimal(record.get("quantity") or 1)
    amount: Decimal | None = None
    if record.get("amount"):
        stated = Decimal(record["amount"])
        amount = stated if stated or ended else None
    elif record.get("unit_price"):
        amount = quantity * Decimal(record["unit_price"]) * (1 - Decimal(record.get("discount") or 0))
    return pb.LineItem(
        product_id=context.meaning("product", record),
        product_name=context.details("product", record).get("name", "")
        or record.get("product")
        or record.get("title")
        or UNNAMED,
        quantity=format(quantity, "f"),
        unit_price=money_of(record.get("unit_price"), currency),
        discount=record.get("discount", ""),
        amount=money_of(str(amount.quantize(SIX)), currency) if amount is not None else None,
    )


def _sum(amounts: Any) -> str | None:
    found = [Decimal(one) for one in amounts if one]
    return format(sum(found, Decimal(0)), "f") if found else None


def _provenance(context: LoadContext, staged: StagedRow) -> pb.Provenance:
    return pb.Provenance(run_id=context.run_id, file=context.file_name, sheet=staged.sheet, row=staged.row)
