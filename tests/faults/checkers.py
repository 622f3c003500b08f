"""What a history of acknowledged writes, deliveries and effects must fulfil; each answers what speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

Fact = tuple[str, int]  # record and version


def find_lost(acknowledged: Iterable[Fact], effects: Iterable[Fact]) -> set[Fact]:
    """Writes that were acknowledged and had no effect."""
    return set(acknowledged) - set(effects)


def find_doubled(effects: Iterable[Hashable]) -> list[Hashable]:
    """Events that had their effect more than once."""
    return [fact for fact, count in Counter(effects).items() if count > 1]


def find_disordered(deliveries: Sequence[Fact]) -> list[tuple[Fact, Fact]]:
    """First deliveries of a record that came behind a newer one; repetitions are no disorder."""
    newest: dict[str, int] = {}
    seen: set[Fact] = set()
    found = []
    for record, version in deliveries:
        if (record, version) in seen:
            continue
        seen.add((record, version))
        if version < newest.get(record, 0):
            found.append(((record, newest[record]), (record, version)))
        newest[record] = max(version, newest.get(record, 0))
    return found


def find_apart(source: Mapping[str, int], copy: Mapping[str, int]) -> set[str]:
    """Records whose copy shows another version than their source, or is missing, or is nobody's."""
    return {record for record in source.keys() | copy.keys() if source.get(record) != copy.get(record)}
