"""The search for possible duplicates: asked for, run as a job that survives its process, and its results kept.

A whole search learns the weights of the base and compares all of it, part by part; what it no longer finds goes, unless
somebody said something of it. Others compare the cards that changed since the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import IMPORT
from chassis.audit.entries import ACT, write_entry
from chassis.database import Database, UnitOfWork
from chassis.dates import to_time
from chassis.errors import DomainError
from chassis.jobs import Job, add_job
from contacts.alike.blocking import count_parts
from contacts.alike.comparing import MISSING
from contacts.alike.finding import Found
from contacts.alike.reading import TABLES
from contacts.alike.scoring import Scorer
from contacts.alike.weights import Model, pack_model, unpack_model
from contacts.alike.whole_base import Part, find_in_part, find_of_cards, learn_base
from contacts.errors import invalid
from contacts.tables import duplicate_search, possible_duplicate
from crm.contacts.v1 import contacts_pb2 as pb

JOB = "find_duplicates"
CHANGED_AT_ONCE = 5_000  # cards; looking for their partners reads the keys of the whole base once
OPEN = ("waiting", "running")
# A change is committed after its time; what was in the making when the last search began is looked at again.
OVERLAP = timedelta(minutes=1)


def find_duplicates(work: UnitOfWork, request: pb.FindDuplicatesRequest) -> pb.FindDuplicatesResponse:
    """Ask for a search; the one that is under way is answered. Errors: FieldInvalid, NotPermitted."""
    work.access.require_somewhere(IMPORT)
    if request.record_type not in TABLES:
        raise invalid("record_type", f"is {request.record_type[:50]!r}; use {' or '.join(TABLES)}", "UNKNOWN")
    ask_search(work, request.record_type, whole=request.whole_base)
    write_entry(work, ACT, "contacts/FindDuplicates", request.record_type)
    row = work.execute(_one(request.record_type)).one()
    return pb.FindDuplicatesResponse(duplicate_search=_message(row))


def get_duplicate_searches(
    work: UnitOfWork, _request: pb.GetDuplicateSearchesRequest
) -> pb.GetDuplicateSearchesResponse:
    """The last search of each record type. Errors: NotPermitted."""
    work.access.require_somewhere(IMPORT)
    rows = work.execute(sa.select(duplicate_search).order_by(duplicate_search.c.record_type))
    return pb.GetDuplicateSearchesResponse(duplicate_searches=[_message(row) for row in rows])


def ask_search(work: UnitOfWork, record_type: str, *, whole: bool) -> None:
    """Add a job unless one of this record type is under way."""
    c = duplicate_search.c
    first = {"record_type": record_type, "job_id": _NOBODY, "state": "done", "request_time": work.now}
    work.execute(insert(duplicate_search).values(first).on_conflict_do_nothing())
    row = work.execute(_one(record_type).with_for_update()).one()
    if row.state in OPEN:
        return
    whole = whole or row.model is None
    job_id = add_job(work, JOB, {"record_type": record_type, "whole": whole})
    begun = {"job_id": job_id, "state": "waiting", "request_time": work.now, "end_time": None}
    fresh = {**begun, "cards": 0, "pairs": 0, "blocks_left_out": 0}
    work.execute(sa.update(duplicate_search).where(c.record_type == record_type).values(fresh))


def search_changed(database: Database) -> None:
    """Have the cards compared that changed since the last search, of each record type that was searched before."""
    with database.transaction() as work:
        for record_type in work.execute(sa.select(duplicate_search.c.record_type)).scalars().all():
            ask_search(work, record_type, whole=False)


def run_search(database: Database, job: Job) -> None:
    """Run a search to its end, from its last checkpoint. Errors: LeaseLost, JobCancelled, JobInterrupted."""
    record_type = job.payload["record_type"]
    with database.transaction() as work:
        job.save(work)
        _tell(work, record_type, state="running")
    if job.payload["whole"]:
        _search_whole(database, job, record_type)
    else:
        _search_changed_cards(database, job, record_type)


def fail_search(work: UnitOfWork, payload: dict[str, Any], _trouble: DomainError) -> None:
    """Say that a search ended without a result."""
    _tell(work, payload["record_type"], state="failed", end_time=work.now)


def _search_whole(database: Database, job: Job, record_type: str) -> None:
    if "parts" not in job.checkpoint:
        with database.transaction() as work:
            begun = work.now
        model = learn_base(database, record_type)
        with database.transaction() as work:
            learned = {"model": pack_model(model), "learn_time": begun, "cards": model.cards}
            _tell(work, record_type, **learned)
            job.save(work, begun=begun.isoformat(), parts=count_parts(model.cards), part=0)
    begun = datetime.fromisoformat(job.checkpoint["begun"])
    scorer = Scorer(_read_model(database, record_type))
    for part in range(job.checkpoint["part"], job.checkpoint["parts"]):
        found = find_in_part(database, scorer, part, job.checkpoint["parts"])
        with database.transaction() as work:
            _keep(work, record_type, found, begun)
            job.save(work, part=part + 1)
    with database.transaction() as work:
        _forget_older(work, record_type, begun)
        _tell(work, record_type, state="done", end_time=work.now, through_time=begun, pairs=_count(record_type))
        job.save(work)


def _search_changed_cards(database: Database, job: Job, record_type: str) -> None:
    table = TABLES[record_type]
    with database.transaction() as work:
        begun = job.checkpoint.get("begun") or work.now.isoformat()
        row = work.execute(_one(record_type)).one()
        since = row.through_time - OVERLAP if row.through_time else None
    scorer, after = Scorer(_read_model(database, record_type)), job.checkpoint.get("after")
    while True:
        changed = sa.select(table.c.id).order_by(table.c.id).limit(CHANGED_AT_ONCE)
        changed = changed.where(table.c.update_time >= since) if since else changed
        with database.transaction() as work:
            ids = list(work.execute(changed.where(table.c.id > after) if after else changed).scalars())
        if not ids:
            break
        found, after = find_of_cards(database, scorer, ids), ids[-1]
        with database.transaction() as work:
            _forget_of(work, ids)
            _keep(work, record_type, found, datetime.fromisoformat(begun))
            _tell(work, record_type, cards=duplicate_search.c.cards + len(ids))
            job.save(work, begun=begun, after=after)
    with database.transaction() as work:
        through = datetime.fromisoformat(begun)
        _tell(work, record_type, state="done", end_time=work.now, through_time=through, pairs=_count(record_type))
        job.save(work)


def _keep(work: UnitOfWork, record_type: str, part: Part, find_time: datetime) -> None:
    """Keep what was found; what somebody said of a pair before stays said."""
    _tell(work, record_type, blocks_left_out=duplicate_search.c.blocks_left_out + part.left_out)
    if part.found:
        work.execute(_KEEP, {"type": record_type, "now": work.now, "found": find_time, "rows": _rows_of(part.found)})


def _rows_of(found: Sequence[Found]) -> str:
    rows = [
        {
            "first_id": one.first_id,
            "second_id": one.second_id,
            "bits": one.score.bits,
            "agreements": [list(reason) for reason in one.score.reasons if reason.level != MISSING],
        }
        for one in found
    ]
    return orjson.dumps(rows).decode()


def _forget_older(work: UnitOfWork, record_type: str, find_time: datetime) -> None:
    """What a whole search no longer found: pairs of searches go, pairs told on entering lose their score."""
    c = possible_duplicate.c
    older = sa.and_(c.record_type == record_type, c.find_time < find_time, c.dismiss_time.is_(None))
    work.execute(sa.delete(possible_duplicate).where(older, c.reason == ""))
    work.execute(sa.update(possible_duplicate).where(older).values(bits=None, agreements=None, find_time=None))


def _forget_of(work: UnitOfWork, card_ids: Sequence[str]) -> None:
    """What was found of cards before they changed."""
    c = possible_duplicate.c
    ids = sa.bindparam("ids", list(card_ids), type_=sa.ARRAY(c.first_id.type))
    theirs = sa.and_(sa.or_(c.first_id == sa.any_(ids), c.second_id == sa.any_(ids)), c.dismiss_time.is_(None))
    work.execute(sa.delete(possible_duplicate).where(theirs, c.reason == ""))
    work.execute(sa.update(possible_duplicate).where(theirs).values(bits=None, agreements=None, find_time=None))


def _read_model(database: Database, record_type: str) -> Model:
    with database.transaction() as work:
        row = work.execute(_one(record_type)).one()
    return unpack_model(record_type, row.model, row.learn_time)


def _tell(work: UnitOfWork, record_type: str, **values: Any) -> None:
    work.execute(sa.update(duplicate_search).where(duplicate_search.c.record_type == record_type).values(values))


def _one(record_type: str) -> sa.Select[Any]:
    return sa.select(duplicate_search).where(duplicate_search.c.record_type == record_type)


def _count(record_type: str) -> sa.ScalarSelect[Any]:
    c = possible_duplicate.c
    found = sa.and_(c.record_type == record_type, c.bits.is_not(None), c.dismiss_time.is_(None))
    return sa.select(sa.func.count()).select_from(possible_duplicate).where(found).scalar_subquery()


def _message(row: Any) -> pb.DuplicateSearch:
    return pb.DuplicateSearch(
        record_type=row.record_type,
        state=row.state,
        request_time=to_time(row.request_time),
        end_time=to_time(row.end_time),
        cards=row.cards,
        pairs=row.pairs,
        blocks_left_out=row.blocks_left_out,
        learn_time=to_time(row.learn_time),
    )


_NOBODY = "00000000-0000-0000-0000-000000000000"
_KEEP = sa.text("""
INSERT INTO possible_duplicate (record_type, first_id, second_id, reason, create_time, bits, agreements, find_time)
SELECT :type, first_id, second_id, '', CAST(:now AS timestamptz), bits, agreements, CAST(:found AS timestamptz)
FROM json_to_recordset(CAST(:rows AS json)) AS pair (first_id uuid, second_id uuid, bits float8, agreements jsonb)
ON CONFLICT (first_id, second_id) DO UPDATE
SET bits = EXCLUDED.bits, agreements = EXCLUDED.agreements, find_time = EXCLUDED.find_time""")
