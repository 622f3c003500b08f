"""For those who run the platform: each service's feed of events, what waits in its consumers, how far it is behind."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from fastapi.responses import JSONResponse

from chassis.rpc.client import calling_as
from crm.platform.v1 import events_pb2 as pb
from gateway.calls import bearer, refuse_unknown_parameters
from gateway.event_content import message_json, read_message
from gateway.json_values import enum_words, to_json
from gateway.schemas import answer_model
from gateway.services import Services
from gateway.signed_in import SignedIn

STATES = enum_words(pb.ParkedState.DESCRIPTOR)
Name = Annotated[str, Path(pattern="^(directory|contacts|deals|scheduling|imports|reporting)$")]
Number = Annotated[int, Path(ge=1, le=2**62)]
PageSize = Annotated[int, Query(ge=0, le=500)]
Types = Annotated[list[str] | None, Query(max_length=100)]
UnitPath = Annotated[str, Query(max_length=1000, description="path of a unit, such as hq.ru.moscow")]
PageToken = Annotated[str, Query(max_length=2000)]


class EventDoors:
    """The platform door of each service, over the channel its own client has."""

    def __init__(self, services: Services, signed_in: SignedIn) -> None:
        self.services, self.signed_in = services, signed_in

    def call(self, request: Request, service: str, method: str, asked: Any, timeout: float = 10.0) -> Any:
        """Call a service's door for the caller. Errors: RemoteError."""
        with calling_as(self.signed_in.token_of(request)):
            return self.services.events[service].call(method, asked, timeout=timeout)


def add_event_routes(router: APIRouter, services: Services, signed_in: SignedIn) -> None:
    """Add the routes of messaging."""
    doors = EventDoors(services, signed_in)
    _add_feed(router, doors)
    _add_parked(router, doors)
    _add_settling(router, doors)


def _add_feed(router: APIRouter, doors: EventDoors) -> None:
    @router.get(
        "/services/{service}/events",
        operation_id="listEvents",
        summary="Read a service's events behind a position, waiting for one when asked to",
        response_model=answer_model(pb.ListEventsResponse.DESCRIPTOR),
        dependencies=[Depends(bearer)],
    )
    def list_events(
        request: Request,
        service: Name,
        after_position: Annotated[int, Query(ge=0, le=2**62)] = 0,
        types: Types = None,
        unit_path: UnitPath = "",
        epoch: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
        wait: Annotated[float, Query(ge=0, le=20, description="seconds")] = 0.0,
        page_size: PageSize = 0,
        page_token: PageToken = "",
    ) -> Any:
        known = {"after_position", "types", "unit_path", "epoch", "wait", "page_size", "page_token"}
        refuse_unknown_parameters(request, known)
        asked = pb.ListEventsRequest(
            service=service,
            after_position=after_position,
            types=types or (),
            unit_path=unit_path,
            epoch=epoch,
            page_size=page_size,
            page_token=page_token,
        )
        asked.wait.FromMilliseconds(round(wait * 1000))
        found = doors.call(request, service, "ListEvents", asked, timeout=wait + 10)
        return JSONResponse({**to_json(found), "events": [event_json(one) for one in found.events]})

    @router.get(
        "/services/{service}/snapshot",
        operation_id="listSnapshot",
        summary="Read the last event of each type of each record, and the position behind which the events go on",
        response_model=answer_model(pb.ListSnapshotResponse.DESCRIPTOR),
        dependencies=[Depends(bearer)],
    )
    def list_snapshot(
        request: Request,
        service: Name,
        types: Types = None,
        unit_path: UnitPath = "",
        page_size: PageSize = 0,
        page_token: PageToken = "",
    ) -> Any:
        refuse_unknown_parameters(request, {"types", "unit_path", "page_size", "page_token"})
        asked = pb.ListSnapshotRequest(
            service=service, types=types or (), unit_path=unit_path, page_size=page_size, page_token=page_token
        )
        found = doors.call(request, service, "ListSnapshot", asked, timeout=60)
        return JSONResponse({**to_json(found), "events": [event_json(one) for one in found.events]})

    @router.get(
        "/services/{service}/lag",
        operation_id="getLag",
        summary="Say how far publishing and consuming are behind",
        response_model=answer_model(pb.GetLagResponse.DESCRIPTOR),
        dependencies=[Depends(bearer)],
    )
    def get_lag(request: Request, service: Name) -> Any:
        return JSONResponse(to_json(doors.call(request, service, "GetLag", pb.GetLagRequest(service=service))))


def _add_parked(router: APIRouter, doors: EventDoors) -> None:
    @router.get(
        "/services/{service}/parked_events",
        operation_id="listParkedEvents",
        summary="List events that wait in a service's consumers",
        response_model=answer_model(pb.ListParkedResponse.DESCRIPTOR),
        dependencies=[Depends(bearer)],
    )
    def list_parked(
        request: Request,
        service: Name,
        consumer: Annotated[str, Query(max_length=100)] = "",
        state: Annotated[str, Query(pattern=f"^({'|'.join(STATES)})?$")] = "",
        page_size: PageSize = 0,
        page_token: PageToken = "",
    ) -> Any:
        refuse_unknown_parameters(request, {"consumer", "state", "page_size", "page_token"})
        asked = pb.ListParkedRequest(service=service, consumer=consumer, page_size=page_size, page_token=page_token)
        asked.state = STATES.get(state, 0)  # type: ignore[assignment]
        return JSONResponse(to_json(doors.call(request, service, "ListParked", asked)))

    @router.get(
        "/services/{service}/parked_events/{number}",
        operation_id="getParkedEvent",
        summary="Read a waiting event with its headers and content",
        response_model=answer_model(pb.GetParkedResponse.DESCRIPTOR),
        dependencies=[Depends(bearer)],
    )
    def get_parked(request: Request, service: Name, number: Number) -> Any:
        found = doors.call(request, service, "GetParked", pb.GetParkedRequest(service=service, number=number))
        told: dict[str, Any] = {**to_json(found), "message": message_json(found.parked.type, found.data)}
        for shown, edit in zip(told["edits"], found.edits, strict=True):
            shown["message"] = message_json(found.parked.type, edit.data)
        return JSONResponse(told)


def _add_settling(router: APIRouter, doors: EventDoors) -> None:
    parked = answer_model(pb.ParkedEvent.DESCRIPTOR)

    @router.post(
        "/services/{service}/parked_events/{number}/retry",
        operation_id="retryParkedEvent",
        summary="Have a waiting event tried anew at once",
        response_model=parked,
        dependencies=[Depends(bearer)],
    )
    def retry_parked(request: Request, service: Name, number: Number) -> Any:
        asked = pb.RetryParkedRequest(service=service, number=number)
        return JSONResponse(to_json(doors.call(request, service, "RetryParked", asked).parked))

    @router.post(
        "/services/{service}/parked_events/{number}/skip",
        operation_id="skipParkedEvent",
        summary="Let a waiting event go unhandled",
        response_model=parked,
        dependencies=[Depends(bearer)],
    )
    def skip_parked(request: Request, service: Name, number: Number) -> Any:
        asked = pb.SkipParkedRequest(service=service, number=number)
        return JSONResponse(to_json(doors.call(request, service, "SkipParked", asked).parked))

    @router.post(
        "/services/{service}/parked_events/{number}/edit",
        operation_id="editParkedEvent",
        summary="Change what a waiting event says and have it tried anew; what it said before is kept",
        response_model=parked,
        dependencies=[Depends(bearer)],
    )
    def edit_parked(
        request: Request, service: Name, number: Number, message: Annotated[dict[str, Any], Body(embed=True)]
    ) -> Any:
        asked = pb.GetParkedRequest(service=service, number=number)
        kind = doors.call(request, service, "GetParked", asked).parked.type
        edit = pb.EditParkedRequest(service=service, number=number, data=read_message(kind, message))
        return JSONResponse(to_json(doors.call(request, service, "EditParked", edit).parked))


def event_json(event: pb.Event) -> dict[str, Any]:
    """An event with its content as bytes (base64) and, where its contract is known here, as JSON too."""
    return {**to_json(event), "message": message_json(event.type, event.data)}
