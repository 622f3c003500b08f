"""Which customers became one: where the id of a merged card leads, and which records moved with it.

The owner of the cards and everybody who refers to them keep the same two tables, filled by the same functions. A merge
is noted once, whatever number of times and in whatever order its events come; records that came over a chain of merges
are noted for each of them, so that each can be undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from chassis.copying import array_text, plain_array
from chassis.database import UnitOfWork
from chassis.ids import is_id
from chassis.prepared import Prepared

metadata = sa.MetaData()


def _uuid() -> UUID[str]:
    return UUID(as_uuid=False)


# survivor_id is the card of that merge, final_id the one it is part of by now; one merge may have several merged cards.
customer_merge = sa.Table(
    "customer_merge",
    metadata,
    sa.Column("merge_id", _uuid(), primary_key=True),
    sa.Column("merged_id", _uuid(), primary_key=True),
    sa.Column("survivor_id", _uuid(), nullable=False),
    sa.Column("final_id", _uuid(), nullable=False),
    sa.Column("undone", sa.Boolean, nullable=False),
    sa.Index("customer_merge_merged", "merged_id"),
    sa.Index("customer_merge_survivor", "survivor_id"),
    sa.Index("customer_merge_final", "final_id"),
)

# `field`: what of the record named the merged card.
moved_record = sa.Table(
    "moved_record",
    metadata,
    sa.Column("merge_id", _uuid(), primary_key=True),
    sa.Column("merged_id", _uuid(), primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("record_id", _uuid(), primary_key=True),
)


@dataclass(frozen=True, slots=True)
class Merge:
    """That a card became part of another one in a merge."""

    merge_id: str
    merged_id: str
    survivor_id: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A record whose `field` named `merged_id` before a merge; unless somebody changed it, it names `final_id` now."""

    record_id: str
    field: str
    merged_id: str
    final_id: str


_GIVEN = "unnest(CAST(:merges AS uuid[]), CAST(:merged AS uuid[]), CAST(:survivors AS uuid[]))"
_AS_GIVEN = "AS given (merge_id, merged_id, survivor_id)"
_NOTE = Prepared(
    sa.text(f"""
INSERT INTO customer_merge (merge_id, merged_id, survivor_id, final_id, undone)
SELECT merge_id, merged_id, survivor_id, survivor_id, false FROM {_GIVEN} {_AS_GIVEN} ORDER BY merge_id, merged_id
ON CONFLICT DO NOTHING
RETURNING CAST(merge_id AS text), CAST(merged_id AS text), CAST(survivor_id AS text), CAST(final_id AS text)""")
)
# xmax is 0 exactly in rows that this statement inserted: of those no record has moved.
_UNDO = Prepared(
    sa.text(f"""
WITH done AS (
  INSERT INTO customer_merge (merge_id, merged_id, survivor_id, final_id, undone)
  SELECT merge_id, merged_id, survivor_id, survivor_id, true FROM {_GIVEN} {_AS_GIVEN} ORDER BY merge_id, merged_id
  ON CONFLICT (merge_id, merged_id) DO UPDATE SET undone = true WHERE NOT customer_merge.undone
  RETURNING merge_id, merged_id, survivor_id, final_id, xmax = 0 AS is_new)
SELECT CAST(merge_id AS text), CAST(merged_id AS text), CAST(survivor_id AS text), CAST(final_id AS text)
FROM done WHERE NOT is_new""")
)
# Who of two services' news comes first is open: a ring, which later news will break, ends at the first step.
_FOLLOW = Prepared(
    sa.text("""
WITH RECURSIVE line (merge_id, merged_id, at_id, steps) AS (
  SELECT merge_id, merged_id, survivor_id, 1 FROM customer_merge
  WHERE NOT undone AND (final_id = ANY(CAST(:touched AS uuid[])) OR survivor_id = ANY(CAST(:touched AS uuid[]))
                        OR merged_id = ANY(CAST(:touched AS uuid[])))
  UNION
  SELECT line.merge_id, line.merged_id, up.survivor_id, line.steps + 1
  FROM line JOIN customer_merge AS up ON up.merged_id = line.at_id AND NOT up.undone WHERE line.steps < 50
),
last AS (
  SELECT DISTINCT ON (merge_id, merged_id) merge_id, merged_id, at_id FROM line
  WHERE NOT EXISTS (SELECT FROM customer_merge AS up WHERE up.merged_id = line.at_id AND NOT up.undone)
  ORDER BY merge_id, merged_id, steps)
UPDATE customer_merge SET final_id = coalesce(last.at_id, survivor_id)
FROM line LEFT JOIN last USING (merge_id, merged_id)
WHERE line.steps = 1 AND customer_merge.merge_id = line.merge_id AND customer_merge.merged_id = line.merged_id""")
)
_SURVIVORS = Prepared(
    sa.text("""
SELECT CAST(merged_id AS text) AS merged_id, CAST(final_id AS text) AS final_id FROM customer_merge
WHERE merged_id = ANY(CAST(:ids AS uuid[])) AND NOT undone""")
)
_MERGED_INTO = Prepared(
    sa.text("""
SELECT CAST(merged_id AS text) AS merged_id FROM customer_merge
WHERE final_id = ANY(CAST(:ids AS uuid[])) AND NOT undone""")
)
# Each step of the way from the card a record named to the one it names now.
_KEEP = Prepared(
    sa.text("""
WITH RECURSIVE hop (root_id, merge_id, merged_id, survivor_id) AS (
  SELECT merged_id, merge_id, merged_id, survivor_id FROM customer_merge
  WHERE NOT undone AND merged_id = ANY(CAST(:roots AS uuid[]))
  UNION
  SELECT hop.root_id, up.merge_id, up.merged_id, up.survivor_id
  FROM hop JOIN customer_merge AS up ON up.merged_id = hop.survivor_id AND NOT up.undone
)
INSERT INTO moved_record (merge_id, merged_id, field, record_id)
SELECT hop.merge_id, hop.merged_id, moved.field, moved.record_id
FROM unnest(CAST(:roots AS uuid[]), CAST(:fields AS text[]), CAST(:records AS uuid[]))
     AS moved (root_id, field, record_id) JOIN hop USING (root_id)
ON CONFLICT DO NOTHING""")
)
_MOVED = Prepared(
    sa.text(f"""
SELECT CAST(record_id AS text) AS record_id, field, CAST(moved.merged_id AS text) AS merged_id,
       CAST(coalesce((SELECT up.final_id FROM customer_merge AS up
                      WHERE up.merged_id = given.survivor_id AND NOT up.undone LIMIT 1),
                     given.survivor_id) AS text) AS final_id
FROM moved_record AS moved JOIN {_GIVEN} {_AS_GIVEN}
  ON moved.merge_id = given.merge_id AND moved.merged_id = given.merged_id""")
)


def note_merges(work: UnitOfWork, merges: Iterable[Merge]) -> list[Merge]:
    """Note merges and answer those that were not noted before: only of these records are to be moved."""
    return _note(work, _NOTE, merges)


def note_unmerges(work: UnitOfWork, merges: Iterable[Merge]) -> list[Merge]:
    """Note that merges were undone, and answer those that stood until now: only of these records are to go back."""
    return _note(work, _UNDO, merges)


def _note(work: UnitOfWork, statement: Prepared, merges: Iterable[Merge]) -> list[Merge]:
    given = list(dict.fromkeys(merges))
    noted = work.fetch(statement, _arrays(given)) if given else []
    if noted:
        # Whatever led to one of these may lead elsewhere from now on.
        work.run(_FOLLOW, {"touched": plain_array({id_ for row in noted for id_ in row[1:]})})
    return [Merge(*row[:3]) for row in noted]


def find_survivors(work: UnitOfWork, card_ids: Iterable[str]) -> dict[str, str]:
    """By each of these ids whose card was merged: the card it leads to now."""
    asked = {one for one in card_ids if is_id(one)}
    if not asked:
        return {}
    return {row.merged_id: row.final_id for row in work.fetch(_SURVIVORS, {"ids": plain_array(asked)})}


def list_merged_into(work: UnitOfWork, card_id: str) -> list[str]:
    """The ids that lead to this card, its own left out."""
    return [row.merged_id for row in work.fetch(_MERGED_INTO, {"ids": plain_array([card_id])})]


def keep_moved(work: UnitOfWork, moved: Sequence[tuple[str, str, str]]) -> None:
    """Note records that moved with merges noted before: (merged card, field, record) each."""
    if moved:
        roots, fields, records = zip(*moved, strict=True)
        work.run(_KEEP, {"roots": plain_array(roots), "fields": array_text(fields), "records": plain_array(records)})


def list_moved(work: UnitOfWork, undone: Sequence[Merge]) -> list[Moved]:
    """The records that moved with merges that were just undone; those that name `final_id` still are to go back."""
    return [Moved(*row) for row in work.fetch(_MOVED, _arrays(undone))] if undone else []


def _arrays(given: Sequence[Merge]) -> dict[str, str]:
    return {
        "merges": plain_array(one.merge_id for one in given),
        "merged": plain_array(one.merged_id for one in given),
        "survivors": plain_array(one.survivor_id for one in given),
    }
