"""What a base teaches, and which of its cards may be one customer: read by functions that take an open transaction,
worked out by functions that take none, since comparing takes longer than a transaction may stay open."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from chassis.database import UnitOfWork
from contacts.alike.blocking import pair_up, read_blocks_of
from contacts.alike.describing import Described
from contacts.alike.learning import learn_weights
from contacts.alike.reading import count_base, read_described
from contacts.alike.scoring import LIKELY_BITS, Score, Scorer
from contacts.alike.weights import Model
from contacts.tables import block

SAMPLE = 20_000  # pairs taken at random: enough for a share of one in a thousand
SAMPLED_CARDS = 2_000  # whose pairs teach


class Candidates(NamedTuple):
    """Pairs of cards that share a block, by number, with what is compared of each."""

    pairs: Sequence[tuple[int, int]]
    described: Mapping[int, Described]


class Lesson(NamedTuple):
    """What a base has to teach: its counts, and the candidates of the cards that were `chosen`."""

    model: Model
    chosen: Sequence[int]
    candidates: Candidates


class Found(NamedTuple):
    """Two cards that are rather one customer than two."""

    first_id: str
    second_id: str
    score: Score
    certain: bool


def read_lesson(work: UnitOfWork, record_type: str) -> Lesson:
    """What the base has to teach as it stands, its blocks being made."""
    model = count_base(work, record_type)
    some = _some_cards(work, record_type)
    chosen = frozenset(some)
    found = pair_up(read_blocks_of(work, record_type, list(some.values())).small)
    pairs = [pair for pair in found if not chosen.isdisjoint(pair)]
    described = read_described(work, model, chosen.union(*pairs))
    return Lesson(model, sorted(chosen & described.keys()), Candidates(pairs, described))


def take_lesson(lesson: Lesson, now: datetime) -> Model:
    """The weights that the lesson teaches; the same lesson teaches the same."""
    model, described = lesson.model, lesson.candidates.described
    if len(lesson.chosen) < 2:
        return model
    compare = Scorer(model).comparer.compare
    seen = Counter(compare(left, right) for left, right in _cards_of(lesson.candidates))
    dice = random.Random(len(lesson.chosen))
    at_random = Counter(compare(*(described[one] for one in dice.sample(lesson.chosen, 2))) for _ in range(SAMPLE))
    share = len(lesson.chosen) / model.cards
    seen_share = 1 - (1 - share) ** 2  # a pair is among the candidates when either card was chosen
    scaled = {levels: count / seen_share for levels, count in seen.items()}
    return replace(learn_weights(model, scaled, at_random), learn_time=now)


def read_candidates(work: UnitOfWork, model: Model, blocks: Iterable[Sequence[int]]) -> Candidates:
    """The pairs within blocks."""
    pairs = pair_up(blocks)
    return Candidates(list(pairs), read_described(work, model, set().union(*pairs)))


def find_pairs(scorer: Scorer, candidates: Candidates) -> Iterator[Found]:
    """The candidates that are rather one customer than two."""
    for left, right in _cards_of(candidates):
        score = scorer.score(left, right)
        if score.bits >= LIKELY_BITS:
            certain = scorer.is_certain(score)
            yield Found(min(left.id, right.id), max(left.id, right.id), scorer.explain(left, right), certain)


def _cards_of(candidates: Candidates) -> Iterator[tuple[Described, Described]]:
    """The cards of each pair; a card that has gone since has no pairs."""
    described = candidates.described
    for one, other in candidates.pairs:
        if one in described and other in described:
            yield described[one], described[other]


def _some_cards(work: UnitOfWork, record_type: str) -> dict[int, str]:
    """Ids of cards taken at random by number, the same ones each time."""
    c = block.c
    drawn = sa.func.hashint8(c.number)
    some = sa.select(c.number, c.record_id).where(c.record_type == record_type).order_by(drawn).limit(SAMPLED_CARDS)
    return {row.number: row.record_id for row in work.execute(some)}
