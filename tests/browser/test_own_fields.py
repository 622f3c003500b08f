"""A company's own fields: an administrator makes one, and within the minute sellers fill it in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.windows import Windows
from tests.browser.workplace import PASSWORD, Workplace

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def crew(workplace: Workplace) -> str:
    """A team with fields of its own, as it is called; nobody else's forms change by them."""
    mark = uuid4().hex[:6]
    unit = workplace.office.unit(f"crew_{mark}", f"Crew {mark}", workplace.units["moscow"], "team")
    workplace.office.settle()
    shared: dict[str, Any] = {"record_type": "person", "unit_id": unit, "section": "Household"}
    fields: tuple[dict[str, Any], ...] = (
        {"label": f"Lives in {mark}", "type": "choice", "choices": ["flat", "house"], "required": True,
         "labels": {"ru": "Где живёт", "ar": "يسكن في"}},
        {"label": f"Rooms {mark}", "type": "number", "labels": {"ru": "Комнат", "ar": "عدد الغرف"}},
        {"label": f"Budget {mark}", "type": "money", "labels": {"ru": "Бюджет", "ar": "الميزانية"}},
        {"label": f"Moves in {mark}", "type": "date", "labels": {"ru": "Въезжает", "ar": "تاريخ الانتقال"}},
        {"label": f"Wishes {mark}", "type": "choices", "choices": ["garage", "garden", "lift"],
         "labels": {"ru": "Пожелания", "ar": "الرغبات"}},
    )  # fmt: skip
    for position, more in enumerate(fields, 1):
        workplace.office.rest.post("/customer_fields", {**shared, "position": position, **more}, key=str(uuid4()))
    return mark


@pytest.fixture(scope="module")
def card(workplace: Workplace, crew: str) -> str:
    """Where the card of one of its customers is."""
    values = {
        "Lives in": "house",
        "Rooms": "4",
        "Budget": "1250000 EUR",
        "Moves in": "2027-03-01",
        "Wishes": "garden; lift",
    }
    body = {
        "display_name": f"Ulla Berg {crew}",
        "unit_id": f"crew_{crew}",
        "attributes": {f"{name} {crew}": text for name, text in values.items()},
    }
    return f"/customers/{workplace.office.rest.post('/persons', body, key=str(uuid4()))['person']['id']}"


def test_a_field_is_made_and_retired(page_of: Windows, crew: str, card: str) -> None:
    window = page_of("admin")
    page = window.go("/admin/own-fields")
    page.get_by_role("link", name="New field").click()
    panel = page.locator("#panel")
    choices = panel.get_by_label("Allowed values")
    panel.get_by_label("Name", exact=True).fill(f"Pets {crew}")
    expect(choices).to_be_hidden()
    panel.locator("#f-type").select_option(label="one choice of a list")
    expect(choices).to_be_visible()
    unit = panel.locator("#f-unit_id option", has_text=f"Crew {crew}").get_attribute("value")
    panel.locator("#f-unit_id").select_option(unit)
    window.allow("POST /admin/own-fields answered 400")
    panel.get_by_role("button", name="Make the field").click()
    expect(panel.get_by_role("alert")).to_contain_text("name the allowed values")
    choices.fill("cat\ndog")
    window.check_axe()
    window.picture("own-field-new")
    panel.get_by_role("button", name="Make the field").click()
    row = page.locator(".bl-own-fields tr", has_text=f"Pets {crew}")
    expect(row).to_contain_text("one choice of a list")
    expect(row).to_contain_text("0 of")
    window.check_axe()
    window.picture("own-fields")
    row.get_by_role("button", name=f"Change Pets {crew}").click()
    panel.get_by_label("Retired").select_option("yes")
    panel.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("retired")


def test_a_value_is_changed_on_the_card_and_refused_by_its_rules(page_of: Windows, card: str, crew: str) -> None:
    window = page_of("director")
    page = window.go(card)
    facts = page.locator("#card-facts")
    expect(facts).to_contain_text("€1,250,000")
    expect(facts).to_contain_text("Mar 1, 2027")
    expect(facts.get_by_role("heading", name="Household")).to_be_visible()
    facts.get_by_role("button", name=f"Change: Rooms {crew}").click()
    rooms = facts.locator("form").get_by_label(f"Rooms {crew}")
    expect(rooms).to_be_focused()
    rooms.fill("many")
    window.allow("POST /customers/.* answered 400")
    facts.get_by_role("button", name="Save").click()
    expect(facts.get_by_role("alert")).to_contain_text("is not a number; write it as -12.5")
    expect(rooms).to_have_attribute("aria-invalid", "true")
    window.check_axe()
    window.picture("own-fields-card")
    rooms.fill("5,5")
    facts.get_by_role("button", name="Save").click()
    expect(facts.locator(".bl-fact", has_text=f"Rooms {crew}")).to_contain_text("5.5")
    facts.get_by_role("button", name=f"Change: Wishes {crew}").click()
    facts.locator("form").get_by_label("lift").uncheck()
    facts.locator("form").get_by_label("garage").check()
    facts.get_by_role("button", name="Save").click()
    expect(facts.locator(".bl-fact", has_text=f"Wishes {crew}")).to_contain_text("garage and garden")


@pytest.mark.parametrize(
    ("lang", "dark", "width", "words"), [("ar", False, 1280, "عدد الغرف"), ("ru", True, 390, "Комнат")]
)
def test_fields_are_called_in_the_viewers_language(
    page_of: Windows, card: str, lang: str, dark: bool, width: int, words: str
) -> None:
    window = page_of("director", lang=lang, dark=dark, width=width)
    page = window.go(card)
    expect(page.locator("#card-facts")).to_contain_text(words)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.check_axe()
    page.locator("#card-facts h3").scroll_into_view_if_needed()
    window.picture(f"own-fields-card-{lang}-{'dark' if dark else 'light'}-{width}")


def test_a_newcomer_of_the_team_is_asked_for_what_is_required(
    page_of: Windows, workplace: Workplace, crew: str
) -> None:
    login = f"quinn{crew}"
    workplace.office.user(f"Quinn {crew}", f"crew_{crew}", "seller", login, PASSWORD)
    workplace.office.settle()
    window = page_of(login)
    page = window.go("/today")
    page.goto(f"{page.url.partition('/today')[0]}/quick/person")
    page.locator("#new-name").fill(f"Nora Lind {crew}")
    lives = page.get_by_label(f"Lives in {crew}")
    expect(lives).to_be_visible()
    page.get_by_role("button", name="Save").click()  # the browser itself asks for what is required
    assert page.url.endswith("/quick/person")
    lives.select_option("flat")
    page.get_by_text("More fields").click()
    page.get_by_label(f"Rooms {crew}").fill("2")
    window.check_axe()
    window.picture("own-fields-new-person")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/customers/*")
    expect(page.locator("#card-facts")).to_contain_text("flat")


def test_a_list_is_narrowed_by_a_field_and_shows_it(page_of: Windows, card: str, crew: str) -> None:
    window = page_of("director")
    page = window.go("/customers?view=all")
    narrow = page.get_by_role("search", name="Narrow the list")
    narrow.locator("summary", has_text="Own fields").click()
    narrow.get_by_label("Field", exact=True).select_option(label=f"Moves in {crew}")
    narrow.get_by_label("Condition").select_option(label="is at least")
    narrow.get_by_label("Value", exact=True).fill("2027-01-01")
    window.check_axe()
    narrow.get_by_role("button", name="Narrow").click()
    expect(narrow.get_by_role("link", name=f"Take away: Moves in {crew} ≥ Jan 1, 2027")).to_be_visible()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.locator("summary", has_text="Columns").click()
    page.locator("#columns").get_by_label(f"Moves in {crew}", exact=True).check()
    page.locator("#columns").get_by_role("button", name="Show").click()
    expect(page.locator("#list")).to_contain_text("Mar 1, 2027")
    window.check_axe()
    window.picture("own-fields-list")
    page.locator("summary", has_text="Columns").click()
    page.locator("#columns").get_by_role("button", name="All, as at first").click()
    expect(page.locator("#list")).not_to_contain_text("Mar 1, 2027")
