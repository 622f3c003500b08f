"""A small selling organization that tells its facts as events, as the other services would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from google.protobuf.message import Message
from google.type.money_pb2 import Money

from chassis.access import OWN, READ, SUBTREE, Access, Grant
from chassis.database import Database
from chassis.ids import new_id
from chassis.money import to_money
from crm.contacts.events.v1 import contacts_events_pb2 as contacts
from crm.deals.events.v1 import deals_events_pb2 as deals
from crm.directory.events.v1 import directory_events_pb2 as directory
from crm.imports.events.v1 import imports_events_pb2 as imports
from crm.reporting.v1 import reporting_pb2 as pb
from reporting.subscriptions import HANDLERS


@dataclass(frozen=True)
class Told:
    """An event as a handler gets it."""

    message: Message
    version: int = 1
    epoch: int = 1


class World:
    """Tells facts and remembers them all, so that they can be told again in another order."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.told: list[Told] = []
        self.paths: dict[str, str] = {}
        self.stages: dict[str, str] = {}
        self.holding = False
        self.handled = 0

    def tell(self, *messages: Message, version: int = 1) -> None:
        """Let events happen: each is handled at once."""
        self.told += [Told(message, version) for message in messages]
        if not self.holding:
            self.deliver_told()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is told inside is handled together at the end."""
        self.holding = True
        yield
        self.holding = False
        self.deliver_told()

    def deliver_told(self) -> None:
        """Give everything not yet handled to the handlers."""
        fresh, self.handled = self.told[self.handled :], len(self.told)
        deliver(self.database, fresh)

    def a_unit(self, code: str, parent: str = "", kind: str = "branch", **more: Any) -> str:
        """A unit below another, by id; a branch unless told otherwise."""
        unit_id = more.pop("id", new_id())
        path = f"{self.paths[parent]}.{code}" if parent else code
        self.paths[unit_id] = path
        state = {"currency_code": "EUR", "name": code.title(), "country_code": "DE", **more}
        unit = directory.UnitState(id=unit_id, parent_id=parent, kind=kind, code=code, path=path, **state)
        self.tell(directory.UnitCreated(unit=unit))
        return str(unit_id)

    def a_user(self, name: str) -> str:
        """A user, by id."""
        user_id = new_id()
        self.tell(directory.UserCreated(user=directory.UserState(id=user_id, display_name=name, active=True)))
        return user_id

    def a_pipeline(self, name: str = "Sales", stages: str = "Lead Offer +Won -Lost") -> str:
        """A pipeline, by id; + marks a stage that is won, - one that is lost. Stage ids are kept by name."""
        pipeline_id = new_id()
        kinds = {"+": "won", "-": "lost"}
        states = []
        for position, word in enumerate(stages.split(), 1):
            self.stages[word.lstrip("+-")] = new_id()
            stage_id, kind = self.stages[word.lstrip("+-")], kinds.get(word[0], "open")
            states.append(deals.StageState(id=stage_id, name=word.lstrip("+-"), kind=kind, position=position))
        self.tell(deals.PipelineDefined(pipeline=deals.PipelineState(id=pipeline_id, name=name, stages=states)))
        return pipeline_id

    def a_product(self, name: str, category: str = "", unit_of_measure: str = "piece") -> str:
        """A product, by id."""
        product_id = new_id()
        state = deals.ProductState(id=product_id, name=name, category=category, unit_of_measure=unit_of_measure)
        self.tell(deals.ProductDefined(product=state))
        return product_id

    def an_organization(self, name: str, units: Sequence[str] = (), **more: Any) -> str:
        """An organization, by id."""
        organization_id, home = new_id(), next(iter(units), "")
        state = contacts.OrganizationState(id=organization_id, display_name=name, unit_ids=units, unit_id=home, **more)
        self.tell(contacts.OrganizationCreated(organization=state))
        return organization_id

    def a_person(self, name: str, units: Sequence[str] = (), **more: Any) -> str:
        """A person, by id."""
        person_id = new_id()
        personal, home = contacts.PersonPersonal(display_name=name), next(iter(units), "")
        state = contacts.PersonState(id=person_id, personal=personal, unit_ids=units, unit_id=home, **more)
        self.tell(contacts.PersonCreated(person=state))
        return person_id

    def a_deal(self, pipeline: str, unit: str, stage: str, amount: str = "", version: int = 1, **more: Any) -> str:
        """A deal in a stage, by id; `path` names the stages it was in, else only the present one."""
        state = self.deal_state(pipeline, unit, stage, amount, **more)
        self.tell(deals.DealOpened(deal=state), version=version)
        return state.id

    def deal_state(self, pipeline: str, unit: str, stage: str, amount: str = "", **more: Any) -> deals.DealState:
        """The state of a deal. Shapes: amount `12.50 EUR`, lines (product id, quantity, amount)."""
        path = more.pop("path", [stage])
        lines = more.pop("lines", [])
        status = more.pop("status", "won" if "won" in stage.lower() else "lost" if "lost" in stage.lower() else "open")
        state = deals.DealState(id=more.pop("id", "") or new_id(), pipeline_id=pipeline, stage_id=self.stages[stage],
                                unit_id=unit, status=status, title=more.pop("title", "A deal"), **more)  # fmt: skip
        if amount:
            state.amount.CopyFrom(money(amount))
        for product_id, quantity, value in lines:
            line = state.line_items.add(product_id=product_id, product_name="a line", quantity=quantity)
            if value:
                line.amount.CopyFrom(money(value))
        for name in path:
            state.stage_history.add(stage_id=self.stages[name])
        return state

    def a_plan(self, unit: str, start: str, end: str, value: str, **more: Any) -> str:
        """A plan from a day to the day after, by id; a value with a currency is revenue, without one a quantity."""
        plan_id = new_id()
        figure: dict[str, Any] = (
            {"metric": "revenue", "amount": money(value)} if " " in value else {"metric": "quantity", "quantity": value}
        )
        plan = deals.PlanState(id=plan_id, unit_id=unit, start_date=start, end_date=end, **figure, **more)
        self.tell(deals.PlanSet(plan=plan))
        return plan_id

    def an_interaction(self, unit: str, author: str, kind: str = "call", day: str = "2026-03-03") -> str:
        """An interaction, by id."""
        state = contacts.InteractionState(id=new_id(), kind=kind, author_id=author, unit_id=unit)
        state.occur_time.FromDatetime(datetime.fromisoformat(f"{day}T10:00:00"))
        self.tell(contacts.InteractionLogged(interaction=state))
        return state.id

    def a_run(self, unit: str, state: str, first: str = "", last: str = "", version: int = 1, **more: Any) -> str:
        """A run of deals, by id."""
        run_id = more.pop("id", "") or new_id()
        values = {"kind": "deals", "file_name": "sales.xlsx", "rows_read": 10, "created": 10, **more}
        run = imports.RunState(id=run_id, unit_id=unit, state=state, first_date=first, last_date=last, **values)
        run.create_time.FromDatetime(datetime.now(UTC))
        kind = {"finished": imports.RunFinished, "failed": imports.RunFailed}.get(state, imports.RunChecked)
        self.tell(kind(run=run), version=version)
        return str(run_id)


def deliver(database: Database, told: Sequence[Told], batch: int = 500) -> None:
    """Give events to their handlers in batches, as the bus does: one transaction a batch, one call a type."""
    for start in range(0, len(told), batch):
        with database.transaction() as work:
            by_type: dict[type[Message], list[Told]] = {}
            for one in told[start : start + batch]:
                by_type.setdefault(type(one.message), []).append(one)
            for kind, deliveries in by_type.items():
                HANDLERS[kind](work, deliveries)


def money(text: str) -> Money:
    """`12.50 EUR` as a message."""
    amount, currency = text.split()
    message = to_money(Decimal(amount), currency)
    assert message is not None
    return message


def parameters_of(**given: Any) -> pb.ReportParameters:
    """Report parameters; days as ISO 8601 texts, `group_by` as words."""
    values = dict(given)
    for name in ("from_date", "to_date"):
        if name in values:
            day = date.fromisoformat(values[name])
            values[name] = {"year": day.year, "month": day.month, "day": day.day}
    if "group_by" in values:
        values["group_by"] = values["group_by"].split()
    return pb.ReportParameters(**values)


def reader_of(path: str, user_id: str = "") -> Access:
    """Somebody who may read a unit's subtree."""
    return Access(user_id or new_id(), "Reader", grants=(Grant(READ, SUBTREE, path),))


def seller(user_id: str) -> Access:
    """Somebody who may read what they own."""
    return Access(user_id, "Seller", grants=(Grant(READ, OWN),))


def table_of(answer: pb.RunReportResponse, rows: str = "rows") -> list[dict[str, str]]:
    """Rows (or totals) as text by column."""
    names = [column.name for column in answer.columns]
    return [dict(zip(names, (cell.value for cell in row.cells), strict=True)) for row in getattr(answer, rows)]


def keys_of(answer: pb.RunReportResponse, rows: str = "rows") -> list[dict[str, str]]:
    """Drill keys of rows (or totals) by column."""
    names = [column.name for column in answer.columns]
    return [dict(zip(names, (cell.drill_key for cell in row.cells), strict=True)) for row in getattr(answer, rows)]
