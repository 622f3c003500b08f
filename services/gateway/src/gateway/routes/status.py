"""Whether the platform works: the gateway alone for probes, every service for people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from fastapi import APIRouter, Depends, Request
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import BaseModel

from chassis.rpc.client import Client
from gateway.calls import bearer
from gateway.services import Services
from gateway.signed_in import SignedIn

PROBE_SECONDS = 2.0


class Health(BaseModel):
    """The gateway answers."""

    status: str


class ServiceStatus(BaseModel):
    """One service: serving, not_serving or unreachable."""

    service: str
    status: str


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
        signed_in.token_of(request)
        return Status(services=list(pool.map(_ask, services.clients.values())))


def _ask(client: Client) -> ServiceStatus:
    name = f"crm.{client.service}.v1.{client.service.title()}Service"
    stub = health_pb2_grpc.HealthStub(client.channel)
    try:
        found = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=PROBE_SECONDS).status
    except grpc.RpcError:
        return ServiceStatus(service=client.service, status="unreachable")
    serving = found == health_pb2.HealthCheckResponse.SERVING
    return ServiceStatus(service=client.service, status="serving" if serving else "not_serving")
