"""A branch's workbook comes in wholly in the browser: sent, mapped, checked, loaded, and found again in its report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from branchline.exits import Failure
from tests.browser.windows import Window, Windows
from tests.browser.workplace import Workplace

DEMO = Path(__file__).resolve().parents[2] / "demo" / "workbooks"
LONG = 180_000  # milliseconds; thousands of rows on a machine that does other work too
PERSONS = "Name;Phone;Note\nOlga Fedorova;+7 910 555 10 0{0};one\nIgor Panin;+7 910 555 11 0{0};two\n;;\n"

pytestmark = pytest.mark.timeout(600)  # real files


@pytest.fixture(scope="module")
def maven(shared_data: Callable[[str], Path]) -> Path:
    """The pipeline of a hardware seller: 8,800 rows whose figures somebody else worked out."""
    return shared_data("crm-maven-opportunities")


def send(window: Window, file: Path, kind: str, unit: str, template: str = "") -> Page:
    """Send a file from the first step and wait until the run's page is there."""
    page = window.go("/imports/new")
    page.set_input_files("#f-file", file)
    page.select_option("#f-kind", kind)
    page.select_option("#f-unit_id", unit)
    if template:
        page.select_option("#f-template_name", template)
    page.get_by_role("button", name="Send and check").click()
    page.wait_for_url("**/imports/*-*")
    return page


def press(page: Page, name: str) -> None:
    """Press a button that changes the run, and wait until its page is there anew."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def step(page: Page, name: str) -> None:
    """Go to a step of the run."""
    page.locator(".bl-steps a", has_text=name).click()
    expect(page.locator(".bl-steps a[aria-current]")).to_contain_text(name)


def await_check(page: Page, state: str = "Ready to load") -> None:
    """Wait until the page itself shows that the check has ended."""
    expect(page.locator("#run-state")).to_have_text(state, timeout=LONG)


def a_file(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    """A small file of a branch."""
    path = folder / name
    path.write_text(text, encoding=encoding)
    return path


def test_a_real_pipeline_goes_from_the_file_to_its_report_in_the_browser(
    page_of: Windows, workplace: Workplace, maven: Path
) -> None:
    unit = workplace.office.unit("hardware", "Hardware", currency_code="USD", country_code="US")
    workplace.office.settle()
    expected = json.loads((maven / "expected.json").read_text())
    feed, rest = "/services/imports/events", workplace.office.rest
    before = rest.get(feed, after_position=2**62)["last_position"]
    window = page_of("steward")
    page = send(window, maven / "products.csv", "products", workplace.office.company)
    await_check(page)
    press(page, "Load 7 rows")
    await_check(page, "Finished")

    page = send(window, maven / "sales_pipeline.csv", "deals", unit)
    await_check(page, "Stopped by findings")
    names = page.locator("#choices")
    names.get_by_label("What GTXPro means").select_option("=GTX Pro")
    names.locator("tr", has_text="every other unknown name").filter(has_text="Responsible person").get_by_role(
        "combobox"
    ).select_option("none")
    window.check_axe("#choices")
    window.picture("imports-unknown-names")
    press(page, "Take these meanings and check")
    await_check(page)
    assert page.locator(".bl-equation").inner_text().startswith("8,800 rows")
    press(page, "Load 8,800 rows")
    await_check(page, "Finished")
    counts = [int(text.replace(",", "")) for text in page.locator(".bl-equation b").all_inner_texts()]
    assert counts[0] == 8_800 == sum(counts[1:])
    window.check_axe()
    window.picture("imports-result")
    told = [one["type"].rpartition(".")[2] for one in rest.get(feed, after_position=before)["events"]]
    assert "RunProgressed" in told  # what moves the bar of an open page: it asks by itself four times a minute only
    workplace.office.settle()
    page.get_by_role("link", name="See the report").click()
    total = page.locator("#report tfoot tr, #report tbody tr").last
    assert f"${expected['won_value_total']:,}" in total.inner_text()


def test_a_percentage_among_numbers_is_refused_by_its_cell(page_of: Windows, workplace: Workplace) -> None:
    window = page_of("steward")
    page = send(window, DEMO / "berlin-auftraege.xlsx", "deals", workplace.units["tula"])
    await_check(page, "Stopped by findings")
    row = page.locator("#findings tr", has_text="25676%")
    assert "Aufträge!I41" in row.inner_text()
    assert "256.76" in row.inner_text()
    assert page.get_by_role("button", name="Load").count() == 0
    window.check_axe()
    window.picture("imports-findings")
    russian = page_of("steward", lang="ru").go(page.url.removeprefix(workplace.url)).locator("#findings")
    assert "Здесь процент, а нужно число" in russian.inner_text()
    page.get_by_role("link", name="Warning").click()
    assert "25676%" not in page.locator("#main").inner_text()
    page.goto(page.url.split("?")[0] + "?step=columns")
    assert "per cent 1" in page.locator("tr", has_text="Menge").inner_text()
    window.check_axe()
    window.picture("imports-columns")
    page.goto(page.url.split("?")[0])
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Give up").click()
    await_check(page, "Ended by a person")


def test_a_mapping_is_changed_saved_and_offered_for_the_next_file(
    page_of: Windows, workplace: Workplace, tmp_path: Path
) -> None:
    window = page_of("steward")
    page = send(window, a_file(tmp_path, "one.csv", PERSONS.format(1)), "persons", workplace.units["moscow"])
    await_check(page)
    step(page, "Columns")
    page.get_by_label("Field for column Note").select_option("")
    press(page, "Take these columns and check")
    await_check(page)
    step(page, "Columns")
    assert page.get_by_label("Field for column Note").input_value() == ""
    page.fill("#f-template", "Our persons")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved as “Our persons”, version 1").wait_for()
    run = page.url
    page = send(
        window, a_file(tmp_path, "two.csv", PERSONS.format(2)), "persons", workplace.units["moscow"], "Our persons"
    )
    await_check(page)
    step(page, "Columns")
    assert page.get_by_label("Field for column Note").input_value() == ""
    use_an_older_version(window, page)
    page.goto(run)  # left and found again
    await_check(page)
    step(page, "Check")
    press(page, "Load 2 rows")
    await_check(page, "Finished")
    page.get_by_role("link", name="2 new").click()
    assert "Olga Fedorova" in page.locator("#rows").inner_text()
    page.locator("#rows a").first.click()
    page.wait_for_url("**/customers/*")


def use_an_older_version(window: Window, page: Page) -> None:
    """Save the mapping again with one more column, and take its first version back."""
    page.get_by_label("Field for column Note").select_option("attribute")
    press(page, "Take these columns and check")
    await_check(page)
    step(page, "Columns")
    page.fill("#f-template", "Our persons")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved as “Our persons”, version 2").wait_for()
    window.allow(r"/use-template answered 400")
    page.fill("#f-template_version", "3")
    page.get_by_role("button", name="Use", exact=True).click()
    page.get_by_text("was never saved; the newest is 2").wait_for()
    window.check_axe("#use-template")
    page.fill("#f-template_version", "1")
    press(page, "Use")
    await_check(page)
    step(page, "Columns")
    assert page.get_by_label("Field for column Note").input_value() == ""


def test_another_way_of_reading_is_chosen(page_of: Windows, workplace: Workplace, tmp_path: Path) -> None:
    window = page_of("steward")
    text = "Имя;Телефон\nОльга;+7 910 555 20 01\n"
    page = send(window, a_file(tmp_path, "read.csv", text, "cp1251"), "persons", workplace.units["moscow"])
    await_check(page)
    step(page, "File")
    assert "found: semicolon" in page.locator("#reading").inner_text()
    page.select_option("#f-encoding", "cp1251")
    press(page, "Read again and check")
    await_check(page)
    step(page, "File")
    assert page.input_value("#f-encoding") == "cp1251"
    window.check_axe()
    window.picture("imports-file")


def test_an_upload_goes_on_after_the_line_was_lost(page_of: Windows, workplace: Workplace, tmp_path: Path) -> None:
    window = page_of("steward")
    window.allow("PUT /imports/files/.*offset=1048576 failed")
    window.allow("Failed to fetch|ERR_CONNECTION")
    lost: list[str] = []

    def lose_once(route: object) -> None:
        url = route.request.url  # type: ignore[attr-defined]
        if "offset=1048576" in url and not lost:
            lost.append(url)
            route.abort("connectionreset")  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    window.page.route("**/chunks?*", lose_once)
    rows = "".join(f"Person {at} Long{'g' * 60};+7 911 {at:07d}\n" for at in range(14_000))
    page = send(window, a_file(tmp_path, "large.csv", "Name;Phone\n" + rows), "persons", workplace.units["tula"])
    await_check(page)
    assert lost
    assert page.locator(".bl-equation").inner_text().startswith("14,000 rows")


def test_a_seller_brings_in_nothing(page_of: Windows) -> None:
    window = page_of("natasha")
    window.allow("GET /imports/new answered 403")
    page = window.go("/imports/new")
    assert "You are not allowed" in page.locator("h1").inner_text()
    assert page.get_by_role("link", name="Imports").count() == 0


@pytest.mark.parametrize(
    ("lang", "dark", "width"), [("en", False, 1280), ("en", True, 1280), ("ar", False, 1280), ("en", False, 390)]
)
def test_the_list_and_the_first_step_are_readable_everywhere(
    page_of: Windows, workplace: Workplace, lang: str, dark: bool, width: int
) -> None:
    workplace.office.unit("long", "Branch " + "of a very long name " * 6, workplace.units["hq"])
    if not workplace.office.rest.get("/runs")["runs"]:
        workplace.office.check(DEMO / "tula-clients.csv", workplace.units["tula"], "persons")
    window = page_of("steward", lang=lang, dark=dark, width=width)
    for path, name in (("/imports", "imports"), ("/imports/new", "imports-new")):
        page = window.go(path)
        assert page.locator("html").get_attribute("dir") == ("rtl" if lang == "ar" else "ltr")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        window.check_axe()
        window.picture(
            name
            if (lang, dark, width) == ("en", False, 1280)
            else f"{name}-{lang}-{'dark' if dark else 'light'}-{width}"
        )


def test_an_import_is_undone_after_a_look_at_what_stays(page_of: Windows, workplace: Workplace, tmp_path: Path) -> None:
    window = page_of("steward")
    text = "Name;Phone\nUlyana Otmenina;+7 910 555 77 01\nVarvara Otmenina;+7 910 555 77 02\n"
    page = send(window, a_file(tmp_path, "undone.csv", text), "persons", workplace.units["moscow"])
    await_check(page)
    press(page, "Load 2 rows")
    await_check(page, "Finished")
    run, rest = page.url.partition("?")[0], workplace.office.rest
    [ulyana, varvara] = rest.get(f"/runs/{run.rpartition('/')[2]}/rows")["rows"]
    rest.post("/interactions", {"person_id": varvara["record_id"], "kind": "note", "summary": "she is a customer"})
    press(page, "See what undoing would do")
    expect(page.get_by_role("button", name="Undo this import")).to_be_visible(timeout=LONG)
    window.picture("imports-undo")
    window.check_axe()
    page.on("dialog", lambda dialog: dialog.accept())
    press(page, "Undo this import")
    await_check(page, "Undone")
    page.get_by_role("link", name="records that stay").click()
    expect(page.locator("#kept tbody tr")).to_have_count(1)
    expect(page.locator("#kept")).to_contain_text("has calls, meetings or notes")
    window.picture("imports-kept")
    window.check_axe()
    page.get_by_role("link", name="Varvara Otmenina").click()
    page.wait_for_url("**/customers/*")
    with pytest.raises(Failure, match="person"):
        rest.get(f"/persons/{ulyana['record_id']}")
