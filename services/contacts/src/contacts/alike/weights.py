"""What an agreement is worth: the model of one record type, with general defaults where nothing was learned. Pure.

After Fellegi and Sunter: `m` is how often a field shows a level in pairs of one customer, `u` how often in pairs of
two, and the weight is their ratio. Agreeing on a common value is worth less than on a rare one.
Source: Fellegi and Sunter, A Theory for Record Linkage, 1969; Winkler on the frequency of values, 2000.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import log2
from typing import Any

from contacts.alike.comparing import AGREES, DIFFERS, MISSING, NEARLY, PARTLY
from contacts.alike.describing import (
    BIRTH,
    EMPLOYER,
    FACT,
    FAMILY,
    GIVEN,
    MAIL,
    MIDDLE,
    NAME,
    ORGANIZATION_FIELDS,
    PERSON_FIELDS,
    PLACE,
    STREET,
    TAX,
    TELEPHONE,
)

PERSON, ORGANIZATION = "person", "organization"
SEEN = (DIFFERS, PARTLY, NEARLY, AGREES)
Shares = tuple[float, float, float, float]  # of differs, partly, nearly, agrees; they sum to one
CARDS_A_DUPLICATE = 10  # one card in so many has another one, before anything is known of a base
LEAST_SHARE = 1e-6  # no level is less likely than this: a base never has enough pairs to say more
MOST_MORE, MOST_LESS = 4.0, 6.0  # bits that a rare value adds and a common one takes, at most

# Estimates for customers of companies: people mistype one value in ten to twenty, move, and change numbers.
_USUAL: dict[str, tuple[Shares, Shares]] = {
    GIVEN: ((0.07, 0.08, 0.10, 0.75), (0.94, 0.04, 0.01, 0.01)),
    FAMILY: ((0.08, 0.05, 0.12, 0.75), (0.972, 0.02, 0.004, 0.004)),
    MIDDLE: ((0.10, 0.15, 0.05, 0.70), (0.90, 0.07, 0.01, 0.02)),
    BIRTH: ((0.06, 0.06, 0.08, 0.80), (0.9935, 0.0045, 0.0019, 0.0001)),
    MAIL: ((0.25, 0.05, 0.10, 0.60), (0.9988, 0.001, 0.0001, 0.0001)),
    TELEPHONE: ((0.35, 0.01, 0.09, 0.55), (0.9988, 0.0002, 0.0005, 0.0005)),
    STREET: ((0.20, 0.10, 0.15, 0.55), (0.948, 0.05, 0.0015, 0.0005)),
    PLACE: ((0.20, 0.02, 0.13, 0.65), (0.96, 0.005, 0.015, 0.02)),
    TAX: ((0.05, 0.01, 0.09, 0.85), (0.99987, 0.00002, 0.0001, 0.00001)),
    EMPLOYER: ((0.40, 0.01, 0.01, 0.58), (0.9979, 0.0001, 0.0001, 0.0019)),
    NAME: ((0.10, 0.20, 0.20, 0.50), (0.978, 0.02, 0.0015, 0.0005)),
}
_USUAL_FACT: tuple[Shares, Shares] = ((0.20, 0.08, 0.12, 0.60), (0.985, 0.01, 0.003, 0.002))


@dataclass(frozen=True)
class Model:
    """Weights for one record type over `cards` cards; `learn_time` is None for the defaults.

    `chance`: the share of all pairs that are one customer. `shares`: of a field's commoner values, how many cards have
    them; `rarity`: bits a word of organizations' names is worth.
    """

    record_type: str
    cards: int
    fields: tuple[str, ...]
    m: tuple[Shares, ...]
    u: tuple[Shares, ...]
    chance: float
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    rarity: Mapping[str, float] = field(default_factory=dict)
    learn_time: datetime | None = None

    @property
    def facts(self) -> tuple[str, ...]:
        """The further facts that are compared."""
        return tuple(name.removeprefix(FACT) for name in self.fields if name.startswith(FACT))

    def bits(self) -> list[list[float]]:
        """The weight of each field's levels in bits, positive where it speaks for one customer."""
        return [
            [0.0, *(log2(same / other) for same, other in zip(ours, theirs, strict=True))]
            for ours, theirs in zip(self.m, self.u, strict=True)
        ]


def default_model(
    record_type: str,
    cards: int,
    facts: Sequence[str] = (),
    shares: Mapping[str, Mapping[str, float]] | None = None,
    rarity: Mapping[str, float] | None = None,
) -> Model:
    """The model of a base of which only its size and its values' shares are known."""
    own = PERSON_FIELDS if record_type == PERSON else ORGANIZATION_FIELDS
    fields = (*own, *(FACT + name for name in facts))
    usual = [_USUAL.get(name, _USUAL_FACT) for name in fields]
    chance = 2 / CARDS_A_DUPLICATE / max(cards, 10)
    return Model(
        record_type, cards, fields, tuple(m for m, _ in usual), tuple(u for _, u in usual), chance, shares or {},
        rarity or {},
    )  # fmt: skip


def pack_model(model: Model) -> dict[str, Any]:
    """The model as kept in the database."""
    return {name: getattr(model, name) for name in ("cards", "fields", "m", "u", "chance", "shares", "rarity")}


def unpack_model(record_type: str, packed: Mapping[str, Any], learn_time: datetime) -> Model:
    """The model that was packed."""
    return Model(
        record_type,
        packed["cards"],
        tuple(packed["fields"]),
        tuple(tuple(one) for one in packed["m"]),
        tuple(tuple(one) for one in packed["u"]),
        packed["chance"],
        packed["shares"],
        packed["rarity"],
        learn_time,
    )


__all__ = ["MISSING", "ORGANIZATION", "PERSON", "Model", "Shares", "default_model", "pack_model", "unpack_model"]
