"""Saved views of lists: what a list is narrowed to, under a name, for oneself, a unit or everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from chassis.access import Access
from chassis.database import Database, UnitOfWork
from chassis.rpc.client import calling_as
from chassis.tokens import TokenVerifier
from crm.directory.v1 import directory_pb2
from gateway import saved_views
from gateway.calls import bearer, refuse_unknown_parameters
from gateway.saved_views import ViewFacts
from gateway.services import Services
from gateway.signed_in import SignedIn
from gateway.web.homes import Homes

ViewId = Annotated[str, Path(max_length=40)]
IfMatch = Annotated[str, Header(alias="If-Match", max_length=40)]


class ViewBody(BaseModel):
    """What is kept under which name, and for whom."""

    model_config = ConfigDict(extra="forbid")
    list: str = Field(max_length=40, description="customers, organizations, deals or reports")
    name: str = Field(max_length=200)
    query: str = Field("", max_length=5_000, description="what stands behind the question mark of the list's address")
    sharing: str = Field("mine", max_length=20, description="mine, unit or everybody")
    unit_id: str = Field("", max_length=200, description="id, path or code of the unit it is shared with; else empty")
    send_every: str = Field("", max_length=20, description="week, month or empty: when a report comes by the bell")


class SavedView(BaseModel):
    """A view as it stands."""

    id: str
    list: str
    name: str
    query: str
    sharing: str
    unit_id: str
    send_every: str
    owner_id: str
    may_change: bool
    etag: str
    create_time: datetime
    update_time: datetime


class SavedViews(BaseModel):
    """Views by name."""

    views: list[SavedView]


class _Door:
    """The views as one caller of REST meets them."""

    def __init__(self, services: Services, database: Database, signed_in: SignedIn, verifier: TokenVerifier) -> None:
        self.services, self._database, self._homes = services, database, Homes(services)
        self._signed_in, self._verifier = signed_in, verifier

    @contextmanager
    def open(self, request: Request) -> Iterator[tuple[UnitOfWork, Access, Mapping[str, str]]]:
        """A transaction, who asks, and the unit the person belongs to with those above it. Errors: NotSignedIn."""
        token = self._signed_in.token_of(request)
        with calling_as(token):
            access = self._verifier.verify(token)
            above = self._homes.above(access)
            with self._database.transaction() as work:
                yield work, access, above

    def facts(self, body: ViewBody) -> ViewFacts:
        """What a body says, the unit found. Errors: RemoteError, FieldInvalid."""
        unit = None
        if body.unit_id:
            asked = directory_pb2.GetUnitRequest(unit=body.unit_id)
            unit = self.services.call("directory", "GetUnit", asked).unit
        known = body.list in saved_views.CONDITIONS
        query = saved_views.read_query(body.list, body.query) if known else ""
        unit_id, path = (unit.id, unit.path) if unit else ("", "")
        return ViewFacts(body.list, body.name.strip(), query, body.sharing, unit_id, path, body.send_every)


def add_view_routes(
    router: APIRouter, services: Services, database: Database, signed_in: SignedIn, verifier: TokenVerifier
) -> None:
    """Add the routes."""
    door = _Door(services, database, signed_in, verifier)

    @router.get("/views", operation_id="listViews", summary="List saved views", dependencies=[Depends(bearer)])
    def list_views(
        request: Request, of_list: Annotated[str, Query(alias="list", max_length=40, description="of this list")] = ""
    ) -> SavedViews:
        refuse_unknown_parameters(request, {"list"})
        with door.open(request) as (work, access, above):
            rows = saved_views.list_views(work, access, above, of_list.replace("\0", ""))
            return SavedViews(views=[_shown(access, above, row) for row in rows])

    @router.post("/views", operation_id="createView", summary="Save a view", dependencies=[Depends(bearer)])
    def create_view(request: Request, body: ViewBody) -> SavedView:
        with door.open(request) as (work, access, above):
            return _shown(access, above, saved_views.make_view(work, access, door.facts(body)))

    @router.put(
        "/views/{view_id}", operation_id="changeView", summary="Change a saved view", dependencies=[Depends(bearer)]
    )
    def change_view(request: Request, view_id: ViewId, body: ViewBody, if_match: IfMatch = "") -> SavedView:
        with door.open(request) as (work, access, above):
            facts = door.facts(body)
            row = saved_views.change_view(work, access, above, view_id, facts, if_match.strip('"'))
            return _shown(access, above, row)

    @router.delete(
        "/views/{view_id}",
        operation_id="deleteView",
        summary="Remove a saved view",
        status_code=204,
        dependencies=[Depends(bearer)],
    )
    def delete_view(request: Request, view_id: ViewId) -> Response:
        with door.open(request) as (work, access, above):
            saved_views.remove_view(work, access, above, view_id)
        return Response(status_code=204)


def _shown(access: Access, above: Mapping[str, str], row: Any) -> SavedView:
    names = ("name", "query", "sharing", "unit_id", "send_every", "create_time", "update_time")
    return SavedView(
        id=str(row.id),
        list=row.list_name,
        owner_id=str(row.owner_id),
        may_change=saved_views.may_keep(access, above, row),
        etag=str(row.version),
        **{name: getattr(row, name) for name in names},
    )
