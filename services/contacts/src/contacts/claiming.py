"""Who holds which identity: claimed in one statement, so that of two transactions with the same customer one waits.

`INSERT … ON CONFLICT DO NOTHING` in the order of keys: whoever comes second waits for the first to commit, then reads
its card. The order is the same for all, so batches cannot wait for each other in a ring. The keys of a batch are mostly
new: those that nobody holds go by COPY, which takes two thirds of the server's time, and only where somebody else just
claimed one of them, all are claimed the careful way.

A card that was merged keeps its keys, which lead to the survivor: so they are its own again once the merge is undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from chassis.database import UnitOfWork
from chassis.prepared import Prepared
from contacts.tables import match_key

COPY_FROM = 100  # keys; fewer are claimed in one trip to the server instead of four
ROUNDS = 5  # a key released between claim and look is claimed again; five times in a row does not happen
_ARRAYS = "CAST(:keys AS uuid[]), CAST(:records AS uuid[])"
_CLAIM = Prepared(
    sa.text(f"""
WITH wanted AS MATERIALIZED (SELECT key, record_id FROM unnest({_ARRAYS}) AS wanted (key, record_id)),
claimed AS (
  INSERT INTO match_key (key, record_id) SELECT key, record_id FROM wanted ORDER BY key
  ON CONFLICT DO NOTHING RETURNING key
)
SELECT replace(string_agg(CAST(key AS text), ','), '-', '') AS keys
FROM (SELECT key FROM wanted EXCEPT ALL SELECT key FROM claimed) AS denied""")
)
_HOLDERS = Prepared(
    sa.text("""
SELECT replace(string_agg(CAST(key AS text), ','), '-', '') AS keys,
       string_agg(CAST(coalesce(merged.final_id, record_id) AS text), ',') AS records
FROM match_key LEFT JOIN customer_merge AS merged ON merged.merged_id = record_id AND NOT merged.undone
WHERE key = ANY(CAST(:keys AS uuid[]))""")
)
_MOVE = Prepared(
    sa.text(f"""
UPDATE match_key SET record_id = wanted.record_id FROM unnest({_ARRAYS}) AS wanted (key, record_id)
WHERE match_key.key = wanted.key""")
)
_RELEASE = Prepared(
    sa.text(f"""
DELETE FROM match_key USING unnest({_ARRAYS}) AS held (key, record_id)
WHERE match_key.key = held.key AND (
  match_key.record_id = held.record_id OR match_key.record_id IN (
    SELECT merged_id FROM customer_merge WHERE final_id = held.record_id AND NOT undone))""")
)


class KeysNotHeld(RuntimeError):
    """Keys were taken and released by others again and again."""


def claim_keys(work: UnitOfWork, wanted: Mapping[str, str]) -> dict[str, str]:
    """Claim digests for records (`wanted`: digest -> record) and answer who holds each one now."""
    if len(wanted) >= COPY_FROM:
        held = find_holders(work, wanted)
        free = sorted(wanted.keys() - held.keys())
        if work.copy_new_rows(match_key, ("key", "record_id"), [(digest, wanted[digest]) for digest in free]):
            return {**wanted, **held}
    holders = dict(wanted)
    left = wanted
    for _ in range(ROUNDS):
        denied = work.fetch(_CLAIM, _arrays(left))[0][0] if left else None
        if not denied:
            return holders
        held = find_holders(work, denied.split(","))
        holders |= held
        left = {digest: wanted[digest] for digest in denied.split(",") if digest not in held}
    if left:
        raise KeysNotHeld(f"{len(left)} keys could not be claimed in {ROUNDS} rounds")
    return holders


def find_holders(work: UnitOfWork, digests: Iterable[str]) -> dict[str, str]:
    """Who holds each of the digests; those that nobody holds are left out."""
    asked = list(digests)
    if not asked:
        return {}
    [found] = work.fetch(_HOLDERS, {"keys": _array(asked)})
    return dict(zip(found[0].split(","), found[1].split(","), strict=True)) if found[0] else {}


def move_keys(work: UnitOfWork, moves: Mapping[str, str]) -> None:
    """Give claimed digests to other records (`moves`: digest -> record)."""
    if moves:
        work.run(_MOVE, _arrays(moves))


def release_keys(work: UnitOfWork, held: Mapping[str, str]) -> None:
    """Let go of digests that these records hold (`held`: digest -> record)."""
    if held:
        work.run(_RELEASE, _arrays(held))


def _arrays(pairs: Mapping[str, str]) -> dict[str, str]:
    return {"keys": _array(pairs), "records": _array(pairs.values())}


def _array(values: Iterable[str]) -> str:
    """Ids as the text of a PostgreSQL array: one parameter, read by the server."""
    return "{" + ",".join(values) + "}"
