"""Which cards of many pairs are one customer together: groups in which the cards agree on the whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NOT_FOUND = -4.0  # bits of a pair that was not found: it scored below zero, or shares no block at all
MOST_IN_GROUP = 60  # cards; more than that are not one customer but a mistake of the scores


def group_cards(pairs: Mapping[tuple[str, str], float]) -> list[frozenset[str]]:
    """Groups of two cards or more, from the surest pair on; two groups join where their cards agree on average.

    Shapes: `pairs` hold (smaller id, greater id) and bits.
    """
    of_card: dict[str, frozenset[str]] = {}
    for (left, right), bits in sorted(pairs.items(), key=lambda one: (-one[1], one[0])):
        if bits < 0:
            break
        ours, theirs = of_card.get(left, frozenset((left,))), of_card.get(right, frozenset((right,)))
        if ours is theirs or right in ours or len(ours) + len(theirs) > MOST_IN_GROUP:
            continue
        if _average(ours, theirs, pairs) >= 0:
            joined = ours | theirs
            of_card |= dict.fromkeys(joined, joined)
    return list(set(of_card.values()))


def _average(ours: Iterable[str], theirs: Iterable[str], pairs: Mapping[tuple[str, str], float]) -> float:
    bits = [pairs.get((min(one, other), max(one, other)), NOT_FOUND) for one in ours for other in theirs]
    return sum(bits) / len(bits)
