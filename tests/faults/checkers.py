"""What a history of acknowledged writes, deliveries and effects must fulfil; each answers what speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

Fact = tuple[str, int]  # record and version


def find_lost(acknowledged: Iterable[Fact], effects: Iterable[Fact]) -> set[Fact]:
    """Writes that were acknowledged and had no effect."""
    return set(acknowledged) - set(effects)


def find_unexpected(told: Iterable[Fact], source: Mapping[str, int]) -> set[Fact]:
    """Facts that were told of a record, or of a version of one, which its source does not have."""
    return {(record, version) for record, version in told if version > source.get(record, 0)}


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


def find_gaps(told: Iterable[Fact]) -> set[Fact]:
    """Versions of a record that were left out below its newest one."""
    versions: dict[str, set[int]] = {}
    for record, version in told:
        versions.setdefault(record, set()).add(version)
    return {(record, one) for record, seen in versions.items() for one in range(1, max(seen)) if one not in seen}


def find_apart(source: Mapping[str, int], copy: Mapping[str, int]) -> set[str]:
    """Records whose copy shows another version than their source, or is missing, or is nobody's."""
    return {record for record in source.keys() | copy.keys() if source.get(record) != copy.get(record)}


def newest_of(facts: Iterable[Fact]) -> dict[str, int]:
    """The newest version of each record."""
    newest: dict[str, int] = {}
    for record, version in facts:
        newest[record] = max(version, newest.get(record, 0))
    return newest
