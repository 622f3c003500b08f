"""Webhooks as people keep them: made, seen, changed, stopped, given another secret.

Whoever changes what is told or where owns it from then on. Functions take an open transaction and the
access of who asks. What an owner may not see is decided when it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from chassis.access import SUBSCRIBE, Access
from chassis.database import UnitOfWork
from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind, StaleEtag
from chassis.ids import is_id, new_id
from gateway.tables import webhook, webhook_attempt, webhook_cursor, webhook_waiting
from gateway.web.news import TOLD_TYPES
from gateway.webhooks.rules import GONE
from gateway.webhooks.signing import Sealing, new_secret
from units.records import KINDS

ON, PAUSED, FAILED, CLOSED = "on", "paused", "failed", "owner_closed"
KEY_LOST = "key_lost"  # as shown, never stored: it ends by itself when the operator gives the former key back
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
MOST_WEBHOOKS = 200  # of an installation: each may hold a thread while its receiver is slow
MOST_NAME = 100
TROUBLE = timedelta(hours=1)  # of failures; a receiver that is restarted is no news
OVERLAP = timedelta(hours=24)  # in which the former secret signs as well
LOGGED = 100  # tries that are shown


class WebhookNotFound(DomainError):
    """There is no such webhook, or it is not this person's business."""

    kind = Kind.NOT_FOUND
    reason = "WEBHOOK_NOT_FOUND"


class TooManyWebhooks(DomainError):
    """The installation has as many webhooks as it can have."""

    kind = Kind.EXHAUSTED
    reason = "TOO_MANY_WEBHOOKS"


@dataclass(frozen=True)
class Told:
    """What is told and where: of some types (none: of all), of a unit and those below it (empty: of all units)."""

    name: str
    address: str
    types: tuple[str, ...] = ()
    unit_id: str = ""
    unit_path: str = ""


@dataclass(frozen=True)
class Place:
    """Where a service's log stands, from which a new webhook begins."""

    service: str
    source: str
    epoch: int
    position: int


def check_told(access: Access, told: Told) -> None:
    """Errors: FieldInvalid, NotPermitted unless the person may have the unit's records told outside."""
    if not 0 < len(told.name) <= MOST_NAME:
        raise FieldInvalid(FieldViolation("name", f"has 1 to {MOST_NAME} characters"))
    strange = sorted(set(told.types) - TOLD_TYPES)
    if strange:
        raise FieldInvalid(FieldViolation("types", f"has {strange[0]!r}, which is no event that can be told"))
    access.require_somewhere(SUBSCRIBE)
    # A right to tell of one kind of records is enough: what is sent is chosen by kind.
    if told.unit_id and not any(access.allows_in(SUBSCRIBE, told.unit_path, kind) for kind in KINDS):
        access.require_in(SUBSCRIBE, told.unit_path)


def may_rule(access: Access, unit_path: str) -> bool:
    """Tell whether somebody may see and stop others' webhooks of a unit; of all units where the path is empty."""
    if not unit_path:
        return access.allows_everywhere(SUBSCRIBE)
    return access.allows_in(SUBSCRIBE, unit_path)


def make_webhook(
    work: UnitOfWork, sealing: Sealing, access: Access, told: Told, places: Sequence[Place]
) -> tuple[Any, str]:
    """Make one that tells what happens from now on; answers its row and its secret, which is told this once.

    Errors: FieldInvalid, NotPermitted, TooManyWebhooks.
    """
    check_told(access, told)
    count = work.execute(sa.select(sa.func.count()).select_from(webhook)).scalar_one()
    if count >= MOST_WEBHOOKS:
        raise TooManyWebhooks(f"there are {MOST_WEBHOOKS} webhooks, which is as many as there can be")
    secret, made = new_secret(), new_id()
    row = work.execute(
        sa.insert(webhook)
        .values(
            id=made, **_columns_of(told), owner_id=access.user_id, sealed=sealing.seal(secret), state=ON,
            create_time=work.now, update_time=work.now,
        )
        .returning(webhook)
    ).one()  # fmt: skip
    if places:
        work.execute(sa.insert(webhook_cursor), [{"webhook_id": made, **vars(one)} for one in places])
    return row, secret


def list_webhooks(work: UnitOfWork) -> list[Any]:
    """All of them by name; at most MOST_WEBHOOKS."""
    return list(work.execute(sa.select(webhook).order_by(webhook.c.name, webhook.c.id)))


def state_of(sealing: Sealing, row: Any) -> str:
    """How a webhook is: one whose secret cannot be read says nothing, though it is on."""
    return KEY_LOST if row.state == ON and not sealing.opens(row.sealed) else str(row.state)


def list_troubled(work: UnitOfWork, sealing: Sealing, owner_id: str) -> list[Any]:
    """An owner's webhooks that need a person: stopped, failing for an hour, events parked or missed, or unsigned."""
    parked = sa.exists().where(webhook_waiting.c.webhook_id == webhook.c.id, webhook_waiting.c.state == "parked")
    trouble = sa.or_(
        webhook.c.state.in_((FAILED, GONE)), webhook.c.failing_since < work.now - TROUBLE, webhook.c.missed, parked
    )
    own = sa.select(webhook, trouble.label("troubled")).where(webhook.c.owner_id == owner_id, webhook.c.state != PAUSED)
    rows = work.execute(own.order_by(webhook.c.name)).all()
    return [row for row in rows if row.troubled or state_of(sealing, row) == KEY_LOST]


def find_webhook(work: UnitOfWork, webhook_id: str, *, lock: bool = False) -> Any:
    """One of them. Errors: WebhookNotFound."""
    statement = sa.select(webhook).where(webhook.c.id == webhook_id)
    row = work.execute(statement.with_for_update() if lock else statement).one_or_none() if is_id(webhook_id) else None
    if row is None:
        raise WebhookNotFound(f"there is no webhook {webhook_id[:40]!r}")
    return row


def change_webhook(work: UnitOfWork, access: Access, webhook_id: str, told: Told, etag: str) -> Any:
    """Say something else or elsewhere from now on. The changer owns it then: nobody sends out another's sight.

    Errors: StaleEtag, FieldInvalid, NotPermitted.
    """
    check_told(access, told)
    row = find_webhook(work, webhook_id, lock=True)
    if etag and etag != str(row.version):
        raise StaleEtag("the webhook was changed meanwhile", metadata={"etag": str(row.version)})
    values = _columns_of(told)
    if any(getattr(row, name) != value for name, value in values.items() if name != "name"):
        values["owner_id"] = access.user_id
    return _update(work, row.id, **values)


def resume_webhook(work: UnitOfWork, webhook_id: str) -> Any:
    """Go on where it was stopped, for whatever reason; what waits for a person is tried anew."""
    found = _update(work, webhook_id, state=ON, failures=0, failing_since=None, missed=False, rest_until=LONG_AGO)
    work.execute(
        sa.update(webhook_waiting)
        .where(webhook_waiting.c.webhook_id == webhook_id)
        .values(state="waiting", tries=0, next_time=work.now)
    )
    return found


def pause_webhook(work: UnitOfWork, webhook_id: str) -> Any:
    """Say nothing until somebody resumes it; events are kept for a month."""
    return _update(work, webhook_id, state=PAUSED)


def change_secret(work: UnitOfWork, sealing: Sealing, webhook_id: str) -> tuple[Any, str]:
    """Give a new secret; for a day the former one signs as well, so that its receiver can follow."""
    row, secret = find_webhook(work, webhook_id, lock=True), new_secret()
    former_end = work.now + OVERLAP
    former = row.sealed if sealing.opens(row.sealed) else None  # what cannot be read signs nothing
    changed = _update(work, webhook_id, sealed=sealing.seal(secret), former_sealed=former, former_end=former_end)
    return changed, secret


def remove_webhook(work: UnitOfWork, webhook_id: str) -> None:
    """End it with all it has kept. Errors: WebhookNotFound."""
    find_webhook(work, webhook_id, lock=True)
    work.execute(sa.delete(webhook).where(webhook.c.id == webhook_id))


def replay_webhook(work: UnitOfWork, webhook_id: str, place: Place) -> Any:
    """Tell a service's events behind a position once more, in order, before those to come."""
    key = (webhook_cursor.c.webhook_id == webhook_id, webhook_cursor.c.service == place.service)
    waiting = (webhook_waiting.c.webhook_id == webhook_id, webhook_waiting.c.service == place.service)
    found = _update(work, webhook_id)
    work.execute(sa.delete(webhook_waiting).where(*waiting, webhook_waiting.c.position > place.position))
    work.execute(sa.update(webhook_cursor).where(*key).values(epoch=place.epoch, position=place.position))
    return found


def skip_waiting(work: UnitOfWork, webhook_id: str, service: str, position: int) -> Any:
    """Let an event go untold, so that later ones of its record go on. Errors: WebhookNotFound."""
    found = _update(work, webhook_id)
    done = work.execute(
        sa.delete(webhook_waiting).where(
            webhook_waiting.c.webhook_id == webhook_id,
            webhook_waiting.c.service == service,
            webhook_waiting.c.position == position,
        )
    )
    if not done.rowcount:
        raise WebhookNotFound("no such event waits")
    return found


def read_standing(work: UnitOfWork, webhook_id: str) -> tuple[list[Any], list[Any], list[Any]]:
    """How far it has got in each service, what waits (the first hundred), and the last tries, newest first."""
    cursors = sa.select(webhook_cursor).where(webhook_cursor.c.webhook_id == webhook_id)
    waiting = sa.select(webhook_waiting).where(webhook_waiting.c.webhook_id == webhook_id)
    tries = sa.select(webhook_attempt).where(webhook_attempt.c.webhook_id == webhook_id)
    order = (webhook_waiting.c.first_time, webhook_waiting.c.service, webhook_waiting.c.position)
    return (
        list(work.execute(cursors.order_by(webhook_cursor.c.service))),
        list(work.execute(waiting.order_by(*order).limit(LOGGED))),
        list(work.execute(tries.order_by(webhook_attempt.c.id.desc()).limit(LOGGED))),
    )


def _columns_of(told: Told) -> dict[str, Any]:
    return {"name": told.name, "address": told.address, "types": sorted(set(told.types)), "unit_id": told.unit_id}


def _update(work: UnitOfWork, webhook_id: str, **values: Any) -> Any:
    """Change a row; a carrier that is at work with it notices by the lease. Errors: WebhookNotFound.

    It comes before what else is changed of a webhook, as in a carrier's hand, so that neither waits for the other.
    """
    found = work.execute(
        sa.update(webhook)
        .where(webhook.c.id == webhook_id)
        .values(
            version=webhook.c.version + 1, update_time=work.now, lease_holder="", lease_end=LONG_AGO,
            **values,
        )
        .returning(webhook)
    ).one_or_none()  # fmt: skip
    if found is None:
        raise WebhookNotFound(f"there is no webhook {webhook_id[:40]!r}")
    return found
