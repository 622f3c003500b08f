"""Products of a workbook into the catalogue: known by name, else by article number; silence changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chassis.access import IMPORT
from chassis.database import UnitOfWork
from chassis.errors import DomainError
from crm.deals.v1 import deals_pb2 as pb
from deals.events import tell_product
from deals.importing import Origin, check_provenance, check_rows, refused, refused_by, take
from deals.products import (
    ProductFacts,
    insert_products,
    lock_catalogue,
    make_product,
    read_by_keys,
    read_facts,
    require_catalogue,
    update_products,
)
from deals.records import Product
from units.records import CATALOGUE
from values.names import fold_name

_FIELDS = ("name", "code", "category", "unit_of_measure", "fraction_allowed", "list_price", "currency")
_SILENT = ("", None, False)


def import_products(work: UnitOfWork, request: pb.ImportProductsRequest) -> list[pb.RowFate]:
    """The fate of each row, in order. Errors: FieldInvalid and NotPermitted for the call as a whole.

    A row fills what is empty in a known product. What it says otherwise is taken from those who may import for the
    whole organization; a branch's row is refused then. No fraction flag means that the row says nothing of fractions.
    """
    check_rows(len(request.rows))
    require_catalogue(work, IMPORT)
    return take(work, request.dry_run, lambda: _import(work, request))


def _import(work: UnitOfWork, request: pb.ImportProductsRequest) -> tuple[list[pb.RowFate], list[Origin]]:
    lock_catalogue(work)
    said = [_read(row) for row in request.rows]
    facts = [one for one in said if isinstance(one, ProductFacts)]
    shelf = Shelf(work, read_by_keys(work, _keys(one.name for one in facts), _keys(one.code for one in facts)))
    fates, origins = [], []
    for row, one in zip(request.rows, said, strict=True):
        fate = shelf.put(one, row.provenance.run_id) if isinstance(one, ProductFacts) else one
        fates.append(fate)
        if fate.fate in (pb.FATE_CREATED, pb.FATE_UPDATED, pb.FATE_MERGED):
            origins.append(Origin(fate.record_id, row.provenance))
    shelf.store()
    return fates, origins


class Shelf:
    """The products that the rows of a call may mean, changed in memory and stored at the end."""

    def __init__(self, work: UnitOfWork, known: Iterable[Product]) -> None:
        self.work = work
        self.before = {one.id: one for one in known}
        self.now = dict(self.before)
        self.names = {fold_name(one.name): one.id for one in self.before.values()}
        self.codes = {fold_name(one.code): one.id for one in self.before.values() if one.code}

    def put(self, said: ProductFacts, run_id: str) -> pb.RowFate:
        """Take one row's product; its fate."""
        by_name = self.names.get(fold_name(said.name), "")
        by_code = self.codes.get(fold_name(said.code), "") if said.code else ""
        if by_name and by_code and by_name != by_code:
            other = self.now[by_code].name
            return refused("CODE_TAKEN", f"article number {said.code!r} is of product {other!r}")
        known = self.now.get(by_name or by_code)
        return self._change(known, said, run_id) if known else self._make(said, run_id)

    def store(self) -> None:
        """Write what was made and changed, each product once, and say so."""
        made = [one for one in self.now.values() if one.id not in self.before]
        touched = [one for one in self.now.values() if self.before.get(one.id, one) != one]
        changed = [replace(one, version=one.version + 1) for one in touched]
        insert_products(self.work, made)
        update_products(self.work, changed)
        for one in (*made, *changed):
            tell_product(self.work, one)

    def _make(self, said: ProductFacts, run_id: str) -> pb.RowFate:
        made = make_product(self.work, said, run_id)
        self._keep(made)
        return pb.RowFate(fate=pb.FATE_CREATED, record_id=made.id)

    def _change(self, known: Product, said: ProductFacts, run_id: str) -> pb.RowFate:
        spoken = [name for name in _FIELDS if getattr(said, name) not in _SILENT]
        changed = [name for name in spoken if _differs(name, getattr(said, name), getattr(known, name))]
        same_run = bool(run_id) and known.run_id == run_id
        if not changed:
            return pb.RowFate(fate=pb.FATE_MERGED if same_run else pb.FATE_UNCHANGED, record_id=known.id)
        differing = ", ".join(name for name in changed if getattr(known, name) not in _SILENT)
        if differing and same_run:
            return refused("ROW_CONTRADICTS", f"{known.name!r} stands in another row with a different {differing}")
        if differing and not self.work.access.allows_everywhere(IMPORT, CATALOGUE):
            return refused(
                "NOT_PERMITTED", f"{known.name!r} is known to the whole organization with a different {differing}"
            )
        self._keep(replace(known, **{name: getattr(said, name) for name in changed}, run_id=run_id))
        fields = list(dict.fromkeys("list_price" if name == "currency" else name for name in changed))
        kind = pb.FATE_MERGED if same_run else pb.FATE_UPDATED
        return pb.RowFate(fate=kind, record_id=known.id, changed_fields=fields)

    def _keep(self, one: Product) -> None:
        self.now[one.id] = one
        self.names[fold_name(one.name)] = one.id
        if one.code:
            self.codes[fold_name(one.code)] = one.id


def _differs(name: str, said: object, known: object) -> bool:
    """Tell whether two values are not the same; names and article numbers are, in any spelling that is found as one."""
    if name in ("name", "code"):
        return fold_name(str(said)) != fold_name(str(known))
    return said != known


def _read(row: pb.ProductRow) -> ProductFacts | pb.RowFate:
    try:
        check_provenance(row.provenance)
        return read_facts(row.product)
    except DomainError as trouble:
        return refused_by(trouble)


def _keys(texts: Iterable[str]) -> set[str]:
    return {fold_name(text) for text in texts if text}
