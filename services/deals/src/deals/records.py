"""Pipelines, products, deals and plans as plain values, the way rules see them; knows no table and no message."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

OPEN, WON, LOST = "open", "won", "lost"
REVENUE, QUANTITY = "revenue", "quantity"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a pipeline; `kind` is open, won or lost, `probability` the per cent of deals expected to be won."""

    id: str
    pipeline_id: str
    name: str
    kind: str
    position: int
    aliases: tuple[str, ...] = ()
    probability: int = 0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline with its stages in order."""

    id: str
    version: int
    name: str
    stages: tuple[Stage, ...]
    is_default: bool = False

    @property
    def first_open(self) -> Stage:
        """The stage in which a deal begins."""
        return next(stage for stage in self.stages if stage.kind == OPEN)


@dataclass(frozen=True, slots=True)
class Product:
    """Something sold. `currency` is empty without a list price; `run_id` is the import that last set it, or empty."""

    id: str
    version: int
    name: str
    code: str
    category: str
    unit_of_measure: str
    fraction_allowed: bool
    list_price: Decimal | None
    currency: str
    create_time: datetime
    run_id: str


@dataclass(frozen=True, slots=True)
class Line:
    """One product in a deal; `description` is empty where there is a product. Money is in the deal's currency.

    `product_name` is the product's present name, for showing; it is no part of the line.
    """

    product_id: str
    description: str
    quantity: Decimal
    unit_price: Decimal | None
    discount: Decimal
    amount: Decimal | None
    external_id: str
    product_name: str = field(default="", compare=False)

    @property
    def shown_name(self) -> str:
        """The product's name, or the description."""
        return self.product_name or self.description


@dataclass(frozen=True, slots=True)
class Step:
    """One stage entered; `change_time` None where the source did not say when, `user_id` empty where not who."""

    stage_id: str
    stage_name: str
    change_time: datetime | None
    user_id: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of a deal, by a person or by a source. Empty text and None mean: nothing is said.

    `attributes` are name and text in the order of names. `currency` is of `amount` and of every line.
    """

    title: str
    pipeline_id: str
    stage_id: str
    organization_id: str
    person_id: str
    unit_id: str
    owner_id: str
    amount: Decimal | None
    currency: str
    line_items: tuple[Line, ...]
    stage_history: tuple[Step, ...]
    open_date: date | None
    close_date: date | None
    loss_reason: str
    loss_comment: str
    business_line: str
    external_id: str
    attributes: tuple[tuple[str, str], ...]
    expected_close_date: date | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as recorded. `run_id` is the import of the last change, or empty."""

    id: str
    version: int
    stage: Stage
    facts: Facts
    creator_id: str
    run_id: str
    create_time: datetime
    update_time: datetime

    @property
    def status(self) -> str:
        """What its stage means: open, won or lost."""
        return self.stage.kind

    @property
    def stage_time(self) -> datetime:
        """When it entered its stage; when it was recorded where its history does not say."""
        steps = self.facts.stage_history
        return (steps[-1].change_time if steps else None) or self.create_time


@dataclass(frozen=True, slots=True)
class Plan:
    """One planned figure of [start_date, end_date). `currency` is empty when a quantity is planned."""

    id: str
    version: int
    unit_id: str
    user_id: str
    product_id: str
    start_date: date
    end_date: date
    metric: str
    currency: str
    figure: Decimal
    run_id: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an imported row stands: run, file, sheet (empty for text files) and row from 1."""

    run_id: str
    file: str
    sheet: str
    row: int
