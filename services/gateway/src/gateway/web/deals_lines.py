"""The lines of a deal as a small table that is edited whole: products or words, quantity, price, discount."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from chassis.errors import RemoteError
from chassis.money import from_money
from crm.deals.v1 import deals_pb2 as pb
from gateway.web.deals_page import deal_id
from gateway.web.form_values import read_money, read_number
from gateway.web.mounting import Page
from gateway.web.texts import gettext as _
from gateway.web.visits import Visit

BLANK_ROWS = 2
MOST_LINES = 60  # five fields each stay below what a form may have; longer deals come by import
MOST_PRODUCTS = 1_000
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
    deal = visit.call("deals", "GetDeal", pb.GetDealRequest(deal_id=deal_id(visit))).deal
    return visit.render("deals/lines.html", deal=deal, decimal=Decimal)


def edit_lines(visit: Visit) -> Response:
    """The table as a form."""
    deal = visit.call("deals", "GetDeal", pb.GetDealRequest(deal_id=deal_id(visit))).deal
    return _form(visit, deal, [row_of(line) for line in deal.line_items])


def save_lines(visit: Visit) -> Response:
    """Store the lines, or show them again with one more row. Errors: FieldInvalid, RemoteError."""
    deal = visit.call("deals", "GetDeal", pb.GetDealRequest(deal_id=deal_id(visit))).deal
    rows = [row for row in read_rows(visit) if not row.is_blank]
    if visit.field("more"):
        return _form(visit, deal, rows, visit.field("etag"))
    currency = visit.field("currency")
    said = pb.Deal(id=deal.id, line_items=[line_of(row, currency, number) for number, row in enumerate(rows, 1)])
    request = pb.UpdateDealRequest(deal=said, etag=visit.field("etag"))
    request.update_mask.paths.append("line_items")
    try:
        stored = visit.call("deals", "UpdateDeal", request).deal
    except RemoteError as refusal:
        if refusal.reason != "STALE_ETAG" or not same_lines(visit.field("before"), deal.line_items):
            raise
        request.etag = deal.etag  # somebody changed something else
        stored = visit.call("deals", "UpdateDeal", request).deal
    return visit.render("deals/lines.html", headers={"HX-Trigger": "deal-changed"}, deal=stored, decimal=Decimal)


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
    """The rows of the posted form, in their order."""
    columns = [[str(value).strip() for value in visit.form.getlist(f"line_{name}")] for name in FIELDS]
    return [Row(*values) for values in zip(*columns, strict=False)][:MOST_LINES]


def mark_lines(lines: Sequence[Any]) -> str:
    """The lines as one text, to see whether somebody else changed them."""
    return ";".join(
        "/".join((row.product, row.description, row.quantity, row.price, row.discount)) for row in map(row_of, lines)
    )


def same_lines(before: str, lines: Sequence[Any]) -> bool:
    """Tell whether the lines are still those that the form began with."""
    return before == mark_lines(lines)


def _form(visit: Visit, deal: Any, rows: list[Row], etag: str = "") -> Response:
    found = visit.gather(products=("deals", "ListProducts", pb.ListProductsRequest(page_size=MOST_PRODUCTS)))
    priced = next((line.unit_price for line in deal.line_items if line.HasField("unit_price")), deal.amount)
    home = visit.home.currency_code if visit.home else ""
    return visit.render(
        "deals/lines_form.html",
        deal=deal,
        etag=etag or deal.etag,
        before=visit.field("before") or mark_lines(deal.line_items),
        rows=(rows + [Row()] * BLANK_ROWS)[:MOST_LINES],
        products=found["products"].products if found["products"] else (),
        currency=visit.field("currency") or priced.currency_code or home,
    )


PAGES = (
    Page("GET", "/deals/{id}/lines", show_lines),
    Page("GET", "/deals/{id}/lines/edit", edit_lines),
    Page("POST", "/deals/{id}/lines", save_lines),
)
