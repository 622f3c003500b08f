"""Deals on the board, in the table and on their own page: moved by hand, by keys and by menu, refused with a reason."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from chassis.testing.eventually import eventually
from tests.browser.selling import Seller, a_seller, card, column, drag, money
from tests.browser.windows import Windows
from tests.browser.workplace import Workplace

BOARD = "/deals?view=board&owner=me"
TABLE = "/deals?view=table&owner=me"


@pytest.fixture
def seller(workplace: Workplace) -> Seller:
    return a_seller(workplace)


def test_a_board_shows_each_stage_with_its_count_and_sum_and_who_the_deal_is_with(
    page_of: Windows, seller: Seller
) -> None:
    name = f"Board & Sons {uuid4().hex[:6]}"
    body = {"display_name": name, "unit_id": seller.workplace.units["moscow"]}
    firm = seller.workplace.office.rest.post("/organizations", body, key=str(uuid4()))["organization"]["id"]
    seller.deal("Roof", amount=money("1500"), organization_id=firm)
    seller.deal("Cellar", amount=money("2500.50"))
    seller.deal("Door", stage="Proposal", amount=money("70", "EUR"))
    window = page_of(seller.login)
    page = window.go(BOARD)
    lead = column(page, seller, "Lead")
    expect(lead.locator("h2")).to_contain_text("2")
    expect(lead.locator(".bl-sums")).to_contain_text("4,000.50")
    expect(lead.locator(".bl-card", has_text="Roof")).to_contain_text(name)
    expect(column(page, seller, "Proposal").locator(".bl-sums")).to_contain_text("€70")
    expect(column(page, seller, "Won").locator(".bl-card")).to_have_count(0)
    window.check_axe()
    window.picture("deals")


def test_a_card_is_moved_by_mouse(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Hand", amount=money("10"))
    seller.deal("Other", stage="Qualified", amount=money("5"))
    page = page_of(seller.login).go(BOARD)
    drag(page, card(page, deal), column(page, seller, "Qualified").locator("[data-cards]"))
    expect(column(page, seller, "Qualified").locator("h2")).to_contain_text("2")
    expect(column(page, seller, "Qualified").locator(".bl-sums")).to_contain_text("15")
    expect(column(page, seller, "Lead").locator(".bl-card")).to_have_count(0)
    seller.eventually_in(deal["id"], "Qualified")


def test_a_card_is_moved_by_keyboard_and_keeps_the_focus(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Keys", amount=money("10"))
    below = seller.deal("Keys above", amount=money("10"))
    page = page_of(seller.login).go(BOARD)
    card(page, below).locator("[data-card-link]").focus()
    page.keyboard.press("ArrowDown")
    expect(card(page, deal).locator("[data-card-link]")).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    expect(column(page, seller, "Qualified").locator(".bl-card")).to_have_count(1)
    expect(card(page, deal).locator("[data-card-link]")).to_be_focused()
    page.keyboard.press("Shift+ArrowRight")
    expect(column(page, seller, "Proposal").locator(".bl-card")).to_have_count(1)
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    seller.eventually_in(deal["id"], "Proposal")


def test_a_card_is_moved_by_its_list_of_stages(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Menu", amount=money("10"))
    window = page_of(seller.login)
    page = window.go(BOARD)
    card(page, deal).get_by_role("button", name="Move Menu to another stage").click()
    menu = page.locator("#stage-menu")
    expect(menu.get_by_role("button", name="Lead")).to_be_disabled()
    window.check_axe()
    menu.get_by_role("button", name="Negotiation").click()
    expect(column(page, seller, "Negotiation").locator(".bl-card")).to_have_count(1)
    seller.eventually_in(deal["id"], "Negotiation")


def test_a_deal_is_lost_only_with_a_reason_and_until_then_its_card_stays(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Lose", amount=money("10"))
    window = page_of(seller.login)
    page = window.go(BOARD)
    drag(page, card(page, deal), column(page, seller, "Lost").locator("[data-cards]"))
    form = page.get_by_role("form", name="Move to Lost")
    expect(form).to_be_visible()
    expect(column(page, seller, "Lead").locator(".bl-card")).to_have_count(1)
    window.check_axe()
    form.get_by_role("button", name="Cancel").click()
    expect(form).to_have_count(0)
    drag(page, card(page, deal), column(page, seller, "Lost").locator("[data-cards]"))
    form.get_by_label("Why was it lost?").select_option("price")
    form.get_by_label("Comment").fill("ours was <b>dearer</b>")
    form.get_by_role("button", name="Move").click()
    expect(column(page, seller, "Lost").locator(".bl-card")).to_have_count(1)
    expect(form).to_have_count(0)
    lost = seller.read(deal["id"])
    assert (lost["loss_reason"], lost["loss_comment"]) == ("price", "ours was <b>dearer</b>")


def test_winning_a_deal_without_an_amount_asks_for_it(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Win")
    page = page_of(seller.login).go(BOARD)
    drag(page, card(page, deal), column(page, seller, "Won").locator("[data-cards]"))
    form = page.get_by_role("form", name="Move to Won")
    form.get_by_label("Amount").fill("1 250,50")
    form.get_by_role("button", name="Move").click()
    expect(column(page, seller, "Won").locator(".bl-sums")).to_contain_text("1,250.50")
    assert Decimal(seller.read(deal["id"])["amount"]["amount"]) == Decimal("1250.5")


def test_a_refused_move_says_why_and_the_card_goes_back(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Refuse", amount=money("10"))
    window = page_of(seller.login)
    page = window.go(BOARD)
    window.allow(r"POST /deals/.*/move.* answered 4\d\d")
    page.evaluate(
        "(id) => { document.getElementById(`cards-${id}`).dataset.cards = 'no-stage' }", seller.stages["Qualified"]
    )
    drag(page, card(page, deal), column(page, seller, "Qualified").locator("[data-cards]"))
    notice = page.locator("#notices").get_by_role("alert")
    expect(notice).to_contain_text("stage")
    expect(column(page, seller, "Lead").locator(".bl-card")).to_have_count(1)
    assert seller.read(deal["id"])["stage_name"] == "Lead"


def test_a_move_of_somebody_else_is_seen_within_two_seconds(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Live", amount=money("10"))
    looking, acting = page_of(seller.login), page_of("head")
    page, other = looking.go(BOARD), acting.go(f"/deals?view=board&owner={seller.id}")
    expect(card(page, deal)).to_be_visible()
    card(other, deal).get_by_role("button", name="Move Live to another stage").click()
    other.locator("#stage-menu").get_by_role("button", name="Proposal").click()
    expect(column(other, seller, "Proposal").locator(".bl-card")).to_have_count(1)
    expect(column(page, seller, "Proposal").locator(".bl-card")).to_have_count(1, timeout=2_000)


def test_a_form_in_a_column_outlives_what_others_do_meanwhile(page_of: Windows, seller: Seller) -> None:
    deal, other = seller.deal("Typing", amount=money("10")), seller.deal("Moves", amount=money("1"))
    page = page_of(seller.login).go(BOARD)
    drag(page, card(page, deal), column(page, seller, "Lost").locator("[data-cards]"))
    comment = page.get_by_role("form", name="Move to Lost").get_by_label("Comment")
    comment.fill("half a sen")
    body = {"stage_id": seller.stages["Proposal"]}
    seller.workplace.office.rest.post(f"/deals/{other['id']}/move", body, key=str(uuid4()))
    expect(column(page, seller, "Proposal").locator(".bl-card")).to_have_count(1)
    expect(comment).to_have_value("half a sen")


def test_more_cards_of_a_column_come_when_asked_for(page_of: Windows, seller: Seller) -> None:
    for number in range(18):
        seller.deal(f"Many {number}", amount=money("1"))
    page = page_of(seller.login).go(BOARD)
    lead = column(page, seller, "Lead")
    expect(lead.locator(".bl-card")).to_have_count(15)
    lead.get_by_role("button", name="More").click()
    expect(lead.locator(".bl-card")).to_have_count(18)
    expect(lead.get_by_role("button", name="More")).to_have_count(0)


def test_the_totals_of_the_table_are_the_sums_of_its_rows_over_all_pages(page_of: Windows, seller: Seller) -> None:
    amounts = [Decimal(number * 1111) / 4 for number in range(55)]
    for number, amount in enumerate(amounts):
        seller.deal(f"Row {number:02}", amount=money(str(amount), "RUB" if number % 3 else "EUR"))
    window = page_of(seller.login)
    page = window.go(f"{TABLE}&sort=-amount")
    window.check_axe()
    window.picture("deals-table")
    titles = page.locator("tbody tr td:first-child").all_inner_texts()
    page.get_by_role("link", name="Next page").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    titles += page.locator("tbody tr td:first-child").all_inner_texts()
    assert [title.strip() for title in titles] == [f"Row {number:02}" for number in reversed(range(55))]
    for currency, sign in (("RUB", "RUB"), ("EUR", "€")):
        expected = sum(amount for number, amount in enumerate(amounts) if (number % 3 > 0) == (currency == "RUB"))
        shown = page.locator(f"[data-total={currency}]").inner_text().replace(sign, "").replace(",", "").strip()
        assert Decimal(shown) == expected
    expect(page.locator("tfoot")).to_contain_text("55 deals in all")


def test_a_filter_is_chosen_in_words_and_taken_away_again(page_of: Windows, seller: Seller) -> None:
    seller.deal("Won one", stage="Won", amount=money("1"))
    seller.deal("Open one", amount=money("1"))
    page = page_of("head").go(f"/deals?view=table&owner={seller.id}")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("State").select_option("won")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("Won one")
    page.get_by_role("link", name="Remove: Won").click()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_a_deal_is_opened_from_the_board_and_its_page_shows_it(page_of: Windows, seller: Seller) -> None:
    window = page_of(seller.login)
    page = window.go(BOARD)
    page.get_by_role("button", name="New deal").click()
    form = page.get_by_role("form", name="New deal")
    form.get_by_label("What it is about").fill("A new bridge")
    form.get_by_label("Amount").fill("12000")
    window.check_axe()
    form.get_by_role("button", name="Open the deal").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A new bridge")
    expect(page.locator("#fact-amount")).to_contain_text("12,000")
    expect(page.locator("#fact-owner_id")).to_contain_text("Own")


def test_a_fact_is_changed_where_it_stands(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Old title", amount=money("10"))
    window = page_of(seller.login)
    page = window.go(f"/deals/{deal['id']}")
    page.get_by_role("button", name="Change: Title").click()
    page.locator("#edit-title input[name=title]").fill("New title")
    page.keyboard.press("Enter")
    expect(page.locator("#fact-title")).to_contain_text("New title")
    expect(page.get_by_role("heading", level=1)).to_have_text("New title")
    page.get_by_role("button", name="Change: Amount").click()
    page.locator("#edit-amount input[name=amount]").fill("much")
    window.allow("POST /deals/.*/edit/amount answered 4")
    page.locator("#edit-amount").get_by_role("button", name="Save").click()
    expect(page.locator("#edit-amount").get_by_role("alert")).to_contain_text("not a number")
    page.keyboard.press("Escape")
    expect(page.locator("#edit-amount")).to_have_count(0)
    assert Decimal(seller.read(deal["id"])["amount"]["amount"]) == 10
    window.check_axe()
    window.picture("deal")


def test_two_people_who_change_one_fact_see_both_and_choose(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Before", amount=money("10"))
    window = page_of(seller.login)
    page = window.go(f"/deals/{deal['id']}")
    page.get_by_role("button", name="Change: Title").click()
    page.locator("#edit-title input[name=title]").fill("Mine")
    seller.change(deal, title="Theirs")
    window.allow("POST /deals/.*/edit/title answered 409")
    page.locator("#edit-title").get_by_role("button", name="Save").click()
    clash = page.locator("#conflict-title")
    for said in ("Before: Before", "Theirs: Theirs", "Mine: Mine"):
        expect(clash).to_contain_text(said)
    window.check_axe()
    clash.get_by_label("Mine").check()
    clash.get_by_role("button", name="Save the choice").click()
    expect(page.locator("#fact-title")).to_contain_text("Mine")
    eventually(lambda: seller.read(deal["id"])["title"] == "Mine")


def test_a_change_beside_somebody_elses_needs_no_choice(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Beside", amount=money("10"))
    page = page_of(seller.login).go(f"/deals/{deal['id']}")
    page.get_by_role("button", name="Change: Title").click()
    seller.change(deal, business_line="Bridges")
    expect(page.locator("#fact-business_line")).to_contain_text("Bridges")
    page.locator("#edit-title input[name=title]").fill("Beside, mine")
    page.locator("#edit-title").get_by_role("button", name="Save").click()
    expect(page.locator("#fact-title")).to_contain_text("Beside, mine")
    assert seller.read(deal["id"])["business_line"] == "Bridges"


def test_lines_make_the_amount_and_a_fraction_of_a_whole_thing_is_refused(page_of: Windows, seller: Seller) -> None:
    product = {"name": f"Pump {uuid4().hex[:6]}", "unit_of_measure": "piece"}
    made = seller.workplace.office.rest.post("/products", product, key=str(uuid4()))
    deal = seller.deal("Lines")
    window = page_of(seller.login)
    page = window.go(f"/deals/{deal['id']}")
    page.locator("#lines").get_by_role("button", name="Change").click()
    page.get_by_label("Product of line 1").select_option(made["id"])
    page.get_by_label("Quantity of line 1").fill("2.5")
    page.get_by_label("Price of line 1").fill("100")
    page.get_by_label("Words of line 2").fill("Fitting")
    page.get_by_label("Price of line 2").fill("50")
    page.get_by_label("Discount of line 2").fill("10")
    window.allow("POST /deals/.*/lines answered 4")
    page.locator("#lines-form").get_by_role("button", name="Save").click()
    expect(page.locator("#lines-form").get_by_role("alert")).to_contain_text("2.5")
    page.get_by_label("Quantity of line 1").fill("3")
    page.locator("#lines-form").get_by_role("button", name="Save").click()
    expect(page.locator("#lines tfoot")).to_contain_text("345")
    expect(page.locator("#fact-amount")).to_contain_text("345")
    window.check_axe()


def test_the_stage_bar_moves_a_deal_and_its_history_tells_who(page_of: Windows, seller: Seller) -> None:
    deal = seller.deal("Bar", amount=money("10"))
    page = page_of(seller.login).go(f"/deals/{deal['id']}")
    page.get_by_role("button", name="Proposal").click()
    expect(page.locator(".bl-stages [aria-current]")).to_contain_text("Proposal")
    history = page.get_by_role("region", name="History").locator("tbody tr")
    expect(history.first).to_contain_text("Proposal")
    expect(history.first).to_contain_text("Own")
    page.get_by_role("button", name="Lost").click()
    form = page.get_by_role("form", name="Move to Lost")
    form.get_by_label("Why was it lost?").select_option("no need")
    form.get_by_role("button", name="Move").click()
    expect(page.locator("#fact-loss_reason")).to_contain_text("no need")


SIGHTS = [("ru", False, 1280), ("ar", False, 1280), ("en", True, 1280), ("en", False, 390), ("ar", True, 390)]


@pytest.mark.parametrize(("lang", "dark", "width"), SIGHTS)
def test_board_table_and_page_are_readable_in_every_language_width_and_light(
    page_of: Windows, seller: Seller, lang: str, dark: bool, width: int
) -> None:
    first = {}
    for number, title in enumerate(("Northern wind", "سقف المبنى", "Ремонт склада", "<img src=x onerror=alert(1)>")):
        stage = list(seller.stages)[number]
        first = seller.deal(
            title, stage=stage, amount=money(str(1_234_567 * (number + 1)), "RUB" if number % 2 else "EUR")
        )
    window = page_of(seller.login, lang=lang, dark=dark, width=width)
    for name, path in (("board", BOARD), ("table", TABLE), ("page", f"/deals/{first['id']}")):
        page = window.go(path)
        assert page.locator("html").get_attribute("dir") == ("rtl" if lang == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        window.check_axe()
        window.picture(f"deals-{name}-{lang}-{'dark' if dark else 'light'}-{width}")
