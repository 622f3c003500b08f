"""The card of a customer: the whole story at a glance, changed where it stands, by several people at once."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.granin import AGE, PHONE_SHOWN, Granin, tell_granin
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

HOSTILE = (
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 1'>",
    "'\"><svg onload=window.hit=1>",
    "{{ 7 * 7 }} ${window.hit = 1} javascript:window.hit=1",
)


@pytest.fixture(scope="module")
def granin(workplace: Workplace) -> Granin:
    """The customer of scenario C4."""
    return tell_granin(workplace)


def a_person(workplace: Workplace, name: str, **more: object) -> str:
    """A person of Moscow, and where the card is."""
    body = {"display_name": name, "unit_id": workplace.units["moscow"], **more}
    return f"/customers/{workplace.office.rest.post('/persons', body, key=str(uuid4()))['person']['id']}"


def said(page: Page) -> list[str]:
    """The line of time, each entry as one line of text."""
    return [" ".join(text.split()) for text in page.locator("#card-story .bl-entry").all_inner_texts()]


def test_the_director_sees_the_whole_story_of_granin_on_one_page(page_of: Windows, granin: Granin) -> None:
    window = page_of("director")
    page = window.go(f"/customers/{granin.id}")
    line = " ".join(page.inner_text("#card-header").split())
    assert line.startswith(f"{AGE} years old architect at Granin & Co before: Epoch owner Natasha Sazonova")
    assert "next:" in line
    assert "Call today" in line
    work = " ".join(page.inner_text("#fact-work").split())
    assert "Epoch, architect until" in work
    assert "now headed by Pavel Portnoy director" in work
    expect(page.locator("#fact-channels")).to_contain_text(PHONE_SHOWN)
    deals = " ".join(page.inner_text("#card-deals").split())
    assert "0 open · 1 won · 1 lost" in deals
    assert "on their birthday · Epoch · Line B Alexander Belov · Moscow" in deals
    assert f"price · Granin & Co Pyotr Kuzmin · Tula left {shown(page, granin.left)}" in deals
    entries = said(page)
    assert "Anna Petrova · Moscow Left a new phone" in entries[0]
    assert [word for entry in entries for word in ("away", "busy") if entry.endswith(word)] == ["busy", "away"] * 2
    assert [entry.partition("Materials ")[2].split(" ")[0] for entry in entries if "Materials" in entry] == ["lost:"]
    expect(page.locator("#card-tasks")).to_contain_text("Natasha Sazonova · Moscow · repeats")
    window.check_axe()
    window.picture("card")


def shown(page: Page, day: date) -> str:
    """A day as the page shows it in English."""
    return f"{day:%b} {day.day}, {day.year}"


@pytest.mark.parametrize(
    ("lang", "dark", "width"), [("ar", False, 1280), ("en", True, 1280), ("ru", False, 390), ("ar", True, 390)]
)
def test_the_card_is_readable_in_every_language_width_and_light(
    page_of: Windows, granin: Granin, lang: str, dark: bool, width: int
) -> None:
    window = page_of("director", lang=lang, dark=dark, width=width)
    page = window.go(f"/customers/{granin.id}")
    expect(page.locator("#card-facts")).to_contain_text(PHONE_SHOWN)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.check_axe()
    window.picture(f"card-{lang}-{'dark' if dark else 'light'}-{width}")


def test_the_line_of_time_is_narrowed_by_links_that_can_be_sent(page_of: Windows, granin: Granin) -> None:
    page = page_of("director").go(f"/customers/{granin.id}")
    page.select_option("#card-story [name=kind]", "note")
    page.click("#card-story form button")
    page.wait_for_url("**kind=note**")
    assert len(said(page)) == 1
    page.goto(f"/customers/{granin.id}?kind=deal")
    assert len(said(page)) == 2
    page.goto(f"/customers/{granin.id}?year={granin.signed.year}")
    assert ["Facade panels" in entry for entry in said(page)] == [True]
    page.goto(f"/customers/{granin.id}?kind=chat")
    expect(page.locator("#card-story")).to_contain_text("Nothing like this")


def test_one_action_keeps_the_note_the_new_phone_and_the_next_step(page_of: Windows, workplace: Workplace) -> None:
    window = page_of("natasha")
    page = window.go(a_person(workplace, "Olga Grown", channels=[{"kind": "email", "value": "olga@grown.example"}]))
    page.click("text=New phone, e-mail, other time")
    page.fill("#note-phone", "123-45-99")
    page.select_option("#note-next", "call")
    page.fill("#note-summary", "Wants oak samples")
    page.press("#note-summary", "Enter")
    expect(page.locator("#card-story")).to_contain_text("Wants oak samples")
    expect(page.locator("#fact-channels")).to_contain_text("+7 495 123-45-99")
    expect(page.locator("#card-tasks")).to_contain_text("Call")
    expect(page.locator("#card-header")).to_contain_text("next:")
    assert page.input_value("#note-summary") == ""
    window.check_axe()


def test_a_tag_is_proposed_given_followed_and_taken_away(page_of: Windows, workplace: Workplace) -> None:
    a_person(workplace, "Vera Known", tags=["Parquet circle"])
    window = page_of("natasha")
    path = a_person(workplace, "Vera Tagged")
    page = window.go(path)
    page.click("#tag-new-box button")
    expect(page.locator("#tag-new [name=tag]")).to_be_focused()
    page.fill("#tag-new [name=tag]", "parq")
    expect(page.locator("#tag-choices option[value='Parquet circle']")).to_have_count(1)
    page.fill("#tag-new [name=tag]", "parquet circle, Oak buyer")
    window.check_axe()
    page.press("#tag-new [name=tag]", "Enter")
    expect(page.locator("#fact-tags")).to_contain_text("Oak buyer")
    expect(page.locator("#tag-new-box button")).to_be_focused()
    window.check_axe()
    window.picture("card-tags")
    page.click("#fact-tags a:has-text('Parquet circle')")
    page.wait_for_url("**/customers?view=all&tag=*")
    expect(page.locator("#list")).to_contain_text("Vera Known")
    expect(page.locator("#list")).to_contain_text("Vera Tagged")
    window.check_axe()
    page = window.go(path)
    page.click("button[aria-label='Take away: Oak buyer']")
    expect(page.locator("#fact-tags")).not_to_contain_text("Oak buyer")
    expect(page.locator("#fact-tags")).to_contain_text("Parquet circle")


def test_a_fact_is_changed_where_it_stands_with_the_keyboard(page_of: Windows, workplace: Workplace) -> None:
    window = page_of("natasha")
    page = window.go(a_person(workplace, "Boris Plain"))
    page.focus("#fact-birth button")
    page.keyboard.press("Enter")
    expect(page.locator("#form-birth [name=birth_date]")).to_be_focused()
    page.fill("#form-birth [name=birth_date]", "1980-02-29")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-birth")).to_contain_text("Feb 29, 1980")
    expect(page.locator("#fact-birth button")).to_be_focused()
    expect(page.locator("#card-header")).to_contain_text("years old")
    page.click("#fact-name button")
    page.fill("#form-name [name=display_name]", "Boris Changed")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Boris Changed")
    page.click("#fact-address button")
    window.check_axe()
    page.click("#form-address [data-cancel]")
    expect(page.locator("#form-address")).to_have_count(0)


def test_a_refused_fact_says_why_and_keeps_what_was_typed(page_of: Windows, workplace: Workplace) -> None:
    window = page_of("natasha")
    page = window.go(a_person(workplace, "Vera Tax"))
    page.click("#fact-tax button")
    page.fill("#form-tax [name=tax_id]", "12-34")
    window.allow("POST /customers/.*/facts/tax answered 400")
    page.keyboard.press("Enter")
    expect(page.locator("#form-tax [role=alert]")).to_contain_text("tax_id")
    assert page.get_attribute("#form-tax [name=tax_id]", "aria-invalid") == "true"
    assert page.input_value("#form-tax [name=tax_id]") == "12-34"


def test_two_changes_of_one_fact_show_before_theirs_and_mine(page_of: Windows, workplace: Workplace) -> None:
    path = a_person(workplace, "Anna Before")
    mine, theirs = page_of("natasha"), page_of("head")
    for window in (mine, theirs):
        page = window.go(path)
        page.click("#fact-name button")
        page.wait_for_selector("#form-name")
    theirs.page.fill("#form-name [name=display_name]", "Anna Theirs")
    theirs.page.keyboard.press("Enter")
    expect(theirs.page.locator("h1")).to_have_text("Anna Theirs")
    mine.page.fill("#form-name [name=display_name]", "Anna Mine")
    mine.page.fill("#form-name [name=given_name]", "Anna")
    mine.allow("POST /customers/.*/facts/name answered 409")
    mine.page.keyboard.press("Enter")
    conflict = mine.page.locator(".bl-conflict")
    expect(conflict).to_contain_text("Before: Anna Before")
    expect(conflict).to_contain_text("Theirs: Anna Theirs")
    expect(conflict).to_contain_text("Mine: Anna Mine")
    expect(conflict.locator("fieldset")).to_have_count(1)
    mine.check_axe()
    mine.picture("conflict", "#card-facts")
    conflict.get_by_label("Mine: Anna Mine").check()
    conflict.get_by_role("button").click()
    expect(mine.page.locator("h1")).to_have_text("Anna Mine")
    expect(theirs.page.locator("h1")).to_have_text("Anna Mine", timeout=5000)


def test_changes_of_different_facts_are_in_nobodys_way(page_of: Windows, workplace: Workplace) -> None:
    path = a_person(workplace, "Clara Both")
    first, second = page_of("natasha"), page_of("head")
    for window, fact in ((first, "birth"), (second, "address")):
        window.go(path).click(f"#fact-{fact} button")
        window.page.wait_for_selector(f"#form-{fact}")
    first.page.fill("#form-birth [name=birth_date]", "1990-05-05")
    first.page.keyboard.press("Enter")
    expect(first.page.locator("#fact-birth")).to_contain_text("1990")
    second.page.fill('#form-address [name="address.city"]', "Tula")
    second.page.keyboard.press("Enter")
    expect(second.page.locator("#fact-address")).to_contain_text("Tula")
    expect(second.page.locator("#fact-birth")).to_contain_text("1990")


def test_what_one_writes_the_other_sees_within_two_seconds_and_typing_survives(
    page_of: Windows, workplace: Workplace
) -> None:
    path = a_person(workplace, "Dora Live")
    writer, reader = page_of("natasha").go(path), page_of("head").go(path)
    reader.fill("#note-summary", "half a sentence")
    reader.click("#fact-address button")
    reader.fill('#form-address [name="address.city"]', "Mosc")
    writer.fill("#note-summary", "Asked for the price list")
    writer.press("#note-summary", "Enter")
    expect(writer.locator("#card-story")).to_contain_text("Asked for the price list")
    expect(reader.locator("#card-story")).to_contain_text("Asked for the price list", timeout=5000)
    writer.click("#fact-birth button")
    writer.fill("#form-birth [name=birth_date]", "1981-01-01")
    writer.press("#form-birth [name=birth_date]", "Enter")
    expect(reader.locator("#fact-birth")).to_contain_text("1981", timeout=5000)
    assert reader.input_value("#note-summary") == "half a sentence"
    assert reader.input_value('#form-address [name="address.city"]') == "Mosc"


def test_phones_are_added_preferred_and_removed(page_of: Windows, workplace: Workplace) -> None:
    window = page_of("natasha")
    page = window.go(a_person(workplace, "Egor Phones", channels=[{"kind": "email", "value": "egor@phones.example"}]))
    page.click("#fact-channels >> text=Phone, e-mail")
    page.fill("#channel-new [name=value]", "+7 495 555-66-77")
    page.keyboard.press("Enter")
    channels = page.locator("#fact-channels .bl-channel")
    expect(channels).to_have_count(2)
    page.click("summary[aria-label='More about +74955556677']")
    page.click("text=Make it the preferred one")
    expect(channels.first).to_contain_text("+7 495 555-66-77")
    page.click("summary[aria-label='More about egor@phones.example']")
    page.click("#fact-channels details[open] >> text=Remove")
    expect(channels).to_have_count(1)


def test_a_place_of_work_is_added_by_typing_and_ended(page_of: Windows, workplace: Workplace, granin: Granin) -> None:
    window = page_of("natasha")
    page = window.go(a_person(workplace, "Fedor Works"))
    page.click("#fact-work button")
    page.fill("#fact-work [role=combobox]", "epo")
    page.wait_for_selector("#fact-work [data-id]")
    page.keyboard.press("Enter")
    page.fill("#fact-work [name=role]", "draughtsman")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-work")).to_contain_text("Epoch, draughtsman")
    page.click("#fact-work .bl-affiliation button")
    page.fill("#fact-work [name=end_date]", "2020-06-01")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-work")).to_contain_text("until May 31, 2020")
    expect(page.locator("#fact-work")).to_contain_text("now headed by Pavel Portnoy")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(page_of: Windows, workplace: Workplace, text: str) -> None:
    firm = {"display_name": f"Firm {text}", "unit_id": workplace.units["moscow"]}
    made = workplace.office.rest.post("/organizations", firm, key=str(uuid4()))["organization"]["id"]
    job = {"organization_id": made, "role": text}
    path = a_person(workplace, f"Mallory {text}", affiliations=[job], attributes={text: text})
    page = page_of("natasha").go(path)
    page.fill("#note-summary", text)
    page.press("#note-summary", "Enter")
    expect(page.locator("#card-story .bl-entry-text").first).to_have_text(text)
    for address in (path, f"/organizations/{made}", "/customers?q=mallory", "/organizations?q=firm"):
        page.goto(address)
        assert text in page.inner_text("main")
        assert page.evaluate("window.hit") is None
