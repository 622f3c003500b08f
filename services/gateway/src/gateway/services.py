"""The services behind the gateway: one client each, and what every call shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chassis.rpc.client import Client
from crm.contacts.v1 import contacts_pb2, contacts_pb2_grpc
from crm.deals.v1 import deals_pb2, deals_pb2_grpc
from crm.directory.v1 import directory_pb2, directory_pb2_grpc
from crm.imports.v1 import imports_pb2, imports_pb2_grpc
from crm.platform.v1.audit_pb2_grpc import AuditServiceStub
from crm.platform.v1.events_pb2_grpc import EventsServiceStub
from crm.reporting.v1 import reporting_pb2, reporting_pb2_grpc
from crm.scheduling.v1 import scheduling_pb2, scheduling_pb2_grpc
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.own_trail import OwnTrail

# The contract of each service and its stub, under the name everything else uses.
CONTRACTS: dict[str, tuple[Any, Any]] = {
    "directory": (directory_pb2, directory_pb2_grpc.DirectoryServiceStub),
    "contacts": (contacts_pb2, contacts_pb2_grpc.ContactsServiceStub),
    "deals": (deals_pb2, deals_pb2_grpc.DealsServiceStub),
    "scheduling": (scheduling_pb2, scheduling_pb2_grpc.SchedulingServiceStub),
    "imports": (imports_pb2, imports_pb2_grpc.ImportsServiceStub),
    "reporting": (reporting_pb2, reporting_pb2_grpc.ReportingServiceStub),
}


class Services:
    """One client per service, one for its messaging door, and one for its trail; channels connect when first used."""

    def __init__(self, settings: Settings) -> None:
        self.addresses = {name: str(getattr(settings, f"{name}_address")) for name in CONTRACTS}
        self.clients = {name: Client(name, self.addresses[name], stub) for name, (_, stub) in CONTRACTS.items()}
        self.events = {name: Client(name, address, EventsServiceStub) for name, address in self.addresses.items()}
        self.own_trail: OwnTrail | None = None  # where the gateway has a database
        self.trails = {name: Client(name, address, AuditServiceStub) for name, address in self.addresses.items()}

    def call(self, service: str, method: str, request: Any, timeout: float = 10.0) -> Any:
        """Call a service for the present caller; `timeout` in seconds. Errors: RemoteError."""
        return self.clients[service].call(method, request, timeout=timeout)

    def close(self) -> None:
        """Close every channel."""
        for client in (*self.clients.values(), *self.events.values(), *self.trails.values()):
            client.close()
