"""The lines of a deal as a small table that is edited whole: products or words, quantity, price, discount."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from chassis.errors import FieldInvalid, FieldViolation, RemoteError
from chassis.money import from_money
from crm.deals.v1 import deals_pb2 as pb
from gateway.web.conflicts import Conflict, make_conflict
from gateway.web.deals_page import deal_id
from gateway.web.form_values import read_money, read_number
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

BLANK_ROWS = 2
MOST_LINES = 60  # five fields each stay below what a form may have; longer deals come by import
MOST_PRODUCTS = 1_000
LINES = "lines"
FIELDS = ("product", "description", "quantity", "price", "discount", "external")


@dataclass(frozen=True)
class Row:
    """A line as the form shows it; discount in per cent."""

    product: str = ""
    description: str = ""
    quantity: str = ""
    price: str = ""
    discount: str = ""
    external: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was written into it."""
        return not (self.product or self.description or self.quantity or self.price)


def show_lines(visit: Visit) -> Response:
    """The lines as they stand, when an edit is given up."""
    deal = _read(visit, deal_id(visit))
    return visit.render("deals/lines.html", deal=deal, decimal=Decimal)


def edit_lines(visit: Visit) -> Response:
    """The table as a form."""
    deal = _read(visit, deal_id(visit))
    return _form(visit, deal, [row_of(line) for line in deal.line_items])


def save_lines(visit: Visit) -> Response:
    """Store the lines, or show them again with more rows; where somebody else changed them too, let the person choose.

    Errors: FieldInvalid, RemoteError.
    """
    id, rows = deal_id(visit), read_rows(visit)
    if visit.field("more"):
        return _form(visit, _read(visit, id), rows, visit.field("etag"))
    try:
        return _show(visit, _store(visit, id, rows, visit.field("etag")))
    except RemoteError as refusal:
        if refusal.reason != "STALE_ETAG":
            raise
    theirs = _read(visit, id)
    before, mine = visit.field("before.lines"), write_rows(rows)
    if mine == before:  # nothing was written, and what somebody else wrote stays
        return _show(visit, theirs)
    conflict = _conflict(visit, id, theirs, before, mine)
    if conflict is None:  # somebody changed something else
        return _show(visit, _store(visit, id, rows, theirs.etag))
    return visit.render("deals/lines_clash.html", 409, conflict=conflict)


def _read(visit: Visit, id: str) -> Any:
    return visit.call("deals", "GetDeal", pb.GetDealRequest(deal_id=id)).deal


def _store(visit: Visit, id: str, rows: Sequence[Row], etag: str) -> Any:
    currency = visit.field("currency")
    said = pb.Deal(id=id, line_items=[line_of(row, currency, number) for number, row in enumerate(rows, 1)])
    request = pb.UpdateDealRequest(deal=said, etag=etag)
    request.update_mask.paths.append("line_items")
    return visit.call("deals", "UpdateDeal", request).deal


def _show(visit: Visit, deal: Any) -> Response:
    return visit.render("deals/lines.html", headers={"HX-Trigger": "deal-changed"}, deal=deal, decimal=Decimal)


def _conflict(visit: Visit, id: str, theirs: Any, before: str, mine: str) -> Conflict | None:
    """What both changed, as before, theirs and mine; the currency goes along, as it is of the lines' prices."""
    names = {one.id: one.name for one in _products(visit)}

    def show(name: str, value: str) -> str:
        return "; ".join(_word_row(row, names) for row in parse_rows(value)) if name == LINES else value

    currency = visit.field("currency")
    values = (
        {LINES: before, "currency": currency},
        {LINES: write_rows([row_of(line) for line in theirs.line_items]), "currency": currency},
        {LINES: mine, "currency": currency},
    )
    labels = {LINES: _("Products and services"), "currency": _("Currency")}
    return make_conflict(f"/deals/{id}/lines", theirs.etag, "#lines", labels, values, show)


def _word_row(row: Row, names: Mapping[str, str]) -> str:
    price = f" × {row.price}" if row.price else ""
    discount = f" − {row.discount} %" if row.discount else ""
    return f"{names.get(row.product) or row.description or '…'}: {row.quantity or '1'}{price}{discount}"


def row_of(line: Any) -> Row:
    """A stored line as the form shows it."""
    discount = (Decimal(line.discount) * 100).normalize() if line.discount else Decimal(0)
    return Row(
        product=line.product_id,
        description="" if line.product_id else line.product_name,
        quantity=line.quantity,
        price=f"{from_money(line.unit_price)[0].normalize():f}" if line.HasField("unit_price") else "",
        discount=f"{discount:f}" if discount else "",
        external=line.external_id,
    )


def line_of(row: Row, currency: str, number: int) -> Any:
    """A row of the form as a line. Errors: FieldInvalid naming the row."""
    field = _("line %(number)s") % {"number": number}
    discount = read_number(field, row.discount)
    quantity = read_number(field, row.quantity)
    return pb.LineItem(
        product_id=row.product,
        product_name="" if row.product else row.description,
        quantity="" if quantity is None else f"{quantity.normalize():f}",
        unit_price=read_money(field, row.price, currency),
        discount="" if discount is None else f"{(discount / 100).normalize():f}",
        external_id=row.external,
    )


def read_rows(visit: Visit) -> list[Row]:
    """The rows of the posted form without blank ones, or those chosen where two people had changed them."""
    if visit.form.get(LINES) is not None:
        return parse_rows(visit.field(LINES))
    columns = [[str(value).strip() for value in visit.form.getlist(f"line_{name}")] for name in FIELDS]
    rows = [Row(*values) for values in zip(*columns, strict=False)][:MOST_LINES]
    return [row for row in rows if not row.is_blank]


def write_rows(rows: Sequence[Row]) -> str:
    """Rows as one text, to be compared and posted."""
    return json.dumps([[getattr(row, name) for name in FIELDS] for row in rows], ensure_ascii=False)


def parse_rows(written: str) -> list[Row]:
    """The rows that `write_rows` wrote. Errors: FieldInvalid."""
    try:
        return [Row(**dict(zip(FIELDS, map(str, row), strict=True))) for row in json.loads(written)][:MOST_LINES]
    except (ValueError, TypeError):
        raise FieldInvalid(FieldViolation(LINES, _("is not what a form sends; open the lines again"))) from None


def _products(visit: Visit) -> Sequence[Any]:
    found = visit.gather(products=("deals", "ListProducts", pb.ListProductsRequest(page_size=MOST_PRODUCTS)))
    return found["products"].products if found["products"] else ()


def _form(visit: Visit, deal: Any, rows: list[Row], etag: str = "") -> Response:
    priced = next((line.unit_price for line in deal.line_items if line.HasField("unit_price")), deal.amount)
    home = visit.home.currency_code if visit.home else ""
    return visit.render(
        "deals/lines_form.html",
        deal=deal,
        etag=etag or deal.etag,
        before=visit.field("before.lines") or write_rows([row_of(line) for line in deal.line_items]),
        rows=(rows + [Row()] * BLANK_ROWS)[:MOST_LINES],
        products=_products(visit),
        currency=visit.field("currency") or priced.currency_code or home,
    )


PAGES = (
    Page("GET", "/deals/{id}/lines", show_lines),
    Page("GET", "/deals/{id}/lines/edit", edit_lines),
    Page("POST", "/deals/{id}/lines", save_lines),
)
