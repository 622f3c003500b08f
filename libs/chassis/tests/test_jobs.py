"""Long work is done once at a time, goes on from its checkpoint after any crash, and ends when it cannot."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.database import Database, UnitOfWork
from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind, RemoteError
from chassis.jobs import MAX_TRIES, Job, JobRunner, LeaseLost, add_job, cancel_job
from chassis.schema import job
from chassis.testing.eventually import eventually

Failures = list[tuple[dict[str, Any], DomainError]]


@pytest.fixture
def failures() -> Failures:
    return []


@pytest.fixture
def runner_of(database: Database, failures: Failures) -> Callable[..., JobRunner]:
    """Make a runner of jobs of kind `count`; failures are noted and stored as a thing, in the job's transaction."""

    def failed(work: UnitOfWork, payload: dict[str, Any], error: DomainError) -> None:
        failures.append((payload, error))
        work.execute(sa.text("INSERT INTO thing (name) VALUES ('failed')"))

    return lambda handler, on=database: JobRunner(on, {"count": handler}, failed)


@pytest.fixture
def running() -> Iterator[Callable[[JobRunner], None]]:
    """Run a runner on a thread until the test ends."""
    started: list[tuple[JobRunner, threading.Thread]] = []

    def start(runner: JobRunner) -> None:
        thread = threading.Thread(target=runner.run)
        started.append((runner, thread))
        thread.start()

    yield start
    for runner, _ in started:
        runner.stop()
    for _, thread in started:
        thread.join(20)
        assert not thread.is_alive()


def a_job(database: Database, **payload: Any) -> str:
    with database.transaction() as work:
        return add_job(work, "count", payload)


def row_of(database: Database, job_id: str) -> Any:
    with database.transaction() as work:
        return work.execute(sa.select(job).where(job.c.id == job_id)).one()


def is_done(database: Database, job_id: str) -> bool:
    return bool(row_of(database, job_id).state == "done")


def end_leases(database: Database) -> None:
    """As if time had passed."""
    change(database, lease_end=sa.func.now() - sa.text("interval '1 second'"), run_time=sa.func.now())


def change(database: Database, **values: Any) -> None:
    with database.transaction() as work:
        work.execute(sa.update(job).values(**values))


def count_to(database: Database, most: int, seen: list[int]) -> Callable[[Job], None]:
    """A handler that counts up, one thing and one checkpoint a step."""

    def count(claimed: Job) -> None:
        for step in range(claimed.checkpoint.get("step", 0) + 1, most + 1):
            with database.transaction() as work:
                work.execute(sa.text("INSERT INTO thing (name) VALUES (:name)"), {"name": f"{claimed.id} {step}"})
                claimed.save(work, step=step)
            seen.append(step)

    return count


def test_a_job_runs_after_its_commit_and_ends_done(database: Database, runner_of: Any, running: Any) -> None:
    seen: list[int] = []
    running(runner_of(count_to(database, 3, seen)))
    with database.transaction() as work:
        made = add_job(work, "count", {"run": "7"})
        assert row_count(database) == 0
    eventually(lambda: row_of(database, made).state == "done")
    assert seen == [1, 2, 3]
    assert row_of(database, made).checkpoint == {"step": 3}


def row_count(database: Database) -> int:
    with database.transaction() as work:
        return int(work.execute(sa.select(sa.func.count()).select_from(job)).scalar_one())


def test_two_runners_share_jobs_and_never_run_one_at_once(database: Database, runner_of: Any, running: Any) -> None:
    inside: dict[str, int] = {}
    overlaps: list[str] = []
    done: list[str] = []
    lock = threading.Lock()

    def watch(claimed: Job) -> None:
        with lock:
            inside[claimed.id] = inside.get(claimed.id, 0) + 1
            overlaps.extend([claimed.id] if inside[claimed.id] > 1 else [])
        with database.transaction() as work:
            work.execute(sa.text("SELECT pg_sleep(0.01)"))
        with lock:
            inside[claimed.id] -= 1
            done.append(claimed.id)

    made = [a_job(database) for _ in range(40)]
    for _ in range(3):
        running(runner_of(watch))
    eventually(lambda: len(done) >= 40, within=20)
    assert (overlaps, sorted(done)) == ([], sorted(made))


def test_a_leased_job_is_taken_over_only_after_its_lease(database: Database, runner_of: Any) -> None:
    a_job(database)
    first, second = runner_of(lambda _: None), runner_of(lambda _: None)
    held = first.claim()
    assert second.claim() is None
    end_leases(database)
    taken = second.claim()
    assert (taken.id, taken.tries) == (held.id, 2)
    with pytest.raises(LeaseLost), database.transaction() as work:
        held.save(work, step=1)
    with database.transaction() as work:
        taken.save(work, step=2)
    assert row_of(database, held.id).checkpoint == {"step": 2}


def test_two_runners_of_one_thread_are_two_holders(database: Database, runner_of: Any) -> None:
    assert runner_of(lambda _: None).holder != runner_of(lambda _: None).holder


KILLED = """
import sys, sqlalchemy as sa
from chassis.database import Database
from chassis.jobs import JobRunner
database = Database(sys.argv[1], "directory")
def count(claimed):
    for step in (1, 2):
        with database.transaction() as work:
            work.execute(sa.text("INSERT INTO thing (name) VALUES (:name)"), {"name": f"{claimed.id} {step}"})
            claimed.save(work, step=step)
    with database.transaction() as work:
        work.execute(sa.text("INSERT INTO thing (name) VALUES ('uncommitted')"))
        print("here", flush=True)
        sys.stdin.read()
JobRunner(database, {"count": count}, lambda *_: None).run()
"""


def test_after_kill_9_another_process_goes_on_from_the_checkpoint(database: Database, runner_of: Any) -> None:
    made = a_job(database)
    command = [sys.executable, "-c", KILLED, database.url]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()
    seen: list[int] = []
    runner = runner_of(count_to(database, 4, seen))
    assert runner.claim() is None
    end_leases(database)
    runner.work(eventually(runner.claim))
    assert seen == [3, 4]
    assert row_of(database, made).state == "done"
    with database.transaction() as work:
        assert work.execute(sa.text("SELECT count(*) FROM thing")).scalar_one() == 4


def test_a_cancelled_job_is_left_at_its_next_checkpoint(database: Database, runner_of: Any, failures: Failures) -> None:
    def count(claimed: Job) -> None:
        for step in range(5):
            with database.transaction() as work:
                claimed.save(work, step=step)
            if step == 2:
                with database.transaction() as work:
                    cancel_job(work, claimed.id)

    made = a_job(database)
    runner = runner_of(count)
    runner.work(runner.claim())
    assert (row_of(database, made).state, row_of(database, made).checkpoint) == ("cancelled", {"step": 2})
    assert (runner.claim(), failures) == (None, [])


def test_a_stopping_runner_gives_its_job_back_at_the_next_checkpoint(
    database: Database, runner_of: Any, running: Any
) -> None:
    go = threading.Event()
    seen: list[int] = []

    def count(claimed: Job) -> None:
        for step in range(1, 10):
            with database.transaction() as work:
                claimed.save(work, step=step)
            seen.append(step)
            go.wait(10)

    made, runner = a_job(database), runner_of(count)
    running(runner)
    eventually(lambda: seen == [1])
    runner.stop()
    go.set()
    eventually(lambda: row_of(database, made).state == "waiting")
    assert (row_of(database, made).checkpoint, row_of(database, made).tries) == ({"step": 1}, 0)
    assert runner_of(count).claim().checkpoint == {"step": 1}


def test_a_refusal_fails_the_job_and_its_record_in_one_transaction(
    database: Database, runner_of: Any, failures: Failures
) -> None:
    def refuse(_: Job) -> None:
        raise FieldInvalid(FieldViolation("file", "is empty"))

    made = a_job(database, run="7")
    runner = runner_of(refuse)
    runner.work(runner.claim())
    row = row_of(database, made)
    assert (row.state, row.error) == ("failed", "file: is empty")
    assert [(payload["run"], error.reason) for payload, error in failures] == [("7", "FIELD_INVALID")]
    with database.transaction() as work:
        assert work.execute(sa.text("SELECT count(*) FROM thing")).scalar_one() == 1


def test_if_the_record_of_the_failure_cannot_be_stored_the_job_is_not_failed(database: Database) -> None:
    def refuse(_: Job) -> None:
        raise FieldInvalid(FieldViolation("file", "is empty"))

    def fall(_work: UnitOfWork, _payload: dict[str, Any], _error: DomainError) -> None:
        raise KeyError("run")

    made = a_job(database)
    runner = JobRunner(database, {"count": refuse}, fall)
    claimed = runner.claim()
    assert claimed is not None
    runner.work(claimed)
    assert row_of(database, made).state == "waiting"


def test_trouble_that_passes_is_tried_again_and_then_given_up(
    database: Database, runner_of: Any, failures: Failures
) -> None:
    attempts: list[int] = []

    def away(claimed: Job) -> None:
        attempts.append(claimed.tries)
        raise RemoteError(Kind.UNAVAILABLE, "SERVICE_NOT_AVAILABLE", "contacts did not answer")

    made, runner = a_job(database), runner_of(away)
    while row_of(database, made).state == "waiting":
        runner.work(runner.claim())
        assert runner.claim() is None
        change(database, run_time=sa.func.now())
    assert attempts == list(range(1, MAX_TRIES + 1))
    assert [error.reason for _, error in failures] == ["SERVICE_NOT_AVAILABLE"]


def test_a_new_checkpoint_starts_the_count_of_tries_again(database: Database, runner_of: Any) -> None:
    def move_and_fall(claimed: Job) -> None:
        with database.transaction() as work:
            claimed.save(work, step=claimed.checkpoint.get("step", 0) + 1)
        raise RemoteError(Kind.UNAVAILABLE, "SERVICE_NOT_AVAILABLE", "away")

    made, runner = a_job(database), runner_of(move_and_fall)
    for _ in range(MAX_TRIES + 3):
        runner.work(runner.claim())
        change(database, run_time=sa.func.now())
    assert (row_of(database, made).state, row_of(database, made).checkpoint) == ("waiting", {"step": MAX_TRIES + 3})


@pytest.mark.parametrize("way", ["killed", "unforeseen"])
def test_a_job_that_falls_again_and_again_is_failed_and_shown(
    database: Database, runner_of: Any, failures: Failures, way: str
) -> None:
    def fall(_: Job) -> None:
        raise ZeroDivisionError("canary")

    made, runner = a_job(database), runner_of(fall)
    for _ in range(MAX_TRIES):
        claimed = runner.claim()
        if way == "unforeseen":
            runner.work(claimed)
        end_leases(database)
    runner.work(runner.claim())
    row = row_of(database, made)
    assert (row.state, [error.reason for _, error in failures]) == ("failed", ["INTERNAL"])
    assert "canary" not in row.error


def test_a_lost_database_is_waited_for(database: Database, runner_of: Any, running: Any) -> None:
    seen: list[int] = []
    running(runner_of(count_to(database, 1, seen)))
    name = database.engine.url.database
    for _ in range(2):
        kill = (
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = :name AND pid <> pg_backend_pid()"
        )
        killer = Database(database.url, "killer")
        with killer.transaction() as work:
            work.execute(sa.text(kill), {"name": name})
        made = a_job(killer)
        eventually(partial(is_done, killer, made))
        killer.close()
    assert seen == [1, 1]


def test_a_database_lost_inside_a_handler_leaves_the_job_to_be_done_again(database: Database, runner_of: Any) -> None:
    seen: list[int] = []

    def count(claimed: Job) -> None:
        seen.append(claimed.tries)
        if len(seen) == 1:
            with database.transaction() as work:
                work.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    made, runner = a_job(database), runner_of(count)
    runner.work(runner.claim())
    end_leases(database)
    runner.work(runner.claim())
    assert (seen, row_of(database, made).state) == ([1, 2], "done")
