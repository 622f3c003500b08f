"""The gRPC door to a service's messaging state, for those who run the platform: translate, call, translate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import grpc

from chassis import messaging_state as state
from chassis import paging
from chassis.access import ADMINISTER, FOLLOW
from chassis.database import Database, UnitOfWork
from chassis.errors import DomainError, FieldInvalid, FieldViolation, Kind, NotPermitted
from chassis.rpc.server import Servicer, current_access
from crm.platform.v1 import events_pb2 as pb
from crm.platform.v1 import events_pb2_grpc as pb_grpc

T = TypeVar("T")
PAGE, MOST = 100, 500
MAX_WAIT_SECONDS = 20.0
POLL_SECONDS = 0.2
WAITERS = 4  # of the server's threads that may hold a call open for events to come
FOLLOWERS = 4  # the same for those who follow several services; a replica of the gateway is one
ANSWER_SECONDS = 0.2  # left of the deadline for the answer itself


class ServiceNotHere(DomainError):
    """This process does not hold the named service."""

    kind = Kind.NOT_FOUND
    reason = "SERVICE_NOT_HERE"


def events_servicer(databases: Mapping[str, Database]) -> Servicer:
    """The servicer over the databases of the services in this process, by their names."""
    return Servicer("platform", EventsServicer(databases), pb_grpc.add_EventsServiceServicer_to_server)


class EventsServicer(pb_grpc.EventsServiceServicer):
    """Answers the calls of crm.platform.v1.EventsService."""

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self._databases = dict(databases)
        self._waiters = threading.BoundedSemaphore(WAITERS)
        self._followers = threading.BoundedSemaphore(FOLLOWERS)

    def ListEvents(self, request: pb.ListEventsRequest, context: grpc.ServicerContext) -> pb.ListEventsResponse:
        """Read the feed, waiting for an event when asked to."""
        size = paging.page_size(request.page_size, PAGE, MOST)
        key = paging.read_token("events", request.page_token)
        after = int(key[0]) if key else request.after_position
        if after < 0:
            raise FieldInvalid(FieldViolation("after_position", "is below 0; use 0 for the beginning"))

        def read(work: UnitOfWork) -> pb.ListEventsResponse:
            found = state.tail_events(work, after, size, tuple(request.types), request.epoch)
            here = state.lag(work)
            last = found[-1].position if found else after
            return pb.ListEventsResponse(
                events=[_event_message(one) for one in found],
                next_position=last,
                next_page_token=paging.make_token("events", [last]),
                epoch=here.epoch,
                last_position=here.last_position,
            )

        answer: pb.ListEventsResponse = _wait_until(
            self._waiters,
            _seconds_to_wait(request, context),
            lambda: self._in(request.service, read),
            lambda answer: bool(answer.events) or not context.is_active(),
        )
        return answer

    def FollowEvents(self, request: pb.FollowEventsRequest, context: grpc.ServicerContext) -> pb.FollowEventsResponse:
        """Read what is new in several services, waiting for it when asked to."""
        access = current_access()
        if not (access.allows_everywhere(FOLLOW) or access.allows_everywhere(ADMINISTER)):
            raise NotPermitted("only services that carry news on may follow events")
        places = {name: after for name, after in sorted(request.after_positions.items()) if name in self._databases}

        def read() -> list[state.News]:
            found = []
            for name, after in places.items():
                with self._databases[name].reading() as work:
                    found.append(state.follow_events(work, after, MOST))
            return found

        news: list[state.News] = _wait_until(
            self._followers,
            _seconds_to_wait(request, context),
            read,
            lambda news: any(one.is_news for one in news) or not context.is_active(),
        )
        return pb.FollowEventsResponse(followed=map(_followed_message, places, news))

    def ListParked(self, request: pb.ListParkedRequest, context: grpc.ServicerContext) -> pb.ListParkedResponse:
        """List waiting events."""
        size = paging.page_size(request.page_size, PAGE, MOST)
        question = f"parked {request.consumer} {request.state}"
        key = paging.read_token(question, request.page_token)
        after = int(key[0]) if key else 0
        found = self._in(
            request.service,
            lambda work: state.list_parked(work, request.consumer, _state_name(request.state), after, size + 1),
        )
        more = len(found) > size
        token = paging.make_token(question, [found[size - 1].id]) if more else ""
        return pb.ListParkedResponse(parked=[_parked_message(one) for one in found[:size]], next_page_token=token)

    def GetParked(self, request: pb.GetParkedRequest, context: grpc.ServicerContext) -> pb.GetParkedResponse:
        """Show one event in full."""
        found, headers, data = self._in(request.service, lambda work: state.show_parked(work, request.number))
        return pb.GetParkedResponse(parked=_parked_message(found), headers=headers, data=data)

    def RetryParked(self, request: pb.RetryParkedRequest, context: grpc.ServicerContext) -> pb.RetryParkedResponse:
        """Have an event tried anew."""
        found = self._in(request.service, lambda work: state.retry_parked(work, request.number))
        return pb.RetryParkedResponse(parked=_parked_message(found))

    def SkipParked(self, request: pb.SkipParkedRequest, context: grpc.ServicerContext) -> pb.SkipParkedResponse:
        """Let an event go."""
        found = self._in(request.service, lambda work: state.skip_parked(work, request.number))
        return pb.SkipParkedResponse(parked=_parked_message(found))

    def GetLag(self, request: pb.GetLagRequest, context: grpc.ServicerContext) -> pb.GetLagResponse:
        """Measure how far behind a service is."""
        return _lag_message(self._in(request.service, state.lag))

    def _in(self, service: str, act: Callable[[UnitOfWork], T]) -> T:
        access = current_access()
        access.require_everywhere(ADMINISTER)
        name = service or (next(iter(self._databases)) if len(self._databases) == 1 else "")
        if name not in self._databases:
            raise ServiceNotHere(f"service {service!r} is not here; name one of {', '.join(sorted(self._databases))}")
        with self._databases[name].transaction(access) as work:
            return act(work)


def _seconds_to_wait(request: Any, context: grpc.ServicerContext) -> float:
    wished = min(request.wait.ToTimedelta().total_seconds(), MAX_WAIT_SECONDS)
    return float(min(wished, (context.time_remaining() or 0.0) - ANSWER_SECONDS))


def _wait_until(places: threading.Semaphore, seconds: float, read: Callable[[], T], enough: Callable[[T], bool]) -> T:
    """Read again and again until it is enough or time is up; at once where every place to wait is taken."""
    answer = read()
    if enough(answer) or seconds <= 0 or not places.acquire(blocking=False):
        return answer
    try:
        end = time.monotonic() + seconds
        while not enough(answer) and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
            answer = read()
        return answer
    finally:
        places.release()


def _followed_message(service: str, news: state.News) -> pb.FollowedEvents:
    return pb.FollowedEvents(
        service=service,
        next_position=news.next_position,
        events=map(_event_message, news.events),
        passed_over=news.passed_over,
    )


def _event_message(event: state.FeedEvent) -> pb.Event:
    return pb.Event(**asdict(event))


def _parked_message(parked: state.ParkedEvent) -> pb.ParkedEvent:
    values: dict[str, Any] = asdict(parked)
    return pb.ParkedEvent(number=values.pop("id"), **{**values, "state": _state_number(parked.state)})


def _lag_message(lag: state.Lag) -> pb.GetLagResponse:
    message = pb.GetLagResponse(
        source=lag.source,
        epoch=lag.epoch,
        last_position=lag.last_position,
        published_position=lag.published_position,
        unnumbered=lag.unnumbered,
        relay_holder=lag.relay_holder,
        consumers=[pb.ConsumerPosition(**asdict(one)) for one in lag.consumers],
        waiting=[
            pb.WaitingCount(consumer=consumer, state=_state_number(name), count=count)
            for (consumer, name), count in sorted(lag.waiting.items())
        ],
    )
    message.oldest_unpublished.FromMilliseconds(round(lag.oldest_unpublished_seconds * 1000))
    return message


def _state_number(name: str) -> pb.ParkedState.ValueType:
    return pb.ParkedState.Value(f"PARKED_STATE_{name.upper()}")


def _state_name(number: pb.ParkedState.ValueType) -> str:
    if number == pb.PARKED_STATE_UNSPECIFIED:
        return ""
    return pb.ParkedState.Name(number).removeprefix("PARKED_STATE_").lower()
