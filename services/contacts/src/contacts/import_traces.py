"""What a run left on cards: which of them it made, what it changed, which words of its rows stand with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from chassis.copying import plain_array
from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts.cards import AnyCard, OrganizationCard
from contacts.claiming import release_keys
from contacts.deciding import CREATED
from contacts.joining import identities
from contacts.keys import external_key
from contacts.queries import ids
from contacts.storing import type_of
from contacts.tables import access_request, import_change, match_key, possible_duplicate, provenance

Numbered = tuple[str, str]  # the numbering of a source, and a number in it
# Where nothing of a source stands any more, what it said last before the import stands again.
_SAY_AGAIN = Prepared(
    sa.text("""
WITH last AS (
  SELECT DISTINCT ON (record_id, source, external_id) record_id, source, external_id, run_id
  FROM provenance WHERE record_id = ANY(CAST(:cards AS uuid[]))
  ORDER BY record_id, source, external_id, create_time DESC)
UPDATE provenance AS said SET superseded = false
FROM last WHERE said.record_id = last.record_id AND said.source = last.source
  AND said.external_id = last.external_id AND said.run_id = last.run_id AND said.superseded
  AND NOT EXISTS (SELECT FROM provenance AS other WHERE other.record_id = last.record_id
    AND other.source = last.source AND other.external_id = last.external_id AND NOT other.superseded)""")
)


@dataclass(slots=True)
class Trace:
    """What a run left on a card; `changes` are rows of import_change, the newest first."""

    card_id: str
    record_type: str
    made: bool = False
    last_version: int = 1
    changes: list[Any] = field(default_factory=list)
    numbers: set[Numbered] = field(default_factory=set)
    other_numbers: set[Numbered] = field(default_factory=set)
    rows: int = 0  # that said something of the card
    said_by_others: bool = False  # another run said something as well


def read_traces(work: UnitOfWork, run_id: str, cards: Mapping[str, AnyCard]) -> dict[str, Trace]:
    """The trace of a run on each of these cards.

    What a merged card's rows said stands with its survivor: a row made the card only in the moment when it was made.
    """
    found = {card.id: Trace(card.id, type_of(card)) for card in cards.values()}
    c = provenance.c
    for row in work.execute(sa.select(provenance).where(c.record_id == sa.any_(ids(cards)))):
        trace, number = found[row.record_id], (row.source, row.external_id)
        if row.run_id != run_id:
            trace.said_by_others = True
            trace.other_numbers.add(number)
            continue
        trace.rows += 1
        trace.numbers.add(number)
        trace.made |= row.fate == CREATED and row.create_time == cards[row.record_id].create_time
    k = import_change.c
    kept = sa.select(import_change).where(k.run_id == run_id, k.record_id == sa.any_(ids(cards)))
    for row in work.execute(kept.order_by(k.version.desc())):
        trace = found[row.record_id]
        trace.last_version = max(trace.last_version, row.version)
        if row.before is None:
            trace.made = True
        else:
            trace.changes.append(row)
    return found


def free_identities(work: UnitOfWork, gone: Sequence[AnyCard], traces: Iterable[Trace]) -> None:
    """Let go of all identities of cards that go, and of the numbers that only this run knew the others by."""
    by_id = {card.id: card for card in gone}
    held: dict[str, str] = {}
    several = []
    for trace in traces:
        numbers = trace.numbers if trace.card_id in by_id else trace.numbers - trace.other_numbers
        held |= {external_key(trace.record_type, *number)[1]: trace.card_id for number in numbers if number[1]}
        card = by_id.get(trace.card_id)
        if card is None:
            continue
        held |= {digest: card.id for _, digest in identities(card)}
        if trace.rows > 1 or trace.changes or isinstance(card, OrganizationCard):
            several.append(card.id)  # another spelling may have left identities that the card itself does not tell
    release_keys(work, held)
    if several:  # no index leads from a card to its keys: every import would pay for it
        work.execute(sa.delete(match_key).where(match_key.c.record_id == sa.any_(ids(several))))


def forget_traces(work: UnitOfWork, run_id: str, gone: Sequence[str], cards: Sequence[str]) -> None:
    """Delete what the run said of these cards and changed in them, and all that hangs on those that are gone."""
    for table in (provenance, import_change):
        theirs = table.c.record_id == sa.any_(ids(cards))
        work.execute(sa.delete(table).where(theirs, table.c.run_id == run_id))
    pair, asked = possible_duplicate.c, access_request.c
    named = sa.or_(pair.first_id == sa.any_(ids(gone)), pair.second_id == sa.any_(ids(gone)))
    work.execute(sa.delete(possible_duplicate).where(named))
    work.execute(sa.delete(access_request).where(asked.record_id == sa.any_(ids(gone))))
    work.run(_SAY_AGAIN, {"cards": plain_array(cards)})
