"""Lists of customers, newcomers and organizations: found by what one remembers, told apart, never entered twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser import clock
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace


def make(workplace: Workplace, path: str, unit: str = "moscow", **body: object) -> str:
    """The id of a new person or organization."""
    made = workplace.office.rest.post(path, {"unit_id": workplace.units[unit], **body}, key=str(uuid4()))
    return str((made.get("person") or made["organization"])["id"])


def names(page: Page) -> list[str]:
    """The rows of a list."""
    return page.locator("tbody th").all_inner_texts()


def test_the_list_is_narrowed_by_tabs_and_chips_that_are_addresses(page_of: Windows, workplace: Workplace) -> None:
    phones = [{"kind": "phone", "value": "+7 495 321-00-11"}]
    firm = make(workplace, "/organizations", display_name="Listing Works")
    jobs = [{"organization_id": firm, "role": "buyer"}]
    mine = make(
        workplace, "/persons", display_name="Listina Ahlberg", owner_id=workplace.people["natasha"], channels=phones,
        affiliations=jobs, individual_customer=True,
    )  # fmt: skip
    make(workplace, "/persons", display_name="Listina Berg")
    make(workplace, "/persons", "tula", display_name="Listina Tula")
    said = {"person_id": mine, "kind": "call", "summary": "hello", "unit_id": workplace.units["moscow"]}
    workplace.office.rest.post("/interactions", said, key=str(uuid4()))
    workplace.office.settle()
    window = page_of("natasha")
    page = window.go("/customers?view=all&q=listina")
    assert names(page) == ["Listina Ahlberg", "Listina Berg"]
    row = " ".join(page.locator("tbody tr").first.inner_text().split())
    assert row == "Listina Ahlberg +7 495 321-00-11 Listing Works, buyer Moscow Natasha Sazonova today"
    expect(page.locator(".bl-foot")).to_contain_text("2 persons")
    window.check_axe()
    window.picture("customers")
    page.click("text=Mine")
    page.wait_for_url("**view=mine**")
    assert names(page) == ["Listina Ahlberg"]
    page.click("[aria-label^='Take away: like']")
    page.wait_for_url(lambda url: "q=" not in url)
    page.goto("/customers?view=all&q=3210011")
    assert names(page) == ["Listina Ahlberg"]
    page.goto("/customers?view=all&kind=individual&q=listina")
    assert names(page) == ["Listina Ahlberg"]
    assert names(page_of("director").go(f"/customers?view=all&q=listina&unit={workplace.units['tula']}")) == [
        "Listina Tula"
    ]


def test_a_long_list_goes_on_page_by_page_and_by_keys(page_of: Windows, workplace: Workplace) -> None:
    for number in range(51):
        make(workplace, "/organizations", display_name=f"Paging {number:02}")
    page = page_of("natasha").go("/organizations?view=all&q=paging")
    assert len(names(page)) == 50
    expect(page.locator(".bl-foot")).to_contain_text("51 organizations")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tbody tr").nth(1).locator("a").first).to_be_focused()
    page.click("text=Next page")
    page.wait_for_url("**page=**")
    assert names(page) == ["Paging 50"]


def test_an_empty_list_says_what_to_do_next(page_of: Windows) -> None:
    window = page_of("natasha")
    page = window.go("/customers?view=all&q=nobodyofthisname")
    expect(page.locator("main")).to_contain_text("Nobody here")
    window.check_axe()


@pytest.mark.parametrize(("lang", "dark", "width"), [("ar", False, 1280), ("en", True, 1280), ("ru", False, 390)])
def test_lists_are_readable_in_every_language_width_and_light(
    page_of: Windows, workplace: Workplace, lang: str, dark: bool, width: int
) -> None:
    make(workplace, "/persons", display_name="Всеволод Длинное-Имя Константинопольский")
    window = page_of("director", lang=lang, dark=dark, width=width)
    for path in ("/customers?view=all", "/organizations?view=all", "/quick/person"):
        page = window.go(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        window.check_axe()


def test_a_newcomer_needs_a_name_and_a_phone_and_known_ones_are_shown_first(
    page_of: Windows, workplace: Workplace
) -> None:
    known = make(
        workplace, "/persons", display_name="Ruslan Known", channels=[{"kind": "phone", "value": "+7 495 777-12-12"}]
    )
    window = page_of("natasha")
    page = window.go("/customers")
    page.keyboard.press("p")
    expect(page.locator("#new-name")).to_be_focused()
    page.keyboard.type("Newton Comer")
    page.fill("#new-phone", "777-12-12")
    alike = page.locator("#alike")
    expect(alike).to_contain_text("Ruslan Known")
    expect(alike).to_contain_text("same phone")
    assert alike.locator("a").first.get_attribute("href") == f"/customers/{known}"
    window.check_axe("#panel")
    window.picture("new-person", "#panel")
    page.fill("#new-phone", "777-12-13")
    page.press("#new-phone", "Enter")
    expect(page.locator("h1")).to_have_text("Newton Comer")
    expect(page.locator("#fact-channels")).to_contain_text("+7 495 777-12-13")
    page.goto("/quick/person")
    page.fill("#new-name", "Newton Comer")
    page.fill("#new-phone", "+7 495 777-12-13")
    page.press("#new-phone", "Enter")
    expect(page.locator("main [role=status]")).to_contain_text("known already")


def test_an_organization_shows_its_people_its_past_and_who_was_there_on_a_day(
    page_of: Windows, workplace: Workplace
) -> None:
    """C7: the meeting of two years ago stands on the first page of the company, with its author, who moved since."""
    group = make(workplace, "/organizations", display_name="Parabola Group")
    firm = make(workplace, "/organizations", display_name="Parabola", parent_id=group, industry="windows")
    left = clock.today() - timedelta(days=400)
    jobs = [{"organization_id": firm, "role": "director", "end_date": str(left)}]
    former = make(workplace, "/persons", display_name="Igor Former", affiliations=jobs)
    jobs = [{"organization_id": firm, "role": "director", "start_date": str(left)}]
    make(workplace, "/persons", display_name="Inna Present", affiliations=jobs)
    meeting = {
        "person_id": former, "kind": "meeting", "summary": "Showed the samples", "unit_id": workplace.units["moscow"],
        "author_id": workplace.people["vlad"], "occur_time": (datetime.now(UTC) - timedelta(days=730)).isoformat(),
    }  # fmt: skip
    workplace.office.rest.post("/interactions", meeting, key=str(uuid4()))
    window = page_of("anna")
    page = window.go("/organizations?view=all&q=parabola")
    assert names(page) == ["Parabola", "Parabola Group"]
    page.click("tbody th >> nth=0 >> a")
    expect(page.locator("h1")).to_have_text("Parabola")
    story = " ".join(page.locator("#card-story .bl-entry").first.inner_text().split())
    assert "Vlad Orlov · Moscow" in story
    assert "Igor Former Showed the samples" in story
    people = page.locator("#card-people li")
    assert [" ".join(text.split()).split(",")[0] for text in people.all_inner_texts()] == [
        "Inna Present",
        "Igor Former",
    ]
    window.check_axe()
    window.picture("organization")
    page.fill("#people-on", str(left - timedelta(days=1)))
    page.press("#people-on", "Enter")
    page.wait_for_url("**on=**")
    assert [text.split(",")[0] for text in page.locator("#card-people li").all_inner_texts()] == ["Igor Former"]
    expect(page.locator("#card-header")).to_contain_text("part of Parabola Group")
    page.click("#card-header >> text=Parabola Group")
    expect(page.locator("#card-facts")).to_contain_text("Below it")
