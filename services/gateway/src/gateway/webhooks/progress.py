"""How far each webhook has got: whose turn it is, what waits to be said again, what became of each try.

Each change is made under the lease that its carrier holds; who lost it changes nothing. An event waits for itself and
for earlier events of its record; others go on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from chassis.database import UnitOfWork
from crm.platform.v1 import events_pb2 as pb
from gateway.tables import webhook, webhook_attempt, webhook_cursor, webhook_waiting
from gateway.webhooks import rules
from gateway.webhooks.rules import Next, Outcome
from gateway.webhooks.subscriptions import CLOSED, FAILED, LONG_AGO, ON

LEASE = timedelta(seconds=60)  # a round ends well within it
KEPT_TRIES = 200  # of one webhook
MOST_WAITING = 1_000  # of one webhook; with more, nothing new is read until they are settled

# Whose turn it is: somebody has news for it, or something of it is due, and nobody else is at work with it.
_CLAIM = sa.text("""
UPDATE webhook SET lease_holder = :holder, lease_end = CAST(:lease_end AS timestamptz)
 WHERE id IN (
   SELECT one.id FROM webhook one
    WHERE one.state = 'on' AND one.rest_until <= CAST(:now AS timestamptz)
      AND one.lease_end <= CAST(:now AS timestamptz)
      AND (EXISTS (SELECT FROM webhook_cursor here
                     JOIN json_each_text(CAST(:last AS json)) AS there ON there.key = here.service
                    WHERE here.webhook_id = one.id AND here.position <> CAST(there.value AS bigint))
           OR EXISTS (SELECT FROM webhook_waiting due
                       WHERE due.webhook_id = one.id AND due.state = 'waiting'
                         AND due.next_time <= CAST(:now AS timestamptz)))
    FOR UPDATE OF one SKIP LOCKED)
RETURNING *""")


class LeaseLost(Exception):
    """Another carrier has the webhook, or somebody changed it; stop at once."""


@dataclass(frozen=True)
class Carried:
    """A webhook in hand, as it was when it was claimed."""

    id: str
    holder: str
    address: str
    types: tuple[str, ...]
    unit_id: str
    owner_id: str
    failures: int
    sealed: bytes
    former_sealed: bytes | None
    former_end: datetime | None


def any_is_on(work: UnitOfWork) -> bool:
    """Tell whether there is anything to carry at all."""
    return bool(work.execute(sa.select(sa.exists().where(webhook.c.state == ON))).scalar_one())


def claim_due(work: UnitOfWork, holder: str, last_positions: Mapping[str, int]) -> list[Carried]:
    """Take those whose turn it is; `last_positions` is where each service's log stands."""
    rows = work.execute(
        _CLAIM, {"holder": holder, "lease_end": work.now + LEASE, "now": work.now, "last": json.dumps(last_positions)}
    ).mappings()
    names = Carried.__dataclass_fields__.keys() - {"holder", "types", "id", "owner_id"}
    return [
        Carried(
            id=str(row["id"]), holder=holder, types=tuple(row["types"]), owner_id=str(row["owner_id"]),
            **{name: row[name] for name in names},
        )
        for row in rows
    ]  # fmt: skip


def release(work: UnitOfWork, carried: Carried) -> None:
    """Give a webhook back; one that is no longer in hand stays as it is."""
    work.execute(
        sa.update(webhook)
        .where(webhook.c.id == carried.id, webhook.c.lease_holder == carried.holder)
        .values(lease_holder="", lease_end=LONG_AGO)
    )


def read_cursors(work: UnitOfWork, carried: Carried) -> list[Any]:
    """Where it is in each service."""
    statement = sa.select(webhook_cursor).where(webhook_cursor.c.webhook_id == carried.id)
    return list(work.execute(statement.order_by(webhook_cursor.c.service)))


def next_due(work: UnitOfWork, carried: Carried) -> Any:
    """The oldest waiting event whose time has come and which no earlier one of its record holds up; None for none."""
    earlier = webhook_waiting.alias("earlier")
    held = (
        sa.exists()
        .where(
            earlier.c.webhook_id == webhook_waiting.c.webhook_id,
            earlier.c.service == webhook_waiting.c.service,
            earlier.c.aggregate_id == webhook_waiting.c.aggregate_id,
            earlier.c.position < webhook_waiting.c.position,
        )
        .correlate(webhook_waiting)
    )
    return work.execute(
        sa.select(webhook_waiting)
        .where(
            webhook_waiting.c.webhook_id == carried.id,
            webhook_waiting.c.state == "waiting",
            webhook_waiting.c.next_time <= work.now,
            ~held,
        )
        .order_by(webhook_waiting.c.first_time, webhook_waiting.c.service, webhook_waiting.c.position)
        .limit(1)
    ).one_or_none()


def held_records(work: UnitOfWork, carried: Carried, service: str) -> tuple[set[str], int]:
    """The records of a service of which something waits, and how much waits in all services."""
    mine = webhook_waiting.c.webhook_id == carried.id
    count = work.execute(sa.select(sa.func.count()).select_from(webhook_waiting).where(mine)).scalar_one()
    ids = sa.select(webhook_waiting.c.aggregate_id).where(mine, webhook_waiting.c.service == service).distinct()
    return {str(one) for one in work.execute(ids).scalars()}, int(count)


def move_cursor(work: UnitOfWork, carried: Carried, service: str, position: int, epoch: int) -> None:
    """Say how far it has got. Errors: LeaseLost."""
    _hold(work, carried)
    _move(work, carried, service, position, epoch)


def note_missed(work: UnitOfWork, carried: Carried, service: str, position: int, epoch: int) -> None:
    """Go on at a position though events before it were never told, and show that. Errors: LeaseLost."""
    _hold(work, carried, missed=True)
    _move(work, carried, service, position, epoch)


def note_delivered(work: UnitOfWork, carried: Carried, service: str, event: pb.Event, outcome: Outcome) -> None:
    """A new event is with its receiver. Errors: LeaseLost."""
    _hold(work, carried, failures=0, failing_since=None)
    _move(work, carried, service, event.position, event.epoch)
    write_try(work, carried.id, event.event_id, event.type, 1, outcome)


def note_settled(work: UnitOfWork, carried: Carried, row: Any, outcome: Outcome | None) -> None:
    """An event that waited is told, or (None) need not be told any more. Errors: LeaseLost."""
    _hold(work, carried, **({} if outcome is None else {"failures": 0, "failing_since": None}))
    work.execute(sa.delete(webhook_waiting).where(*_key(carried, row.service, row.position)))
    if outcome is not None:
        write_try(work, carried.id, str(row.event_id), row.type, row.tries + 1, outcome)


def put_behind(work: UnitOfWork, carried: Carried, service: str, event: pb.Event) -> None:
    """An event waits since an earlier one of its record does. Errors: LeaseLost."""
    _hold(work, carried)
    _put_aside(work, carried, service, event, 0, work.now, "behind")
    _move(work, carried, service, event.position, event.epoch)


def note_failure(
    work: UnitOfWork, carried: Carried, service: str, event: pb.Event, outcome: Outcome, follows: Next
) -> None:
    """A new event could not be told: it waits, and its receiver may rest. Errors: LeaseLost."""
    _fall(work, carried, outcome, follows)
    _put_aside(work, carried, service, event, 1, follows.try_at, outcome.result)
    _move(work, carried, service, event.position, event.epoch)
    write_try(work, carried.id, event.event_id, event.type, 1, outcome)


def note_repeated_failure(work: UnitOfWork, carried: Carried, row: Any, outcome: Outcome, follows: Next) -> None:
    """An event that waited failed once more. Errors: LeaseLost."""
    _fall(work, carried, outcome, follows)
    work.execute(
        sa.update(webhook_waiting)
        .where(*_key(carried, row.service, row.position))
        .values(
            tries=row.tries + 1, result=outcome.result, next_time=follows.try_at or work.now,
            state="parked" if follows.try_at is None else "waiting",
        )
    )  # fmt: skip
    write_try(work, carried.id, str(row.event_id), row.type, row.tries + 1, outcome)


def park_unreadable(work: UnitOfWork, carried: Carried, row: Any) -> None:
    """An event that waited is kept no longer: a person sees that it was never told. Errors: LeaseLost."""
    _hold(work, carried)
    work.execute(
        sa.update(webhook_waiting)
        .where(*_key(carried, row.service, row.position))
        .values(state="parked", result=rules.UNREADABLE)
    )


def close_for_owner(work: UnitOfWork, carried: Carried) -> None:
    """Its owner may tell nothing any more. Errors: LeaseLost."""
    _hold(work, carried, state=CLOSED)


def rest_awhile(work: UnitOfWork, carried: Carried, seconds: float) -> None:
    """Look at it again a little later: something of ours is away. Errors: LeaseLost."""
    _hold(work, carried, rest_until=work.now + timedelta(seconds=seconds))


def write_try(work: UnitOfWork, webhook_id: str, event_id: str, kind: str, attempt: int, outcome: Outcome) -> None:
    """Keep what became of a try, and the last ones only."""
    work.execute(
        sa.insert(webhook_attempt).values(
            webhook_id=webhook_id, event_id=event_id, type=kind, attempt=attempt, result=outcome.result,
            status=outcome.status, millis=outcome.millis, answer=outcome.answer, create_time=work.now,
        )
    )  # fmt: skip
    mine = webhook_attempt.c.webhook_id == webhook_id
    oldest = (
        sa.select(webhook_attempt.c.id).where(mine).order_by(webhook_attempt.c.id.desc()).offset(KEPT_TRIES).limit(1)
    )
    work.execute(sa.delete(webhook_attempt).where(mine, webhook_attempt.c.id <= oldest.scalar_subquery()))


def _hold(work: UnitOfWork, carried: Carried, **values: Any) -> None:
    """Take the webhook's row while the lease is ours, and lengthen it. Errors: LeaseLost."""
    done = work.execute(
        sa.update(webhook)
        .where(webhook.c.id == carried.id, webhook.c.lease_holder == carried.holder, webhook.c.state == ON)
        .values(lease_end=work.now + LEASE, **values)
    )
    if not done.rowcount:
        raise LeaseLost(carried.id)


def _fall(work: UnitOfWork, carried: Carried, outcome: Outcome, follows: Next) -> None:
    state = rules.GONE if outcome.result == rules.GONE else FAILED if follows.rest_until is None else ON
    _hold(
        work,
        carried,
        state=state,
        failures=webhook.c.failures + 1,
        failing_since=sa.func.coalesce(webhook.c.failing_since, work.now),
        rest_until=follows.rest_until or work.now,
    )


def _move(work: UnitOfWork, carried: Carried, service: str, position: int, epoch: int) -> None:
    work.execute(
        sa.update(webhook_cursor)
        .where(webhook_cursor.c.webhook_id == carried.id, webhook_cursor.c.service == service)
        .values(position=position, epoch=epoch)
    )


def _put_aside(
    work: UnitOfWork, carried: Carried, service: str, event: pb.Event, tries: int, at: datetime | None, result: str
) -> None:
    work.execute(
        sa.insert(webhook_waiting).values(
            webhook_id=carried.id, service=service, position=event.position, epoch=event.epoch,
            event_id=event.event_id, type=event.type, aggregate_id=event.aggregate_id,
            state="parked" if at is None else "waiting", tries=tries, next_time=at or work.now,
            first_time=work.now, result=result,
        )
    )  # fmt: skip


def _key(carried: Carried, service: str, position: int) -> tuple[Any, ...]:
    return (
        webhook_waiting.c.webhook_id == carried.id,
        webhook_waiting.c.service == service,
        webhook_waiting.c.position == position,
    )
