"""Deals of one person, made by REST for tests in the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from playwright.sync_api import Locator, Page

from chassis.testing.eventually import eventually
from tests.browser.workplace import Workplace


@dataclass(frozen=True)
class Seller:
    """Somebody of Moscow with deals of their own; `stages` are ids by name."""

    workplace: Workplace
    login: str
    id: str
    stages: dict[str, str]

    def deal(self, title: str, stage: str = "Lead", **more: Any) -> dict[str, Any]:
        """Open a deal of this seller."""
        body = {
            "title": title, "stage_id": self.stages[stage], "owner_id": self.id,
            "unit_id": self.workplace.units["moscow"], **more,
        }  # fmt: skip
        made: dict[str, Any] = self.workplace.office.rest.post("/deals", body, key=str(uuid4()))
        return made

    def read(self, deal_id: str) -> dict[str, Any]:
        """The deal as it is now."""
        found: dict[str, Any] = self.workplace.office.rest.get(f"/deals/{deal_id}")
        return found

    def change(self, deal: dict[str, Any], **fields: Any) -> None:
        """Change the deal as somebody else would, beside the browser."""
        tag = {"If-Match": f'"{deal["etag"]}"'}
        self.workplace.office.rest.call("PATCH", f"/deals/{deal['id']}", json=fields, headers=tag)

    def eventually_in(self, deal_id: str, stage: str) -> None:
        """Wait until the deal is in a stage."""
        eventually(lambda: self.read(deal_id)["stage_name"] == stage)


def a_seller(workplace: Workplace) -> Seller:
    """A new person with a board of their own."""
    login = f"seller-{uuid4().hex[:8]}"
    id = workplace.hire(login, f"Sasha Own {login[7:]}", "moscow")
    stages = workplace.office.rest.get("/pipelines")["pipelines"][0]["stages"]
    return Seller(workplace, login, id, {stage["name"]: stage["id"] for stage in stages})


def money(amount: str, currency: str = "RUB") -> dict[str, str]:
    """Money as REST takes it."""
    return {"amount": amount, "currency_code": currency}


def card(page: Page, deal: dict[str, Any]) -> Locator:
    """The card of a deal on the board."""
    return page.locator(f"#card-{deal['id']}")


def column(page: Page, seller: Seller, stage: str) -> Locator:
    """A column of the board."""
    return page.locator(f"#column-{seller.stages[stage]}")


def drag(page: Page, source: Locator, target: Locator) -> None:
    """Drag by mouse, in steps as a hand does."""
    begin, end = source.bounding_box(), target.bounding_box()
    assert begin
    assert end
    page.mouse.move(begin["x"] + begin["width"] / 3, begin["y"] + begin["height"] / 2)
    page.mouse.down()
    page.mouse.move(begin["x"] + begin["width"] / 3 + 12, begin["y"] + begin["height"] / 2 + 6, steps=4)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + min(end["height"] / 2, 40), steps=15)
    page.mouse.move(end["x"] + end["width"] / 2 + 2, end["y"] + min(end["height"] / 2, 40) + 2, steps=3)
    page.mouse.up()
