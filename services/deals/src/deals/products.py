"""Products: creating them, reading them, finding them by name or article number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.access import ALL, CREATE, SUBTREE, missing_grant
from chassis.database import UnitOfWork
from chassis.ids import new_id
from chassis.money import from_money
from crm.deals.v1 import deals_pb2 as pb
from deals.errors import NameTaken
from deals.events import tell_product
from deals.records import Product
from deals.rules import check_name, check_text
from deals.tables import product
from units.records import CATALOGUE
from values.names import fold_name

MAX_NAME, MAX_CODE, MAX_CATEGORY, MAX_MEASURE = 300, 100, 300, 100
COLUMNS = (
    "id", "version", "name", "code", "category", "unit_of_measure", "fraction_allowed", "list_price", "currency",
    "create_time", "run_id",
)  # fmt: skip
_SELECT = sa.select(*(product.c[name] for name in COLUMNS))


@dataclass(frozen=True)
class ProductFacts:
    """What is said of a product; empty text and None mean that nothing is said."""

    name: str
    code: str
    category: str
    unit_of_measure: str
    fraction_allowed: bool
    list_price: Decimal | None
    currency: str


def read_facts(said: pb.Product) -> ProductFacts:
    """The facts of a product as said. Errors: FieldInvalid."""
    priced = said.HasField("list_price")
    price, currency = from_money(said.list_price, "product.list_price") if priced else (None, "")
    return ProductFacts(
        check_name("product.name", said.name, MAX_NAME),
        check_text("product.code", said.code, MAX_CODE).strip(),
        check_text("product.category", said.category, MAX_CATEGORY),
        check_text("product.unit_of_measure", said.unit_of_measure, MAX_MEASURE),
        said.fraction_allowed,
        price,
        currency,
    )


def require_catalogue(work: UnitOfWork, action: str) -> None:
    """Products belong to the whole organization; whoever may act on more than own records may add one.

    Errors: NotPermitted.
    """
    if not any(grant.scope in (ALL, SUBTREE) for grant in work.access.grants_for(action, CATALOGUE)):
        raise missing_grant(action, CATALOGUE, "")


def create_product(work: UnitOfWork, facts: ProductFacts) -> Product:
    """Add a product. Errors: NotPermitted, NameTaken (also for a taken article number)."""
    require_catalogue(work, CREATE)
    lock_catalogue(work)
    made = make_product(work, facts, run_id="")
    if not insert_products(work, [made]):
        raise NameTaken("product", facts.name)
    tell_product(work, made)
    return made


def make_product(work: UnitOfWork, facts: ProductFacts, run_id: str) -> Product:
    """A new product as a value."""
    return Product(
        new_id(), 1, facts.name, facts.code, facts.category, facts.unit_of_measure, facts.fraction_allowed,
        facts.list_price, facts.currency, work.now, run_id,
    )  # fmt: skip


def insert_products(work: UnitOfWork, made: Sequence[Product]) -> set[str]:
    """Insert new products; returns the ids of those whose name and article number were free."""
    rows = [product_row(one) for one in made]
    statement = insert(product).on_conflict_do_nothing().returning(product.c.id)
    return set(work.execute(statement, rows).scalars()) if rows else set()


def product_row(one: Product) -> dict[str, Any]:
    """A product as a row."""
    row = {name: getattr(one, name) for name in COLUMNS}
    return row | {
        "name_key": fold_name(one.name),
        "code_key": fold_name(one.code) if one.code else "",
        "currency": one.currency or None,
    }


def product_of(row: Any) -> Product:
    """A row as a product."""
    values = {name: getattr(row, name) for name in COLUMNS}
    return Product(**values | {"currency": row.currency or ""})


def read_products(work: UnitOfWork, ids: Collection[str]) -> dict[str, Product]:
    """Products by id."""
    return {row.id: product_of(row) for row in work.execute(_SELECT.where(product.c.id.in_(ids)))}


def find_products(work: UnitOfWork, keys: Collection[str]) -> dict[str, Product]:
    """Products by folded name, else by folded article number."""
    wanted = sa.or_(product.c.name_key.in_(keys), sa.and_(product.c.code_key.in_(keys), product.c.code_key != ""))
    found = [product_of(row) for row in work.execute(_SELECT.where(wanted))] if keys else []
    by_code = {fold_name(one.code): one for one in found if one.code}
    return {key: one for key, one in (by_code | {fold_name(one.name): one for one in found}).items() if key in keys}


def lock_catalogue(work: UnitOfWork) -> None:
    """Let one transaction at a time add or change products: they are few, and names and numbers must stay distinct."""
    work.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("deals.product"))))


def read_by_keys(work: UnitOfWork, names: Collection[str], codes: Collection[str]) -> list[Product]:
    """Products under any of these folded names or article numbers."""
    wanted = sa.or_(product.c.name_key.in_(names), product.c.code_key.in_(codes))
    return [product_of(row) for row in work.execute(_SELECT.where(wanted))]


def update_products(work: UnitOfWork, changed: Sequence[Product]) -> None:
    """Write changed products."""
    if not changed:
        return
    rows = [product_row(one) for one in changed]
    statement = sa.update(product).where(product.c.id == sa.bindparam("of_id"))
    values = {name: sa.bindparam(f"of_{name}", type_=product.c[name].type) for name in rows[0] if name != "id"}
    work.execute(statement.values(values), [{f"of_{name}": value for name, value in row.items()} for row in rows])


def read_all_names(work: UnitOfWork) -> list[str]:
    """The names of all products, for proposals."""
    return list(work.execute(sa.select(product.c.name).order_by(product.c.name_key)).scalars())


def list_products(work: UnitOfWork, size: int, after: Sequence[Any] | None) -> list[Product]:
    """Up to `size` products by name, after the key [name_key] of the last one."""
    statement = _SELECT.order_by(product.c.name_key).limit(size)
    if after:
        statement = statement.where(product.c.name_key > str(after[0]))
    return [product_of(row) for row in work.execute(statement)]
