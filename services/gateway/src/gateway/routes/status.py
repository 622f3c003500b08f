"""Whether the platform works: the gateway alone for probes, every service for people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from fastapi import APIRouter, Depends, Request
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import BaseModel

from chassis.errors import RemoteError
from chassis.rpc.client import Client, calling_as
from crm.platform.v1 import events_pb2 as pb
from gateway.calls import bearer
from gateway.services import Services
from gateway.signed_in import SignedIn

PROBE_SECONDS = 2.0
OPEN = (pb.PARKED_STATE_RETRY, pb.PARKED_STATE_BEHIND, pb.PARKED_STATE_PARKED)


class Health(BaseModel):
    """The gateway answers."""

    status: str


class ServiceStatus(BaseModel):
    """One service: serving, not_serving or unreachable.

    For administrators also `lag`, events that are not on the bus yet, and `parked`, events that wait in its consumers.
    """

    service: str
    status: str
    lag: int | None = None
    parked: int | None = None


class Status(BaseModel):
    """Every service the gateway speaks to."""

    services: list[ServiceStatus]


def add_status_routes(router: APIRouter, services: Services, signed_in: SignedIn) -> None:
    """Add the routes of health and status."""
    pool = ThreadPoolExecutor(len(services.clients), thread_name_prefix="health")

    @router.get("/health", operation_id="getHealth", summary="Say that the gateway answers", response_model=Health)
    def health() -> Any:
        return Health(status="serving")

    @router.get(
        "/status",
        operation_id="getStatus",
        summary="Say how each service is",
        response_model=Status,
        dependencies=[Depends(bearer)],
    )
    def status(request: Request) -> Any:
        token = signed_in.token_of(request)
        return Status(services=list(pool.map(lambda name: ask_status(services, name, token), services.clients)))


def ask_status(services: Services, name: str, token: str) -> ServiceStatus:
    """How one service is, as far as the owner of the token may know."""
    asked = health_pb2.HealthCheckRequest(service=f"crm.{name}.v1.{name.title()}Service")
    try:
        found = health_pb2_grpc.HealthStub(services.clients[name].channel).Check(asked, timeout=PROBE_SECONDS).status
    except grpc.RpcError:
        return ServiceStatus(service=name, status="unreachable")
    if found != health_pb2.HealthCheckResponse.SERVING:
        return ServiceStatus(service=name, status="not_serving")
    return ServiceStatus(service=name, status="serving", **_behind(services.events[name], token))


def _behind(door: Client, token: str) -> dict[str, int]:
    """How far a service's messaging is behind; nothing where the caller may not know or the service does not say."""
    try:
        with calling_as(token):
            found = door.call("GetLag", pb.GetLagRequest(service=door.service), timeout=PROBE_SECONDS, retry=False)
    except RemoteError:
        return {}
    waiting = sum(one.count for one in found.waiting if one.state in OPEN)
    return {"lag": found.unnumbered + found.last_position - found.published_position, "parked": waiting}
