"""The gRPC door to a service's messaging state, for those who run the platform: translate, call, translate."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple, TypeVar

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from chassis import event_feed as feed
from chassis import messaging_state as state
from chassis import paging
from chassis.access import ADMINISTER, FOLLOW
from chassis.audit.entries import ACT, write_entry
from chassis.database import Database, UnitOfWork
from chassis.errors import FieldInvalid, FieldViolation, NotPermitted
from chassis.logged_event import LoggedEvent
from chassis.rpc.server import Servicer, current_access, database_named
from crm.platform.v1 import events_pb2 as pb
from crm.platform.v1 import events_pb2_grpc as pb_grpc

T = TypeVar("T")
PAGE, MOST = 100, 500
MAX_WAIT_SECONDS = 20.0
POLL_SECONDS = 0.2
WAITERS = 4  # of the server's threads that may hold a call open for events to come
FOLLOWERS = 4  # the same for those who follow several services; a replica of the gateway is one
UNIT_PATH = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
ANSWER_SECONDS = 0.2  # left of the deadline for the answer itself


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

        chosen = _chosen(request)

        def read(work: UnitOfWork) -> pb.ListEventsResponse:
            here = feed.read_standing(work)
            found = feed.tail_events(work, after, size, chosen, request.epoch)
            reached = found[-1].position if found else after
            last = reached if len(found) == size else max(reached, here.last_position)
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
            lambda: self._in(request.service, read, FOLLOW),
            lambda answer: bool(answer.events) or not context.is_active(),
        )
        return answer

    def ListSnapshot(self, request: pb.ListSnapshotRequest, context: grpc.ServicerContext) -> pb.ListSnapshotResponse:
        """Read the last event of each type of each record, and where the feed goes on behind it."""
        size = paging.page_size(request.page_size, PAGE, MOST)
        chosen = _chosen(request)
        question = f"snapshot {request.service} {sorted(chosen.types)} {chosen.unit_path}"
        key = paging.read_token(question, request.page_token)

        def read(work: UnitOfWork) -> pb.ListSnapshotResponse:
            here = feed.read_standing(work)
            begun = _Begun(*key[2:]) if key else _Begun(here.epoch, here.last_position)
            feed.require_kept(here, begun.position, begun.epoch)
            found = feed.read_snapshot(work, (key[0], key[1]) if key else None, size, chosen)
            answer = pb.ListSnapshotResponse(
                events=[_event_message(one) for one in found],
                position=begun.position,
                epoch=begun.epoch,
                source=here.source,
                oldest_position=here.oldest_position,
            )
            if here.last_time is not None:
                answer.time.FromDatetime(here.last_time)
            if len(found) == size:
                place = [found[-1].aggregate_id, found[-1].type, *begun]
                answer.next_page_token = paging.make_token(question, place)
            return answer

        return self._in(request.service, read, FOLLOW)

    def FollowEvents(self, request: pb.FollowEventsRequest, context: grpc.ServicerContext) -> pb.FollowEventsResponse:
        """Read what is new in several services, waiting for it when asked to."""
        access = current_access()
        if not (access.allows_everywhere(FOLLOW) or access.allows_everywhere(ADMINISTER)):
            raise NotPermitted("only services that carry news on may follow events")
        places = {name: after for name, after in sorted(request.after_positions.items()) if name in self._databases}

        def read() -> list[feed.News]:
            found = []
            for name, after in places.items():
                with self._databases[name].reading() as work:
                    found.append(feed.follow_events(work, after, MOST))
            return found

        news: list[feed.News] = _wait_until(
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
        found = self._in(request.service, lambda work: state.show_parked(work, request.number))
        return pb.GetParkedResponse(
            parked=_parked_message(found.parked),
            headers=found.headers,
            data=found.data,
            edits=[pb.ParkedEdit(**asdict(one)) for one in found.edits],
        )

    def RetryParked(self, request: pb.RetryParkedRequest, context: grpc.ServicerContext) -> pb.RetryParkedResponse:
        """Have an event tried anew."""
        found = self._in(request.service, _noted("RetryParked", lambda work: state.retry_parked(work, request.number)))
        return pb.RetryParkedResponse(parked=_parked_message(found))

    def SkipParked(self, request: pb.SkipParkedRequest, context: grpc.ServicerContext) -> pb.SkipParkedResponse:
        """Let an event go."""
        found = self._in(request.service, _noted("SkipParked", lambda work: state.skip_parked(work, request.number)))
        return pb.SkipParkedResponse(parked=_parked_message(found))

    def EditParked(self, request: pb.EditParkedRequest, context: grpc.ServicerContext) -> pb.EditParkedResponse:
        """Change what an event holds."""

        def edit(work: UnitOfWork) -> state.ParkedEvent:
            _require_same_record(state.show_parked(work, request.number).parked, request.data)
            return state.edit_parked(work, request.number, request.data)

        return pb.EditParkedResponse(parked=_parked_message(self._in(request.service, _noted("EditParked", edit))))

    def GetLag(self, request: pb.GetLagRequest, context: grpc.ServicerContext) -> pb.GetLagResponse:
        """Measure how far behind a service is."""
        return _lag_message(self._in(request.service, state.lag))

    def _in(self, service: str, act: Callable[[UnitOfWork], T], also: str = ADMINISTER) -> T:
        """Do something in a service's database for those who may administer, or may do `also` what is named."""
        access = current_access()
        if not access.allows_everywhere(also):
            access.require_everywhere(ADMINISTER)
        with database_named(self._databases, service).transaction(access) as work:
            return act(work)


def _noted(method: str, act: Callable[[UnitOfWork], state.ParkedEvent]) -> Callable[[UnitOfWork], state.ParkedEvent]:
    """An act on a waiting event with its entry in the audit trail."""

    def noted(work: UnitOfWork) -> state.ParkedEvent:
        found = act(work)
        write_entry(work, ACT, f"platform/{method}", "parked_event", [found.event_id], reason=found.consumer)
        return found

    return noted


class _Begun(NamedTuple):
    """Where a snapshot was begun; its pages carry it on."""

    epoch: int
    position: int


def _chosen(request: pb.ListEventsRequest | pb.ListSnapshotRequest) -> feed.Chosen:
    """Errors: FieldInvalid."""
    if request.unit_path and not UNIT_PATH.fullmatch(request.unit_path):
        raise FieldInvalid(FieldViolation("unit_path", "is no path of a unit, such as hq.ru.moscow"))
    return feed.Chosen(tuple(request.types), request.unit_path)


def _require_same_record(parked: state.ParkedEvent, data: bytes) -> None:
    """Errors: FieldInvalid when the bytes are no message of the event's type, or tell of another record.

    What order and locks of its consumers hang on is the record; a type that this process does not know is left to them.
    """
    try:
        kind = descriptor_pool.Default().FindMessageTypeByName(parked.type)
        message = GetMessageClass(kind).FromString(data)
    except KeyError:
        return  # the consumer says so when it tries
    except DecodeError:
        raise FieldInvalid(FieldViolation("data", f"is no {parked.type}")) from None
    told = kind.fields_by_name.get(parked.aggregate)
    if told is None or told.message_type is None or "id" not in told.message_type.fields_by_name:
        return
    if getattr(message, parked.aggregate).id != parked.aggregate_id:
        field = f"{parked.aggregate}.id"
        raise FieldInvalid(FieldViolation("data", f"tells of another record: {field} must stay {parked.aggregate_id}"))


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


def _followed_message(service: str, news: feed.News) -> pb.FollowedEvents:
    return pb.FollowedEvents(
        service=service,
        next_position=news.next_position,
        events=map(_event_message, news.events),
        passed_over=news.passed_over,
    )


def _event_message(event: LoggedEvent) -> pb.Event:
    return pb.Event(**event._asdict())


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
