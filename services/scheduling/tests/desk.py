"""A running scheduling service to test against: four units, people with different rights, and factories for records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import NAMESPACE_DNS, uuid5
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type import date_pb2

from chassis import schema
from chassis.access import ALL, CONFIGURE, OWN, READ, SUBTREE, WRITE, Access, Grant
from chassis.database import Database, UnitOfWork
from chassis.dates import to_date
from chassis.errors import RemoteError
from chassis.rpc.client import Client, calling_as
from chassis.tokens import TokenSigner, generate_key
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.directory.events.v1 import directory_events_pb2 as directory
from crm.scheduling.events.v1 import scheduling_events_pb2 as events
from crm.scheduling.v1 import scheduling_pb2 as pb
from scheduling.copying import HANDLERS

KEY = generate_key()
SIGNER = TokenSigner(KEY)
MOSCOW = ZoneInfo("Europe/Moscow")


def id_of(name: str) -> str:
    """The same id for the same name in every run."""
    return str(uuid5(NAMESPACE_DNS, name))


PATHS = {"hq": "hq", "moscow": "hq.moscow", "tula": "hq.tula", "arbat": "hq.moscow.arbat"}
ZONES = {"hq": "UTC", "moscow": "Europe/Moscow", "tula": "Europe/Moscow", "arbat": "Europe/Moscow"}
ADMIN = Access(id_of("admin"), "Admin", id_of("hq"), (Grant(READ, ALL), Grant(WRITE, ALL), Grant(CONFIGURE, ALL)))


def head_of(name: str) -> Access:
    """Somebody who reads and writes in a unit and below, and own records."""
    grants = (
        Grant(READ, SUBTREE, PATHS[name]),
        Grant(WRITE, SUBTREE, PATHS[name]),
        Grant(READ, OWN),
        Grant(WRITE, OWN),
    )
    return Access(id_of(f"head of {name}"), name, id_of(name), grants)


def seller_of(name: str, person: str) -> Access:
    """Somebody who reads and writes own records only."""
    return Access(id_of(person), person, id_of(name), (Grant(READ, OWN), Grant(WRITE, OWN)))


@dataclass(frozen=True)
class Told:
    """An event as it stands in the outbox."""

    kind: str
    message: Any
    version: int
    routing_key: str


@dataclass(frozen=True)
class News:
    """An event as a handler gets it."""

    message: Any
    version: int = 1
    epoch: int = 1


@dataclass
class Desk:
    """The service as one caller at a time sees it; at first the administrator."""

    client: Client
    database: Database
    access: Access = ADMIN

    def call(self, method: str, request: Any) -> Any:
        """Call as the present caller."""
        with calling_as(SIGNER.sign(self.access)):
            return self.client.call(method, request, timeout=60, retry=False)

    @contextmanager
    def as_caller(self, access: Access) -> Iterator[None]:
        """Make the calls inside as somebody else."""
        before, self.access = self.access, access
        try:
            yield
        finally:
            self.access = before

    def refusal(self, method: str, request: Any) -> RemoteError:
        """The error that a call answers."""
        try:
            answer = self.call(method, request)
        except RemoteError as trouble:
            return trouble
        raise AssertionError(f"{method} was not refused: {answer}")

    def plan(self, request_id: str = "", **fields: Any) -> pb.Activity:
        """Plan an activity."""
        request = pb.CreateActivityRequest(request_id=request_id, activity=an_activity(**fields))
        return self.call("CreateActivity", request).activity  # type: ignore[no-any-return]

    def change(self, known: pb.Activity, *paths: str, etag: str = "", **fields: Any) -> pb.Activity:
        """Change fields of an activity."""
        request = pb.UpdateActivityRequest(
            activity=pb.Activity(id=known.id, **fields), update_mask=FieldMask(paths=paths), etag=etag or known.etag
        )
        return self.call("UpdateActivity", request).activity  # type: ignore[no-any-return]

    def complete(self, known: pb.Activity, outcome: str = "", **fields: Any) -> pb.CompleteActivityResponse:
        """Close an activity as done."""
        request = pb.CompleteActivityRequest(activity_id=known.id, outcome=outcome, **fields)
        return self.call("CompleteActivity", request)  # type: ignore[no-any-return]

    def get(self, activity_id: str) -> pb.Activity:
        """Read an activity."""
        return self.call("GetActivity", pb.GetActivityRequest(activity_id=activity_id)).activity  # type: ignore[no-any-return]

    def listed(self, **asked: Any) -> list[str]:
        """The ids that a list answers."""
        return [one.id for one in self.call("ListActivities", pb.ListActivitiesRequest(**asked)).activities]

    def today(self, **asked: Any) -> pb.GetTodayResponse:
        """The day of the present caller."""
        return self.call("GetToday", pb.GetTodayRequest(**asked))  # type: ignore[no-any-return]

    def notified(self, access: Access) -> list[tuple[int, str]]:
        """What a user was told of: kinds and activities, oldest first."""
        with self.as_caller(access):
            found = self.call("ListNotifications", pb.ListNotificationsRequest()).notifications
        return [(one.kind, one.activity.id) for one in reversed(found)]

    def told(self, kind: str = "", aggregate_id: str = "") -> list[Told]:
        """The events in the outbox, oldest first; of one kind or of one aggregate."""
        box = schema.outbox
        with self.database.transaction() as work:
            rows = work.execute(sa.select(box).order_by(box.c.id)).all()
        named = [(row.type.rsplit(".", 1)[1], row) for row in rows]
        return [
            Told(name, getattr(events, name).FromString(row.data), row.version, row.routing_key)
            for name, row in named
            if kind in ("", name) and aggregate_id in ("", row.aggregate_id)
        ]

    def hear(self, *messages: Any, version: int = 1) -> None:
        """Let news of other services arrive."""
        with self.database.transaction() as work:
            for message in messages:
                HANDLERS[type(message)](work, [News(message, version)])

    def work(self, act: Callable[[UnitOfWork], Any]) -> Any:
        """Run something in a transaction of the service itself."""
        with self.database.transaction() as work:
            return act(work)


def fill_units(work: UnitOfWork) -> None:
    """Let the news of the four units arrive."""
    states = [
        directory.UnitState(id=id_of(name), kind="branch", code=name, name=name, path=path, time_zone=ZONES[name])
        for name, path in PATHS.items()
    ]
    HANDLERS[directory.UnitCreated](work, [News(directory.UnitCreated(unit=state)) for state in states])


def a_person(name: str, *units: str, owner: str = "") -> contacts.PersonCreated:
    """News of a person whom units know."""
    state = contacts.PersonState(
        id=id_of(name),
        unit_ids=[id_of(unit) for unit in units],
        owner_id=id_of(owner) if owner else "",
        personal=contacts.PersonPersonal(display_name=name),
    )
    return contacts.PersonCreated(person=state)


def an_organization(name: str, *units: str) -> contacts.OrganizationCreated:
    """News of an organization that units know."""
    ids = [id_of(unit) for unit in units]
    return contacts.OrganizationCreated(
        organization=contacts.OrganizationState(id=id_of(name), display_name=name, unit_ids=ids)
    )


def a_deal(title: str, unit: str) -> deals.DealOpened:
    """News of a deal."""
    return deals.DealOpened(deal=deals.DealState(id=id_of(title), title=title, unit_id=id_of(unit), status="open"))


def a_user(name: str, unit: str, active: bool = True) -> directory.UserCreated:
    """News of a user who holds a position."""
    position = directory.PositionState(id=id_of(f"position of {name}"), unit_id=id_of(unit), role="seller")
    state = directory.UserState(id=id_of(name), display_name=name, active=active, positions=[position])
    return directory.UserCreated(user=state)


def an_activity(**fields: Any) -> pb.Activity:
    """A task of Moscow, unless told otherwise; moments and days may be written as text, without offset Moscow's."""
    values = {"kind": pb.ACTIVITY_KIND_TASK, "unit_id": id_of("moscow"), **fields}
    if values["kind"] == pb.ACTIVITY_KIND_TASK:
        values.setdefault("subject", "Send the offer")
    for name in ("due_time", "end_time"):
        if isinstance(values.get(name), str):
            values[name] = a_time(values[name])
    if isinstance(values.get("due_date"), str):
        values["due_date"] = a_day(values["due_date"])
    return pb.Activity(**values)


def at(text: str) -> datetime:
    """A moment of Moscow's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


def a_time(text: str) -> Timestamp:
    """A moment of Moscow's clock, as a message."""
    stamp = Timestamp()
    stamp.FromDatetime(at(text).astimezone(UTC))
    return stamp


def written(stamp: Timestamp) -> str:
    """A moment as Moscow's clock shows it."""
    return stamp.ToDatetime(UTC).astimezone(MOSCOW).strftime("%Y-%m-%dT%H:%M")


def a_day(text: str) -> date_pb2.Date:
    """A day written in ISO 8601."""
    day = to_date(date.fromisoformat(text))
    assert day is not None
    return day


def every(number: int, unit: int, **more: Any) -> pb.Repetition:
    """A repetition; a last day may be written as text."""
    if "until" in more:
        more["until_date"] = a_day(more.pop("until"))
    return pb.Repetition(every=number, unit=unit, **more)  # type: ignore[arg-type]
