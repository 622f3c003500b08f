"""What belonged to merged cards goes to the survivor, and back: one statement for all records of a kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from chassis.copying import plain_array
from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts.events import interaction_moved
from contacts.hierarchy import lines_above, stands_below
from contacts.queries import ids, load_cards
from contacts.storing import update_cards
from contacts.tables import organization
from units.merges import Moved, keep_moved
from units.tables import unit

INTERACTION_FIELDS = {"person": "person_id", "organization": "organization_id"}
PARENT, REQUEST = "parent_id", "access_request"
_TAKE_INTERACTIONS = {
    field: Prepared(
        sa.text(f"""
WITH moving AS MATERIALIZED (
  SELECT id, CAST({field} AS text) AS merged_id FROM interaction WHERE {field} = ANY(CAST(:merged AS uuid[]))
  ORDER BY id FOR UPDATE)
UPDATE interaction SET {field} = CAST(:survivor AS uuid), version = version + 1 FROM moving
WHERE interaction.id = moving.id RETURNING interaction.*, moving.merged_id""")
    )
    for field in INTERACTION_FIELDS.values()
}
_GIVE_INTERACTIONS = {
    field: Prepared(
        sa.text(f"""
UPDATE interaction SET {field} = back.merged_id, version = version + 1
FROM unnest(CAST(:records AS uuid[]), CAST(:merged AS uuid[])) AS back (id, merged_id)
WHERE interaction.id = back.id AND {field} = CAST(:survivor AS uuid) RETURNING interaction.*""")
    )
    for field in INTERACTION_FIELDS.values()
}
# A pair of a merged card and another one is from now on one of the survivor; what somebody said of it stays said.
_PAIR = "record_type, reason, create_time, bits, agreements, find_time, dismiss_time, dismisser_id, dismisser_name"
_TAKE_PAIRS = Prepared(
    sa.text(f"""
WITH gone AS (
  DELETE FROM possible_duplicate
  WHERE first_id = ANY(CAST(:merged AS uuid[])) OR second_id = ANY(CAST(:merged AS uuid[])) RETURNING *),
led AS (
  SELECT gone.*, CASE WHEN first_id = ANY(CAST(:merged AS uuid[])) THEN CAST(:survivor AS uuid) ELSE first_id END AS a,
         CASE WHEN second_id = ANY(CAST(:merged AS uuid[])) THEN CAST(:survivor AS uuid) ELSE second_id END AS b
  FROM gone),
kept AS (
  INSERT INTO possible_duplicate (first_id, second_id, dismiss_note, {_PAIR})
  SELECT least(a, b), greatest(a, b), dismiss_note, {_PAIR} FROM led WHERE a <> b
  ORDER BY dismiss_time NULLS LAST ON CONFLICT DO NOTHING)
UPDATE card_merge SET pairs = coalesce((SELECT jsonb_agg(to_jsonb(gone)) FROM gone), '[]')
WHERE id = CAST(:merge_id AS uuid)""")
)
_GIVE_PAIRS = Prepared(
    sa.text(f"""
INSERT INTO possible_duplicate (first_id, second_id, dismiss_note, {_PAIR})
SELECT first_id, second_id, dismiss_note, {_PAIR}
FROM (SELECT pairs FROM card_merge WHERE id = CAST(:merge_id AS uuid)) AS kept
CROSS JOIN jsonb_populate_recordset(NULL::possible_duplicate, kept.pairs) AS pair
WHERE NOT EXISTS (
  SELECT FROM customer_merge WHERE merged_id IN (pair.first_id, pair.second_id) AND NOT undone)
ON CONFLICT DO NOTHING""")
)
# Somebody who asked for two of the cards asks once from now on.
_CLOSE_REQUESTS = Prepared(
    sa.text("""
UPDATE access_request AS asked SET state = 'declined', decide_time = :now
WHERE state = 'open' AND record_id = ANY(CAST(:merged AS uuid[])) AND EXISTS (
  SELECT FROM access_request AS other
  WHERE other.state = 'open' AND other.requester_id = asked.requester_id AND (
    other.record_id = CAST(:survivor AS uuid) OR other.record_id = ANY(CAST(:merged AS uuid[])) AND other.id < asked.id
  ))""")
)
_TAKE_REQUESTS = Prepared(
    sa.text("""
WITH moving AS MATERIALIZED (
  SELECT id, CAST(record_id AS text) AS merged_id FROM access_request
  WHERE record_id = ANY(CAST(:merged AS uuid[])) FOR UPDATE)
UPDATE access_request SET record_id = CAST(:survivor AS uuid) FROM moving
WHERE access_request.id = moving.id RETURNING CAST(moving.id AS text) AS id, moving.merged_id""")
)
_GIVE_REQUESTS = Prepared(
    sa.text("""
UPDATE access_request SET record_id = back.merged_id
FROM unnest(CAST(:records AS uuid[]), CAST(:merged AS uuid[])) AS back (id, merged_id)
WHERE access_request.id = back.id AND record_id = CAST(:survivor AS uuid)""")
)


def take_interactions(work: UnitOfWork, record_type: str, merged_ids: Sequence[str], survivor_id: str) -> int:
    """Interactions with merged cards are with the survivor from now on. Answers how many."""
    field = INTERACTION_FIELDS[record_type]
    values = {"merged": plain_array(merged_ids), "survivor": survivor_id}
    rows = [row._asdict() for row in work.fetch(_TAKE_INTERACTIONS[field], values)]
    keep_moved(work, [(row["merged_id"], field, row["id"]) for row in rows])
    _say_moved(work, rows)
    return len(rows)


def give_interactions(work: UnitOfWork, record_type: str, moved: Sequence[Moved], survivor_id: str) -> int:
    """Interactions that are still the survivor's go back. Answers how many."""
    field = INTERACTION_FIELDS[record_type]
    values = _back(moved, field, survivor_id)
    rows = [row._asdict() for row in work.fetch(_GIVE_INTERACTIONS[field], values)]
    _say_moved(work, rows)
    return len(rows)


def take_rest(work: UnitOfWork, merge_id: str, merged_ids: Sequence[str], survivor_id: str) -> None:
    """Possible duplicates and requests for access that named merged cards name the survivor."""
    values = {"merged": plain_array(merged_ids), "survivor": survivor_id}
    work.run(_TAKE_PAIRS, {**values, "merge_id": merge_id})
    work.run(_CLOSE_REQUESTS, {**values, "now": work.now})
    asked = work.fetch(_TAKE_REQUESTS, values)
    keep_moved(work, [(row.merged_id, REQUEST, row.id) for row in asked])


def give_rest(work: UnitOfWork, merge_id: str, moved: Sequence[Moved], survivor_id: str) -> None:
    """Possible duplicates and requests for access are those of the cards again."""
    work.run(_GIVE_PAIRS, {"merge_id": merge_id})
    work.run(_GIVE_REQUESTS, _back(moved, REQUEST, survivor_id))


def take_children(work: UnitOfWork, merged_ids: Sequence[str], survivor_id: str) -> None:
    """Organizations below a merged one stand below the survivor from now on."""
    c = organization.c
    found = sa.select(c.id).where(c.parent_id == sa.any_(ids(merged_ids)), c.id != survivor_id, c.id.not_in(merged_ids))
    below = load_cards(work, organization, list(work.execute(found).scalars()))
    keep_moved(work, [(getattr(card, PARENT), PARENT, card.id) for card in below.values()])
    for card in below.values():
        setattr(card, PARENT, survivor_id)
    update_cards(work, [(card, [PARENT]) for card in below.values()])


def give_children(work: UnitOfWork, moved: Sequence[Moved], survivor_id: str) -> None:
    """Organizations that still stand below the survivor stand below theirs again."""
    above = {one.record_id: one.merged_id for one in moved if one.field == PARENT}
    found = load_cards(work, organization, sorted(above))
    below = [card for card in found.values() if getattr(card, PARENT) == survivor_id]
    for card in below:
        setattr(card, PARENT, above[card.id])
    update_cards(work, [(card, [PARENT]) for card in below])


def stands_above_itself(work: UnitOfWork, card_id: str, parent_id: str) -> bool:
    """Tell whether an organization would stand above itself below this one."""
    return bool(parent_id) and stands_below(lines_above(work, [parent_id]), parent_id, card_id)


def _say_moved(work: UnitOfWork, rows: Sequence[Mapping[str, Any]]) -> None:
    wanted = {row["unit_id"] for row in rows}
    found = work.execute(sa.select(unit.c.id, unit.c.path).where(unit.c.id == sa.any_(ids(wanted)))) if wanted else ()
    paths = {one.id: one.path for one in found}
    for row in rows:
        subject = row["person_id"] or row["organization_id"]
        path = paths.get(row["unit_id"], "")
        work.add_event(interaction_moved(row), "interaction", row["id"], row["version"], path, subject)


def _back(moved: Sequence[Moved], field: str, survivor_id: str) -> dict[str, str]:
    found = [one for one in moved if one.field == field]
    return {
        "records": plain_array(one.record_id for one in found),
        "merged": plain_array(one.merged_id for one in found),
        "survivor": survivor_id,
    }
