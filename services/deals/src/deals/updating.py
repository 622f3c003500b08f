"""Changing what is recorded of a deal, except its stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from chassis.access import ASSIGN, CHANGE
from chassis.database import UnitOfWork
from chassis.dates import from_date
from crm.deals.v1 import deals_pb2 as pb
from deals import composing, rules
from deals.catalogue import read_catalogue
from deals.composing import Door
from deals.customers import require_customers
from deals.errors import invalid
from deals.events import tell_updated
from deals.moving import check_etag
from deals.opening import day_in
from deals.queries import get_deal
from deals.records import OPEN, Deal, Facts
from deals.rules import check_day, check_text
from deals.storing import update_deals
from units.owners import keep_owner_changes
from units.records import DEAL
from units.visibility import get_unit

Change = Callable[[Facts, pb.Deal, Deal, Door], Facts]


def update_deal(work: UnitOfWork, said: pb.Deal, paths: Sequence[str], etag: str) -> Deal:
    """Take the named fields of `said`; what changes nothing makes no new version.

    Errors: DealNotFound, NotPermitted, StaleEtag, FieldInvalid, ProductNotFound, FractionNotAllowed, UnitNotKnown.
    """
    if not etag:
        raise invalid("etag", "is empty; send the etag of the deal you read, so that nobody's change is overwritten")
    known = get_deal(work, said.id, lock=True)
    place = get_unit(work, known.facts.unit_id)
    work.access.require(CHANGE, place.path, known.facts.owner_id, DEAL)
    check_etag(known, etag)
    products = [*(line.product_id for line in said.line_items), *(line.product_id for line in known.facts.line_items)]
    today = day_in(work.now, place.time_zone)
    door = Door(read_catalogue(work, products), place.time_zone, work.access.user_id, today, work.now)
    facts = require_customers(work, _changed_facts(known, said, paths, door), known.facts)
    changed = [name for name in Facts.__slots__ if getattr(facts, name) != getattr(known.facts, name)]
    if not changed:
        return known
    if {"unit_id", "owner_id"}.intersection(changed):
        work.access.require(ASSIGN, place.path, known.facts.owner_id, DEAL)
    if "unit_id" in changed:
        place = get_unit(work, facts.unit_id)
        work.access.require(ASSIGN, place.path, facts.owner_id, DEAL)
    updated = replace(known, version=known.version + 1, facts=facts, update_time=work.now, run_id="")
    update_deals(work, [updated])
    keep_owner_changes(work, [(known.id, known.facts.owner_id, facts.owner_id)])
    tell_updated(work, updated, place.path, mask_of(changed), updated.version)
    return updated


def mask_of(changed: Sequence[str]) -> list[str]:
    """The names of changed facts as the contract's field names; the currency is part of the amount."""
    return list(dict.fromkeys("amount" if name == "currency" else name for name in changed))


def _changed_facts(known: Deal, said: pb.Deal, paths: Sequence[str], door: Door) -> Facts:
    wanted = list(dict.fromkeys(path.split(".")[0] for path in paths))
    if not wanted:
        raise invalid("update_mask", f"is empty; name the fields to change: {', '.join(CHANGES)}")
    facts = known.facts
    for path in wanted:
        if path not in CHANGES:
            raise invalid("update_mask", f"{path[:60]!r} cannot be changed here; these can: {', '.join(CHANGES)}")
        facts = CHANGES[path](facts, said, known, door)
    if {"amount", "line_items"} & set(wanted):
        facts = _price_again(facts, known, "amount" in wanted)
    rules.check_order(facts.open_date, facts.close_date)
    return facts


def _price_again(facts: Facts, known: Deal, amount_said: bool) -> Facts:
    lines = facts.line_items
    if lines == known.facts.line_items and len(lines) == 1 and lines[0].unit_price is None:
        lines = (replace(lines[0], amount=None),)  # its amount was the deal's and follows it
    priced = composing.price_facts(replace(facts, line_items=lines))
    if amount_said and priced.amount != facts.amount:
        raise invalid("deal.amount", f"is the sum of the lines, {priced.amount}; change the lines instead")
    return priced


def _take_text(name: str, most: int) -> Change:
    def take(facts: Facts, said: pb.Deal, _known: Deal, _door: Door) -> Facts:
        return _with(facts, name, check_text(f"deal.{name}", getattr(said, name), most))

    return take


def _take_id(name: str) -> Change:
    def take(facts: Facts, said: pb.Deal, _known: Deal, _door: Door) -> Facts:
        return _with(facts, name, composing.compose_id(f"deal.{name}", getattr(said, name)))

    return take


def _take_amount(facts: Facts, said: pb.Deal, _known: Deal, _door: Door) -> Facts:
    amount, currency = composing.compose_amount(said, "")
    lines = facts.currency if any(line.unit_price is not None for line in facts.line_items) else ""
    if amount is not None and lines and lines != currency:
        raise invalid("deal.amount", f"is in {currency}, the lines in {lines}; use one currency")
    return replace(facts, amount=amount, currency=currency or lines)


def _take_lines(facts: Facts, said: pb.Deal, _known: Deal, door: Door) -> Facts:
    lines, currency = composing.compose_lines(said.line_items, door.catalogue)
    return replace(facts, line_items=lines, currency=currency or facts.currency)


def _take_open_date(facts: Facts, said: pb.Deal, _known: Deal, _door: Door) -> Facts:
    field = "deal.open_date"
    return replace(facts, open_date=check_day(field, from_date(said.open_date, field)))


def _take_close_date(facts: Facts, said: pb.Deal, known: Deal, _door: Door) -> Facts:
    field = "deal.close_date"
    day = check_day(field, from_date(said.close_date, field))
    if (day is None) != (known.status == OPEN):
        way = "leave it out while the deal is open" if day else "a closed deal keeps one"
        raise invalid(field, f"does not fit stage {known.stage.name!r}; {way}, or move the deal")
    return replace(facts, close_date=day)


def _take_expected(facts: Facts, said: pb.Deal, _known: Deal, _door: Door) -> Facts:
    return replace(facts, expected_close_date=composing.compose_expected(said))


def _take_loss(facts: Facts, said: pb.Deal, known: Deal, door: Door) -> Facts:
    reason, _ = composing.compose_loss(known.stage, said.loss_reason, facts.loss_comment, door)
    return replace(facts, loss_reason=reason)


def _take_loss_comment(facts: Facts, said: pb.Deal, known: Deal, door: Door) -> Facts:
    _, comment = composing.compose_loss(known.stage, known.facts.loss_reason, said.loss_comment, door)
    return replace(facts, loss_comment=comment)


def _take_attributes(facts: Facts, said: pb.Deal, _known: Deal, _door: Door) -> Facts:
    return replace(facts, attributes=composing.compose_attributes(said.attributes))


def _with(facts: Facts, name: str, value: Any) -> Facts:
    return replace(facts, **{name: value})


CHANGES: dict[str, Change] = {
    "title": _take_text("title", composing.MAX_TITLE),
    "organization_id": _take_id("organization_id"),
    "person_id": _take_id("person_id"),
    "unit_id": _take_id("unit_id"),
    "owner_id": _take_id("owner_id"),
    "line_items": _take_lines,
    "amount": _take_amount,
    "open_date": _take_open_date,
    "close_date": _take_close_date,
    "expected_close_date": _take_expected,
    "loss_reason": _take_loss,
    "loss_comment": _take_loss_comment,
    "business_line": _take_text("business_line", composing.MAX_SHORT),
    "external_id": _take_text("external_id", composing.MAX_EXTERNAL_ID),
    "attributes": _take_attributes,
}
