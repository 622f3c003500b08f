"""Lines of a deal that two people change at once: shown as before, theirs and mine, and the choice is stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest

VALUE = re.compile(r'name="([a-z._]+)" value="([^"]*)"')


@dataclass(frozen=True)
class Sale:
    """A deal with one line in words, and a head at a browser."""

    admin: Any
    head: Any
    id: str

    def lines(self) -> list[tuple[str, str]]:
        """What is stored."""
        deal = self.admin.get(f"/deals/{self.id}")
        return [(one["product_name"], one["quantity"]) for one in deal.get("line_items", [])]

    def change(self, **fields: Any) -> dict[str, Any]:
        """Somebody else changes the deal."""
        etag = self.admin.get(f"/deals/{self.id}")["etag"]
        changed: dict[str, Any] = self.admin.patch(f"/deals/{self.id}", fields, headers={"If-Match": etag})
        return changed

    def form(self) -> dict[str, str]:
        """The form as it opens, its first line with a quantity."""
        page = self.head.part(f"/deals/{self.id}/lines/edit").text
        fields = {name: unescape(value) for name, value in reversed(VALUE.findall(page))}
        return {name: value for name, value in fields.items() if name != "more"}

    def save(self, form: dict[str, str], quantity: str) -> Any:
        """Send the form with another quantity."""
        return self.head.post(
            f"/deals/{self.id}/lines", {**form, "line_product": "", "line_quantity": quantity}, "form#lines-form"
        )


@pytest.fixture
def sale(admin: Any, a_branch: Callable[..., Any], a_visitor: Callable[..., Any]) -> Sale:
    """A deal of its own."""
    unit = a_branch()
    line = {"product_name": "Oak stairs", "quantity": "2", "unit_price": {"amount": "10", "currency_code": "EUR"}}
    deal = admin.post("/deals", {"title": "Stairs", "unit_id": unit["id"], "line_items": [line]})
    return Sale(admin, a_visitor(unit, "head"), deal["id"])


def test_both_changed_the_lines_and_one_chooses(sale: Sale) -> None:
    form = sale.form()
    sale.change(line_items=[{"product_name": "Pine stairs", "quantity": "3"}])
    answer = sale.save(form, "5")
    assert answer.status_code == 409
    shown = re.findall(r"<bdi>([^<]+)</bdi>", answer.text)
    assert shown == ["Oak stairs: 2 × 10", "Pine stairs: 3", "Oak stairs: 5 × 10"]
    hidden = {name: unescape(value) for name, value in VALUE.findall(answer.text) if name != "lines"}
    mine = [unescape(value) for name, value in VALUE.findall(answer.text) if name == "lines"][-1]
    chosen = sale.head.post(f"/deals/{sale.id}/lines", {**hidden, "lines": mine}, "form#conflict-lines")
    assert chosen.status_code == 200, chosen.text
    assert sale.lines() == [("Oak stairs", "5")]


def test_who_changed_nothing_overwrites_nothing(sale: Sale) -> None:
    form = sale.form()
    sale.change(line_items=[{"product_name": "Pine stairs", "quantity": "3"}])
    answer = sale.save(form, "2")
    assert (answer.status_code, "Pine stairs" in answer.text) == (200, True)
    assert sale.lines() == [("Pine stairs", "3")]


def test_another_field_changed_meanwhile_is_no_conflict(sale: Sale) -> None:
    form = sale.form()
    sale.change(title="Stairs and rails")
    assert sale.save(form, "5").status_code == 200
    assert sale.lines() == [("Oak stairs", "5")]


def test_a_fact_saved_as_it_was_does_not_undo_what_somebody_else_wrote(sale: Sale) -> None:
    page = sale.head.part(f"/deals/{sale.id}/edit/title").text
    form = {name: unescape(value) for name, value in VALUE.findall(page)}
    sale.change(title="Stairs and rails")
    answer = sale.head.post(f"/deals/{sale.id}/edit/title", {**form, "title": "Stairs"}, "form#edit-title")
    assert "Stairs and rails" in answer.text
    assert sale.admin.get(f"/deals/{sale.id}")["title"] == "Stairs and rails"


@pytest.mark.parametrize("lines", ["x", "[[1]]", "7", '{"a": 1}', "null"])
def test_a_choice_that_no_form_sends_is_refused_and_changes_nothing(sale: Sale, lines: str) -> None:
    answer = sale.head.post(f"/deals/{sale.id}/lines", {"lines": lines, "etag": "1"}, "form#lines-form")
    assert answer.status_code == 400
    assert sale.lines() == [("Oak stairs", "2")]
