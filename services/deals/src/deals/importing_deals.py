"""Deals of a workbook into the base: each row finds its deal by source and number, and only what is new is written.

A call is one set: rows are read against the catalogue in memory, numbers are claimed in one statement, and what was
made or changed is written at once. What a source last said is kept, so that a file read again changes nothing, and a
change made here is not undone by a file that says nothing new.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from chassis.access import IMPORT
from chassis.database import UnitOfWork
from chassis.errors import DomainError
from chassis.ids import is_id, new_id
from crm.deals.v1 import deals_pb2 as pb
from deals.catalogue import read_catalogue
from deals.composing import Door, compose_facts, tell_steps
from deals.errors import invalid
from deals.events import tell_moved, tell_opened, tell_updated
from deals.following import Outcome, follow, hear
from deals.importing import Origin, check_provenance, check_rows, refused, refused_by, take
from deals.merged_customers import lead_customers
from deals.messages import facts_message, facts_of
from deals.queries import lock_deals
from deals.records import Deal, Facts
from deals.rules import check_text
from deals.sources import KnownSource, Saying, claim_numbers, mark_read, read_sources, replace_said
from deals.storing import insert_deals, update_deals
from deals.updating import mask_of
from units.owners import keep_owner_changes
from units.records import DEAL
from units.tables import unit
from units.visibility import Unit, UnitNotKnown, get_unit

MAX_SOURCE = 255
WRITTEN = (pb.FATE_CREATED, pb.FATE_UPDATED, pb.FATE_MERGED)
_UNIT = tuple(unit.c[name] for name in Unit.__dataclass_fields__)


@dataclass
class Draft:
    """One row on its way: what it says, then its fate. `id` is for a deal yet to be made.

    `kept` is what the source says in all, with what it said before, where that is more than the row.
    """

    row: pb.DealRow
    id: str
    facts: Facts | None = None
    kept: Facts | None = None
    fate: pb.RowFate | None = None

    @property
    def number(self) -> str:
        """The deal's number in its source."""
        return self.row.external_id

    @property
    def run_id(self) -> str:
        """The import run."""
        return self.row.provenance.run_id

    @property
    def heard(self) -> Facts:
        """What the row says; there for every row that was not refused at once."""
        assert self.facts is not None
        return self.facts

    @property
    def told(self) -> pb.RowFate:
        """The fate; there once the batch is done."""
        assert self.fate is not None
        return self.fate

    @property
    def said(self) -> bytes:
        """What the row says in the form that is kept."""
        return facts_message(self.heard).SerializeToString(deterministic=True)

    @property
    def saying(self) -> Saying:
        """What to keep under the number."""
        kept = facts_message(self.kept or self.heard).SerializeToString(deterministic=True)
        return Saying(self.number, self.id, self.run_id, kept)


@dataclass(frozen=True)
class Batch:
    """What the rows of a call share: doors by zone, units by id."""

    work: UnitOfWork
    source: str
    doors: dict[str, Door]
    places: dict[str, Unit]

    def door_of(self, draft: Draft) -> Door:
        """The door of the row's unit."""
        return self.doors[self.places[draft.heard.unit_id].time_zone]


def import_deals(work: UnitOfWork, request: pb.ImportDealsRequest) -> list[pb.RowFate]:
    """The fate of each row, in order. Errors: FieldInvalid, UnitNotKnown, NotPermitted, for the call as a whole."""
    check_rows(len(request.rows))
    source = check_text("source", request.source, MAX_SOURCE)
    if not source:
        raise invalid("source", "is empty; name the numbering that the deals' numbers belong to")
    home = get_unit(work, request.unit_id, IMPORT, DEAL)
    return take(work, request.dry_run, lambda: _import(work, request, source, home))


def _import(
    work: UnitOfWork, request: pb.ImportDealsRequest, source: str, home: Unit
) -> tuple[list[pb.RowFate], list[Origin]]:
    batch = _open_batch(work, request.rows, source, home)
    drafts = [_draft(batch, row, home) for row in request.rows]
    _lead(work, drafts)
    first = _first_of_each(drafts)
    known = read_sources(work, source, list(first))
    new = [draft for number, draft in first.items() if number not in known]
    mine = claim_numbers(work, source, [draft.saying for draft in new])
    late = [draft.number for draft in new if draft.number not in mine]
    known |= read_sources(work, source, late) if late else {}
    _make(batch, [draft for draft in new if draft.number in mine])
    _follow(batch, [draft for number, draft in first.items() if number in known], known)
    _join_repeated(drafts, first)
    fates = [draft.told for draft in drafts]
    return fates, [Origin(draft.told.record_id, draft.row.provenance) for draft in drafts if draft.told.fate in WRITTEN]


def _open_batch(work: UnitOfWork, rows: Sequence[pb.DealRow], source: str, home: Unit) -> Batch:
    named = {row.deal.unit_id for row in rows if is_id(row.deal.unit_id)} - {home.id}
    found = work.execute(sa.select(*_UNIT).where(unit.c.id.in_(named))) if named else ()
    places = {home.id: home, **{row.id: Unit(**row._mapping) for row in found}}
    catalogue = read_catalogue(work, (line.product_id for row in rows for line in row.deal.line_items))
    zones = {place.time_zone for place in places.values()}
    return Batch(work, source, {zone: Door(catalogue, zone) for zone in zones}, places)


def _draft(batch: Batch, row: pb.DealRow, home: Unit) -> Draft:
    draft = Draft(row, new_id())
    try:
        check_provenance(row.provenance)
        if not check_text("external_id", row.external_id, MAX_SOURCE):
            raise invalid("external_id", "is empty; give the deal's number in its source")
        place = _place_of(batch, row.deal.unit_id or home.id)
        draft.facts = compose_facts(row.deal, place.id, batch.doors[place.time_zone], row.external_id)
    except DomainError as trouble:
        draft.fate = refused_by(trouble)
    return draft


def _lead(work: UnitOfWork, drafts: Sequence[Draft]) -> None:
    """Customers that were merged since the rows were read are named by their survivors."""
    read = [(draft, draft.facts) for draft in drafts if draft.facts is not None]
    for (draft, _), facts in zip(read, lead_customers(work, [facts for _, facts in read]), strict=True):
        draft.facts = facts


def _place_of(batch: Batch, unit_id: str) -> Unit:
    place = batch.places.get(unit_id)
    if place is None:
        raise UnitNotKnown(unit_id)
    batch.work.access.require_in(IMPORT, place.path, DEAL)
    return place


def _first_of_each(drafts: Sequence[Draft]) -> dict[str, Draft]:
    """The first good draft of each number; later ones wait for its fate."""
    first: dict[str, Draft] = {}
    for draft in drafts:
        if draft.fate is None:
            first.setdefault(draft.number, draft)
    return first


def _join_repeated(drafts: Sequence[Draft], first: dict[str, Draft]) -> None:
    """Rows whose number stood in an earlier row of the call: the same again is joined, anything else is refused."""
    for draft in drafts:
        if draft.fate is not None:
            continue
        other = first[draft.number]
        if draft.said != other.said:
            draft.fate = _contradiction(draft, f"row {other.row.provenance.row}")
        elif other.told.fate == pb.FATE_REFUSED:
            draft.fate = other.told
        else:
            same = pb.FATE_UNCHANGED if other.told.fate == pb.FATE_UNCHANGED else pb.FATE_MERGED
            draft.fate = pb.RowFate(fate=same, record_id=other.told.record_id)


def _contradiction(draft: Draft, other: str) -> pb.RowFate:
    return refused("NUMBER_REPEATED", f"number {draft.number!r} stands in {other} of the same import with other values")


def _make(batch: Batch, drafts: Sequence[Draft]) -> None:
    """Deals that nobody knew, in the stage and with the dates their source says."""
    work, deals = batch.work, []
    for draft in drafts:
        door = batch.door_of(draft)
        facts = replace(draft.heard, stage_history=tell_steps(draft.heard, door))
        stage = door.catalogue.pipelines.stages[facts.stage_id]
        opened = Deal(draft.id, 1, stage, facts, work.access.user_id, draft.run_id, work.now, work.now)
        deals.append(opened)
        tell_opened(work, opened, batch.places[facts.unit_id].path)
        draft.fate = pb.RowFate(fate=pb.FATE_CREATED, record_id=draft.id)
    insert_deals(work, deals)


def _follow(batch: Batch, drafts: Sequence[Draft], known: dict[str, KnownSource]) -> None:
    """Rows of deals that are known: decide which say something new, and write that."""
    news = [(draft, heard) for draft in drafts if (heard := _news(draft, known[draft.number])) is not None]
    current = lock_deals(batch.work, [known[draft.number].deal_id for draft, _ in news])
    outcomes = []
    for draft, (before, after) in news:
        deal, path = current[known[draft.number].deal_id]
        outcome = _outcome(batch, draft, (before, after), deal, path)
        if outcome is not None:
            outcomes.append(outcome)
    changed = [outcome.deal for outcome in outcomes if outcome.changed]
    update_deals(batch.work, changed)
    owners = [(one.id, current[one.id][0].facts.owner_id, one.facts.owner_id) for one in changed]
    keep_owner_changes(batch.work, owners)
    taken = [draft for draft, _ in news if draft.told.fate != pb.FATE_REFUSED]
    replace_said(batch.work, batch.source, [draft.saying for draft in taken])
    _mark_quiet(batch, drafts)


def _mark_quiet(batch: Batch, drafts: Sequence[Draft]) -> None:
    quiet = [draft for draft in drafts if draft.told.fate == pb.FATE_UNCHANGED]
    for run_id in {draft.run_id for draft in quiet}:  # one, unless a caller mixes runs in a call
        mark_read(batch.work, batch.source, [draft.number for draft in quiet if draft.run_id == run_id], run_id)


def _news(draft: Draft, known: KnownSource) -> tuple[Facts, Facts] | None:
    """What was said before and what is said now; None when the row says nothing new, which is its fate then."""
    joined = bool(draft.run_id) and known.change_run_id == draft.run_id
    nothing = pb.RowFate(fate=pb.FATE_MERGED if joined else pb.FATE_UNCHANGED, record_id=known.deal_id)
    if known.said == draft.said:
        draft.fate = nothing
        return None
    before = facts_of(pb.Deal.FromString(known.said))
    try:
        after = hear(before, draft.heard)
    except DomainError as trouble:
        draft.fate = refused_by(trouble)
        return None
    if after == before:
        draft.fate = nothing
        return None
    if draft.run_id and known.run_id == draft.run_id:
        draft.fate = _contradiction(draft, "an earlier row")
        return None
    draft.kept = after
    return before, after


def _outcome(batch: Batch, draft: Draft, said: tuple[Facts, Facts], known: Deal, path: str) -> Outcome | None:
    """What the news makes of the deal, told as events and as the row's fate; None when the row is refused."""
    work = batch.work
    if not work.access.allows_in(IMPORT, path, DEAL):
        draft.fate = refused("NUMBER_OF_ANOTHER_UNIT", f"number {draft.number!r} is a deal of a unit that is not yours")
        return None
    try:
        outcome = follow(known, *said, batch.door_of(draft), draft.run_id, work.now)
    except DomainError as trouble:
        draft.fate = refused_by(trouble)
        return None
    deal = outcome.deal
    path = batch.places[deal.facts.unit_id].path if "unit_id" in outcome.changed else path
    if outcome.updates:
        tell_updated(work, deal, path, mask_of(outcome.updates), known.version + 1)
    if outcome.moved:
        tell_moved(work, deal, path, known.facts.stage_id)
    kind = pb.FATE_UPDATED if outcome.changed else pb.FATE_UNCHANGED
    draft.fate = pb.RowFate(fate=kind, record_id=deal.id, changed_fields=mask_of(outcome.changed))
    return outcome
