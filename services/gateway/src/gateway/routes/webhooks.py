"""Webhooks: events told to an address outside, made, seen, tried, stopped and told again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.access import Access
from chassis.rpc.client import calling_as
from chassis.tokens import TokenVerifier
from gateway.calls import bearer, refuse_unknown_parameters
from gateway.signed_in import SignedIn
from gateway.web.news import TOLD_TYPES
from gateway.webhooks.desk import Desk, Seen, WebhooksOff
from gateway.webhooks.rules import Outcome
from gateway.webhooks.subscriptions import Told

T = TypeVar("T")
WebhookId = Annotated[str, Path(max_length=40)]
IfMatch = Annotated[str, Header(alias="If-Match", max_length=40)]
ServiceName = Annotated[str, Field(max_length=40)]
Position = Annotated[int, Field(ge=0, le=2**62)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WebhookBody(_Strict):
    """What is told and where."""

    name: str = Field(max_length=100)
    address: str = Field(max_length=2_000, description="https address outside, or one of the operator's networks")
    types: list[str] = Field([], max_length=100, description="full names of events; none means all")
    unit_id: str = Field("", max_length=200, description="id, path or code: of this unit and below; empty means all")


class Webhook(BaseModel):
    """A webhook as it stands."""

    id: str
    name: str
    address: str
    types: list[str]
    unit_id: str
    owner_id: str = Field(description="no more is told than this user may see")
    state: str = Field(description="on, paused, failed, gone, owner_closed, or key_lost: it needs a new secret")
    failures: int = Field(description="of its receiver, in a row")
    failing_since: datetime | None
    rest_until: datetime | None = Field(description="nothing is told before")
    missed: bool = Field(description="events were kept no longer when their turn came")
    etag: str
    create_time: datetime
    update_time: datetime


class MadeWebhook(BaseModel):
    """A webhook with its secret, which is told this once."""

    webhook: Webhook
    secret: str


class WebhookPlace(BaseModel):
    """How far it has got in one service."""

    service: str
    source: str
    epoch: int
    position: int


class WaitingEvent(BaseModel):
    """An event that waits to be told again, or (parked) for a person."""

    service: str
    position: int
    event_id: str
    type: str
    aggregate_id: str
    state: str
    tries: int
    next_time: datetime
    result: str


class WebhookTry(BaseModel):
    """What became of one try."""

    event_id: str
    type: str
    attempt: int
    result: str
    status: int
    millis: int
    answer: str
    create_time: datetime


class WebhookStanding(BaseModel):
    """A webhook, how far it has got, what waits, and its last tries, newest first."""

    webhook: Webhook
    places: list[WebhookPlace]
    waiting: list[WaitingEvent]
    tries: list[WebhookTry]


class Webhooks(BaseModel):
    """Webhooks by name."""

    webhooks: list[Webhook]
    types: list[str] = Field(description="what can be told")


class TryResult(BaseModel):
    """What became of a test."""

    result: str
    status: int
    millis: int
    answer: str


class ReplayBody(_Strict):
    """Behind which position of a service's log."""

    service: ServiceName
    after_position: Position


class SkipBody(_Strict):
    """Which waiting event."""

    service: ServiceName
    position: Position


class _Door:
    """The desk as one caller of REST meets it."""

    def __init__(self, desk: Desk | None, signed_in: SignedIn, verifier: TokenVerifier) -> None:
        self._desk, self._signed_in, self._verifier = desk, signed_in, verifier

    @contextmanager
    def open(self, request: Request) -> Iterator[tuple[Desk, Access]]:
        """Errors: NotSignedIn, WebhooksOff."""
        token = self._signed_in.token_of(request)
        if self._desk is None:
            raise WebhooksOff("this gateway has no webhooks: the operator gives it a secret and a key for them")
        with calling_as(token):
            yield self._desk, self._verifier.verify(token)


def add_webhook_routes(router: APIRouter, desk: Desk | None, signed_in: SignedIn, verifier: TokenVerifier) -> None:
    """Add the routes."""
    door = _Door(desk, signed_in, verifier)
    _add_reading(router, door)
    _add_keeping(router, door)
    _add_acting(router, door)


def _add_reading(router: APIRouter, door: _Door) -> None:
    @router.get(
        "/webhooks",
        operation_id="listWebhooks",
        summary="List the webhooks you may see",
        dependencies=[Depends(bearer)],
    )
    def list_webhooks(request: Request) -> Webhooks:
        refuse_unknown_parameters(request, set())
        with door.open(request) as (desk, access):
            return Webhooks(webhooks=[_shown(desk, row) for row in desk.list_seen(access)], types=sorted(TOLD_TYPES))

    @router.get(
        "/webhooks/{webhook_id}",
        operation_id="getWebhook",
        summary="Read a webhook, what waits in it, and its last tries",
        dependencies=[Depends(bearer)],
    )
    def get_webhook(request: Request, webhook_id: WebhookId) -> WebhookStanding:
        refuse_unknown_parameters(request, set())
        with door.open(request) as (desk, access):
            return _standing(desk, desk.read(access, webhook_id))


def _add_keeping(router: APIRouter, door: _Door) -> None:
    @router.post(
        "/webhooks",
        operation_id="createWebhook",
        summary="Have events told to an address from now on; the answer has the secret, this once",
        dependencies=[Depends(bearer)],
    )
    def create_webhook(request: Request, body: WebhookBody) -> MadeWebhook:
        with door.open(request) as (desk, access):
            row, secret = desk.make(access, _told(body))
            return MadeWebhook(webhook=_shown(desk, row), secret=secret)

    @router.put(
        "/webhooks/{webhook_id}",
        operation_id="changeWebhook",
        summary="Have something else told, or elsewhere; whoever changes it owns it",
        dependencies=[Depends(bearer)],
    )
    def change_webhook(request: Request, webhook_id: WebhookId, body: WebhookBody, if_match: IfMatch = "") -> Webhook:
        with door.open(request) as (desk, access):
            return _shown(desk, desk.change(access, webhook_id, _told(body), if_match.strip('"')))

    @router.delete(
        "/webhooks/{webhook_id}",
        operation_id="deleteWebhook",
        summary="End a webhook with all it has kept",
        status_code=204,
        dependencies=[Depends(bearer)],
    )
    def delete_webhook(request: Request, webhook_id: WebhookId) -> Response:
        with door.open(request) as (desk, access):
            desk.remove(access, webhook_id)
        return Response(status_code=204)

    @router.post(
        "/webhooks/{webhook_id}/secret",
        operation_id="changeWebhookSecret",
        summary="Give a new secret; the former one signs as well for a day",
        dependencies=[Depends(bearer)],
    )
    def change_secret(request: Request, webhook_id: WebhookId) -> MadeWebhook:
        with door.open(request) as (desk, access):
            row, secret = desk.change_secret(access, webhook_id)
            return MadeWebhook(webhook=_shown(desk, row), secret=secret)


def _add_acting(router: APIRouter, door: _Door) -> None:
    @router.post(
        "/webhooks/{webhook_id}/pause",
        operation_id="pauseWebhook",
        summary="Tell nothing until it is resumed",
        dependencies=[Depends(bearer)],
    )
    def pause_webhook(request: Request, webhook_id: WebhookId) -> Webhook:
        with door.open(request) as (desk, access):
            return _shown(desk, desk.pause(access, webhook_id))

    @router.post(
        "/webhooks/{webhook_id}/resume",
        operation_id="resumeWebhook",
        summary="Go on where it was stopped, and try parked events anew",
        dependencies=[Depends(bearer)],
    )
    def resume_webhook(request: Request, webhook_id: WebhookId) -> Webhook:
        with door.open(request) as (desk, access):
            return _shown(desk, desk.resume(access, webhook_id))

    @router.post(
        "/webhooks/{webhook_id}/test",
        operation_id="testWebhook",
        summary="Send a test now, once",
        dependencies=[Depends(bearer)],
    )
    def test_webhook(request: Request, webhook_id: WebhookId) -> TryResult:
        with door.open(request) as (desk, access):
            return _result(desk.try_out(access, webhook_id))

    @router.post(
        "/webhooks/{webhook_id}/replay",
        operation_id="replayWebhook",
        summary="Tell the events of a service behind a position once more",
        dependencies=[Depends(bearer)],
    )
    def replay_webhook(request: Request, webhook_id: WebhookId, body: ReplayBody) -> Webhook:
        with door.open(request) as (desk, access):
            return _shown(desk, desk.replay(access, webhook_id, body.service, body.after_position))

    @router.post(
        "/webhooks/{webhook_id}/skip",
        operation_id="skipWebhookEvent",
        summary="Let a waiting event go untold, so that later ones of its record go on",
        dependencies=[Depends(bearer)],
    )
    def skip_event(request: Request, webhook_id: WebhookId, body: SkipBody) -> Webhook:
        with door.open(request) as (desk, access):
            return _shown(desk, desk.skip(access, webhook_id, body.service, body.position))


def _told(body: WebhookBody) -> Told:
    return Told(body.name.strip(), body.address.strip(), tuple(body.types), body.unit_id)


def _shown(desk: Desk, row: Any) -> Webhook:
    names = Webhook.model_fields.keys() - {"etag", "id", "owner_id", "rest_until", "state"}
    rests = row.rest_until > datetime.now(UTC)
    return Webhook(
        id=str(row.id),
        owner_id=str(row.owner_id),
        state=desk.state_of(row),
        etag=str(row.version),
        rest_until=row.rest_until if rests else None,
        **{name: getattr(row, name) for name in names},
    )


def _standing(desk: Desk, seen: Seen) -> WebhookStanding:
    return WebhookStanding(
        webhook=_shown(desk, seen.row),
        places=[_of(WebhookPlace, row) for row in seen.cursors],
        waiting=[_of(WaitingEvent, row) for row in seen.waiting],
        tries=[_of(WebhookTry, row) for row in seen.tries],
    )


def _result(outcome: Outcome) -> TryResult:
    return TryResult(result=outcome.result, status=outcome.status, millis=outcome.millis, answer=outcome.answer)


def _of(kind: Callable[..., T], row: Any) -> T:
    names: Any = kind.model_fields  # type: ignore[attr-defined]
    values = ((name, getattr(row, name)) for name in names)
    return kind(**{name: str(one) if name.endswith("_id") else one for name, one in values})
