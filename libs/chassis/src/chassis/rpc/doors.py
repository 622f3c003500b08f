"""The doors that every api process has beside its services' own: to their messaging and to their audit trails."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.rpc.audit_door import audit_servicer
from chassis.rpc.events_door import events_servicer
from chassis.rpc.server import Servicer


def with_platform(servicers: Sequence[Servicer]) -> tuple[Servicer, ...]:
    """The servicers of one or more services, and those over their databases."""
    databases = {one.service: one.implementation.database for one in servicers}
    return (*servicers, events_servicer(databases), audit_servicer(databases))
