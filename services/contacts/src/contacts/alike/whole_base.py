"""A base gone through from its blocks to its pairs, in short transactions with the comparing between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chassis.database import Database
from contacts.alike.blocking import Blocks, read_blocks, read_blocks_of, refresh_blocks
from contacts.alike.finding import Found, find_pairs, read_candidates, read_lesson, take_lesson
from contacts.alike.reading import count_cards, identifying_facts
from contacts.alike.scoring import Scorer
from contacts.alike.weights import Model


class Part(NamedTuple):
    """What was found in a part of a base, and how many blocks in it were too large to be looked at."""

    found: list[Found]
    left_out: int


def learn_base(database: Database, record_type: str) -> Model:
    """Make the blocks of all cards anew and learn what agreements are worth in this base."""
    with database.transaction() as work:
        facts = identifying_facts(work, record_type, count_cards(work, record_type))
        refresh_blocks(work, record_type, facts, None)
    with database.transaction() as work:
        lesson, now = read_lesson(work, record_type), work.now
    return take_lesson(lesson, now)


def find_in_part(database: Database, scorer: Scorer, part: int, parts: int) -> Part:
    """The pairs of one of the parts of a base that may be one customer."""
    with database.transaction() as work:
        blocks = read_blocks(work, scorer.model.record_type, part, parts)
    return _find(database, scorer, blocks)


def find_of_cards(database: Database, scorer: Scorer, card_ids: Sequence[str]) -> Part:
    """The pairs of these cards, whose blocks are made anew, with any card of the base."""
    with database.transaction() as work:
        refresh_blocks(work, scorer.model.record_type, scorer.model.facts, card_ids)
        blocks = read_blocks_of(work, scorer.model.record_type, card_ids)
    wanted = frozenset(card_ids)
    part = _find(database, scorer, blocks)
    return part._replace(found=[one for one in part.found if not wanted.isdisjoint((one.first_id, one.second_id))])


def _find(database: Database, scorer: Scorer, blocks: Blocks) -> Part:
    with database.transaction() as work:
        candidates = read_candidates(work, scorer.model, blocks.small)
    return Part(list(find_pairs(scorer, candidates)), blocks.left_out)
