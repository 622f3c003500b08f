"""What nobody can ask for any more is forgotten, and nothing else."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from chassis.cleanup import forget_old
from chassis.database import Database

FILL = """
INSERT INTO idempotency (principal, method, key, body_sha256, create_time)
  SELECT 'p', 'm', n::text, '', now() - (n - 0.5) * interval '12 hours' FROM generate_series(1, 4) n;
INSERT INTO inbox (consumer, event_id, source, handle_time)
  SELECT 'c', gen_random_uuid(), 's', now() - (33.5 + n) * interval '1 day' FROM generate_series(1, 4) n;
INSERT INTO job (id, kind, payload, state, run_time)
  SELECT gen_random_uuid(), 'k', '{}', state, now() - age * interval '1 day'
  FROM unnest(ARRAY['waiting', 'running', 'done', 'failed', 'cancelled']) state, unnest(ARRAY[29, 31]) age;
INSERT INTO parked_event (consumer, event_id, source, aggregate, aggregate_id, epoch, version, position, type, headers,
                          data, state, first_time)
  SELECT 'c', gen_random_uuid(), 's', 'a', gen_random_uuid(), 1, 1, 1, 't', '{}', '', state,
         now() - age * interval '1 day'
  FROM unnest(ARRAY['retry', 'behind', 'parked', 'resolved', 'skipped']) state, unnest(ARRAY[34, 36]) age;
"""


def kept(database: Database, table: str) -> int:
    with database.transaction() as work:
        return int(work.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("chunk", [1, 2, 5_000])
def test_only_what_is_too_old_and_settled_goes_in_chunks_of_any_size(database: Database, chunk: int) -> None:
    with database.transaction() as work:
        work.execute(sa.text(FILL))
    assert forget_old(database, chunk) == 2 + 3 + 3 + 2
    assert [kept(database, table) for table in ("idempotency", "inbox", "job", "parked_event")] == [2, 1, 7, 8]
    assert forget_old(database, chunk) == 0


def test_rows_that_another_cleaner_holds_are_left_to_it(database: Database) -> None:
    with database.transaction() as work:
        work.execute(sa.text(FILL))
    with database.transaction() as other:
        other.execute(sa.text("SELECT * FROM idempotency FOR UPDATE"))
        assert forget_old(database) == 8
    assert forget_old(database) == 2
