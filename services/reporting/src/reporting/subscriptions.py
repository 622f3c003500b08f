"""Which facts of which service reporting listens to, and what it does with each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from chassis.database import UnitOfWork
from chassis.naming import binding
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.directory.events.v1 import directory_events_pb2 as directory
from crm.imports.events.v1 import imports_events_pb2 as imports
from reporting.copying_catalogue import copy_pipelines, copy_plans, copy_products, copy_runs
from reporting.copying_customers import (
    copy_interactions,
    copy_organizations,
    copy_persons,
    copy_users,
    drop_organizations,
    drop_persons,
)
from reporting.copying_deals import copy_deals
from reporting.copying_units import copy_units_with_places
from units.copying import UNIT_BINDING

BINDINGS = (
    UNIT_BINDING,
    binding("directory", "user"),
    *(binding("contacts", name) for name in ("person", "organization", "interaction")),
    *(binding("deals", name) for name in ("pipeline", "product", "deal", "plan")),
    *(binding("imports", "run", fact) for fact in ("checked", "finished", "failed")),
)

FORMER_BINDINGS = (binding("imports", "run"),)  # before the facts of progress, of which there is one a second

HANDLERS: Mapping[type[Message], Callable[[UnitOfWork, Sequence[Any]], None]] = {
    directory.UnitCreated: copy_units_with_places,
    directory.UnitUpdated: copy_units_with_places,
    directory.UserCreated: copy_users,
    directory.UserUpdated: copy_users,
    contacts.PersonCreated: copy_persons,
    contacts.PersonUpdated: copy_persons,
    contacts.OrganizationCreated: copy_organizations,
    contacts.OrganizationUpdated: copy_organizations,
    contacts.PersonMerged: drop_persons,
    contacts.PersonUnmerged: copy_persons,
    contacts.OrganizationMerged: drop_organizations,
    contacts.PersonRemoved: drop_persons,
    contacts.OrganizationRemoved: drop_organizations,
    contacts.OrganizationUnmerged: copy_organizations,
    contacts.InteractionLogged: copy_interactions,
    contacts.InteractionMoved: copy_interactions,
    deals.PipelineDefined: copy_pipelines,
    deals.ProductDefined: copy_products,
    deals.DealOpened: copy_deals,
    deals.DealUpdated: copy_deals,
    deals.DealStageChanged: copy_deals,
    deals.PlanSet: copy_plans,
    imports.RunChecked: copy_runs,
    imports.RunFinished: copy_runs,
    imports.RunFailed: copy_runs,
}
