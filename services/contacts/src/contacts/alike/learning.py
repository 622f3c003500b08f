"""The weights a base itself teaches, without anybody saying which pairs are one customer. Pure.

Expectation-maximization over all pairs of the base: those that share no block count as two customers, so that what a
block has in common is no news of its own; `u` is seen in pairs taken at random, less those that are one customer after
all. The defaults stand in as so many pairs seen before, so that a small base moves them little.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import log2

from contacts.alike.comparing import MISSING, Levels
from contacts.alike.scoring import probability_of
from contacts.alike.weights import LEAST_SHARE, SEEN, Model, Shares

Seen = Mapping[Levels, float]  # how many pairs showed these levels
ROUNDS = 25
USUAL_SAME, USUAL_OTHER = 40.0, 400.0  # pairs that the defaults count for
ENOUGH = 1e-4  # change of the share of one customer's pairs at which it has settled
MOST_A_CARD = 4.0  # pairs of one customer a card; a base where each has more is not one of customers


def learn_weights(model: Model, candidates: Seen, at_random: Seen) -> Model:
    """The model with weights as the pairs show them; `at_random` are pairs of any two cards."""
    pairs = model.cards * (model.cards - 1) / 2
    if not candidates or pairs < 1:
        return model
    usual = model
    for _ in range(ROUNDS):
        same = _weigh_patterns(model, candidates)
        other = {
            levels: count - one
            for (levels, count), one in zip(at_random.items(), _weigh_patterns(model, at_random).values(), strict=True)
        }
        expected = min(sum(same.values()), MOST_A_CARD * model.cards)
        chance = min(max((expected + 1) / (pairs + 2 * pairs / model.cards), 1e-12), 0.5)
        settled = abs(chance - model.chance) < ENOUGH * model.chance
        model = replace(
            model,
            chance=chance,
            m=tuple(_shares_of(same, at, one, USUAL_SAME) for at, one in enumerate(usual.m)),
            u=tuple(_shares_of(other, at, one, USUAL_OTHER) for at, one in enumerate(usual.u)),
        )
        if settled:
            break
    return model


def _weigh_patterns(model: Model, seen: Seen) -> dict[Levels, float]:
    """How many of the pairs of each pattern are one customer, as the model expects."""
    bits, start = model.bits(), log2(model.chance / (1 - model.chance))
    return {
        levels: count * probability_of(start + sum(bits[at][level] for at, level in enumerate(levels)))
        for levels, count in seen.items()
    }


def _shares_of(weights: Mapping[Levels, float], at: int, usual: Shares, strength: float) -> Shares:
    seen = [strength * one for one in usual]
    for levels, weight in weights.items():
        if levels[at] != MISSING:
            seen[levels[at] - 1] += weight
    total = sum(seen)
    differs, partly, nearly, agrees = (max(seen[level - 1] / total, LEAST_SHARE) for level in SEEN)
    return differs, partly, nearly, agrees
