"""What the levels of a pair add up to: a weight, a probability, and the reasons for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any, NamedTuple

from contacts.alike.comparing import AGREES, DIFFERS, MISSING, Comparer, Levels
from contacts.alike.describing import BIRTH, FAMILY, GIVEN, NAME, STREET, TAX, Described, Place, Street
from contacts.alike.weights import LEAST_SHARE, MOST_LESS, MOST_MORE, ORGANIZATION, PERSON, Model

LIKELY_BITS = 0.0  # from here on a pair is more likely one customer than two
CERTAIN_BITS = 14.0  # odds of 16,000 to one: what may be merged without asking, where nothing speaks against it
# People move; an organization of the same name in another street is often another one.
SPEAKING_AGAINST = {PERSON: (GIVEN, FAMILY, BIRTH, TAX), ORGANIZATION: (NAME, STREET, TAX)}


class Reason(NamedTuple):
    """What one field says of a pair; `bits` below zero speak against one customer."""

    field: str
    level: int
    bits: float


class Score(NamedTuple):
    """How much speaks for one customer: in all, and by field."""

    bits: float
    levels: Levels
    reasons: tuple[Reason, ...] = ()

    @property
    def probability(self) -> float:
        """That the pair is one customer."""
        return probability_of(self.bits)


def probability_of(bits: float) -> float:
    """The probability that so many bits stand for."""
    return float(1 / (1 + 2 ** -max(min(bits, 60.0), -60.0)))


class Scorer:
    """Scores pairs by one model; made once for many pairs."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.comparer = Comparer(model.fields, model.rarity)
        self._bits = model.bits()
        self._start = log2(model.chance / (1 - model.chance))
        self._shares = [model.shares.get(name) for name in model.fields]
        self._rarest = 1 / max(model.cards, 1)
        self._agree = [max(one[AGREES - 1], LEAST_SHARE) for one in model.u]
        self._against = [at for at, name in enumerate(model.fields) if name in SPEAKING_AGAINST[model.record_type]]

    def score(self, left: Described, right: Described) -> Score:
        """The score without reasons, for many pairs."""
        levels = self.comparer.compare(left, right)
        return Score(self._weigh(levels, left, right), levels)

    def explain(self, left: Described, right: Described) -> Score:
        """The score with what each field says; fields that one of the two lacks are named with level MISSING."""
        levels = self.comparer.compare(left, right)
        reasons = tuple(
            Reason(name, level, self._bits[at][level] + (self._rare(at, left, right) if level == AGREES else 0.0))
            for at, (name, level) in enumerate(zip(self.model.fields, levels, strict=True))
        )
        return Score(self._start + sum(one.bits for one in reasons), levels, reasons)

    def is_certain(self, score: Score) -> bool:
        """True where the pair may be merged without asking: very likely, and nothing that names a person differs."""
        return score.bits >= CERTAIN_BITS and all(score.levels[at] != DIFFERS for at in self._against)

    def _weigh(self, levels: Levels, left: Described, right: Described) -> float:
        total = self._start
        for at, level in enumerate(levels):
            if level != MISSING:
                total += self._bits[at][level]
                if level == AGREES and self._shares[at]:
                    total += self._rare(at, left, right)
        return total

    def _rare(self, at: int, left: Described, right: Described) -> float:
        """The bits that a rarer value than usual adds, or a commoner one takes."""
        shares = self._shares[at]
        if not shares:
            return 0.0
        share = min(shares.get(one, self._rarest) for one in shared_values(left.values[at], right.values[at]))
        return max(-MOST_LESS, min(MOST_MORE, log2(self._agree[at] / max(share, LEAST_SHARE))))


def shared_values(left: Any, right: Any) -> Sequence[str]:
    """The values on which two fields agree, as they stand in the model's shares; at least one."""
    if isinstance(left, str):
        return (left,)
    if isinstance(left, Place):
        return (left.code if left.code and left.code == right.code else left.city,)
    if isinstance(left, Street):
        return (left.text,)
    if isinstance(left, frozenset):
        return tuple(left & right)
    if left == right and left and "@" not in left[0] and not left[0].isdecimal():
        return (" ".join(left),)  # an organization's name
    return tuple(one for one in left if one in right) or (" ".join(left),)
