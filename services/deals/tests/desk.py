"""A running deals service to test against: four units, people with different rights, and factories for records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import sqlalchemy as sa
from google.type import date_pb2

from chassis import schema
from chassis.access import ADMINISTER, ALL, IMPORT, OWN, PLAN, READ, SUBTREE, WRITE, Access, Grant
from chassis.database import Database, UnitOfWork
from chassis.dates import to_date
from chassis.errors import RemoteError
from chassis.money import to_money
from chassis.rpc.client import Client, calling_as
from chassis.tokens import TokenSigner, generate_key
from crm.deals.events.v1 import deals_events_pb2 as events
from crm.deals.v1 import deals_pb2 as pb
from crm.directory.events.v1 import directory_events_pb2 as directory_events
from units.copying import copy_units

KEY = generate_key()
SIGNER = TokenSigner(KEY)
EVERY_ACTION = (READ, WRITE, IMPORT, PLAN)


def id_of(name: str) -> str:
    """The same id for the same name in every run."""
    return str(uuid5(NAMESPACE_DNS, name))


PATHS = {"hq": "hq", "moscow": "hq.moscow", "tula": "hq.tula", "arbat": "hq.moscow.arbat"}
ADMIN = Access(
    id_of("admin"), "Admin", id_of("hq"), (*(Grant(action, ALL) for action in EVERY_ACTION), Grant(ADMINISTER, ALL))
)


def steward_of(name: str) -> Access:
    """Somebody who may do everything in a unit and below."""
    return Access(
        id_of(f"steward of {name}"), name, id_of(name), tuple(Grant(one, SUBTREE, PATHS[name]) for one in EVERY_ACTION)
    )


def seller_of(name: str, person: str) -> Access:
    """Somebody who reads and writes own records only."""
    return Access(id_of(person), person, id_of(name), (Grant(READ, OWN), Grant(WRITE, OWN)))


@dataclass(frozen=True)
class Told:
    """An event as it stands in the outbox."""

    message: Any
    version: int
    routing_key: str


@dataclass(frozen=True)
class _UnitNews:
    message: Any
    epoch: int = 1
    version: int = 1


@dataclass
class Desk:
    """The service as one caller at a time sees it; at first the administrator."""

    client: Client
    database: Database
    access: Access = ADMIN
    stages: dict[str, str] = field(default_factory=dict)

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

    def open(self, request_id: str = "", **fields: Any) -> pb.Deal:
        """Record a deal."""
        request = pb.CreateDealRequest(request_id=request_id, deal=a_deal(**fields))
        return self.call("CreateDeal", request).deal  # type: ignore[no-any-return]

    def move(self, deal: pb.Deal, stage: str, **fields: Any) -> pb.Deal:
        """Move a deal to a stage of the default pipeline."""
        request = pb.MoveDealRequest(deal_id=deal.id, stage_id=self.stages[stage], **fields)
        return self.call("MoveDeal", request).deal  # type: ignore[no-any-return]

    def get(self, deal_id: str) -> pb.Deal:
        """Read a deal."""
        return self.call("GetDeal", pb.GetDealRequest(deal_id=deal_id)).deal  # type: ignore[no-any-return]

    def product(self, name: str, **fields: Any) -> pb.Product:
        """Add a product."""
        request = pb.CreateProductRequest(product=pb.Product(name=name, **fields))
        return self.call("CreateProduct", request).product  # type: ignore[no-any-return]

    def take(self, rows: Sequence[pb.DealRow], **fields: Any) -> list[pb.RowFate]:
        """Import deals into Moscow."""
        request = pb.ImportDealsRequest(**{"rows": rows, "unit_id": id_of("moscow"), "source": "files", **fields})
        return list(self.call("ImportDeals", request).fates)

    def told(self, kind: str = "", aggregate_id: str = "") -> list[Told]:
        """The events in the outbox, oldest first; of one kind or of one aggregate."""
        box = schema.outbox
        with self.database.transaction() as work:
            rows = work.execute(sa.select(box).order_by(box.c.id)).all()
        return [
            Told(getattr(events, row.type.rsplit(".", 1)[1]).FromString(row.data), row.version, row.routing_key)
            for row in rows
            if row.type.endswith(kind) and (not aggregate_id or row.aggregate_id == aggregate_id)
        ]

    def count(self, table: sa.Table) -> int:
        """How many rows a table has."""
        with self.database.transaction() as work:
            return int(work.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())

    def work(self, act: Callable[[UnitOfWork], Any]) -> Any:
        """Run something in a transaction of the service itself."""
        with self.database.transaction() as work:
            return act(work)


def fill_units(work: UnitOfWork) -> None:
    """Let the news of the four units arrive."""
    zones = {"hq": "UTC", "moscow": "Europe/Moscow", "tula": "Europe/Moscow", "arbat": "Europe/Moscow"}
    states = [
        directory_events.UnitState(
            id=id_of(name), kind="branch", code=name, name=name, path=path, time_zone=zones[name]
        )
        for name, path in PATHS.items()
    ]
    copy_units(work, [_UnitNews(directory_events.UnitCreated(unit=state)) for state in states])


def a_deal(**fields: Any) -> pb.Deal:
    """A deal of Moscow, unless told otherwise; money and days may be written as text."""
    values = {"unit_id": id_of("moscow"), **fields}
    for name in ("open_date", "close_date"):
        if isinstance(values.get(name), str):
            values[name] = a_day(values[name])
    if isinstance(values.get("amount"), str):
        values["amount"] = some_money(values["amount"])
    return pb.Deal(**values)


def a_row(number: str, row: int = 2, run_id: str = "run-1", **fields: Any) -> pb.DealRow:
    """One row of an import."""
    provenance = pb.Provenance(run_id=run_id, file="deals.xlsx", sheet="Sheet1", row=row)
    return pb.DealRow(deal=a_deal(**{"unit_id": "", **fields}), external_id=number, provenance=provenance)


def a_line(product: pb.Product | None = None, **fields: Any) -> pb.LineItem:
    """One line of a deal; money may be written as text."""
    values = {"product_id": product.id if product else "", **fields}
    for name in ("unit_price", "amount"):
        if isinstance(values.get(name), str):
            values[name] = some_money(values[name])
    return pb.LineItem(**values)


def a_day(text: str) -> date_pb2.Date:
    """A day written in ISO 8601."""
    day = to_date(date.fromisoformat(text))
    assert day is not None
    return day


def some_money(text: str) -> Any:
    """Money written as `12.50 EUR`."""
    amount, currency = text.split()
    return to_money(Decimal(amount), currency)
