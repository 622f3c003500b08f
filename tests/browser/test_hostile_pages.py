"""Text that takes over other people's browsers stands on every page of the workplace and does nothing but be read."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from playwright.sync_api import Dialog, Page

from branchline.rest import Rest
from chassis.testing.eventually import eventually
from services.gateway.tests.web.addresses import Address, list_addresses
from services.gateway.tests.web.records import make_records
from tests.browser.clock import ZONE_NAME, at_hour
from tests.browser.watching import settle_events
from tests.browser.windows import Window, Windows
from tests.browser.workplace import PASSWORD, Workplace

pytestmark = pytest.mark.timeout(600)

PLANTED = "Zoe\"'><img src=x onerror=alert(1)></script></title></textarea><script>alert(2)</script>"
NAME, NOTE = 280, 9_000  # characters a name and a note may have, with some to spare
DOCUMENT = "<!doctype html"
MEETINGS = 40
# A part of a page as htmx puts it into one; the answer is what could not be read of it.
POUR = """async (urls) => {
  const place = document.body.appendChild(document.createElement("div"));
  const seen = [];
  for (const url of urls) {
    const answer = await fetch(url, {headers: {"HX-Request": "true"}});
    place.innerHTML = await answer.text();
    seen.push(answer.status);
    await new Promise((done) => setTimeout(done));
  }
  place.remove();
  return seen;
}"""
MISSING = """(texts) => texts.filter((text) => !document.body.textContent.includes(text))"""


@dataclass(frozen=True)
class _Site:
    """The running platform, in the form in which records are made."""

    rest: Rest

    def admin(self) -> _Site:
        """REST as the administrator."""
        return self

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Create something."""
        return self.rest.post(path, body, key=str(uuid4()))

    def ask(self, method: str, path: str, **more: Any) -> Any:
        """Any other call."""
        return self.rest.call(method, path, **more)

    def run_jobs(self) -> None:
        """The platform's own process does the jobs."""


@pytest.fixture(scope="module")
def lines(shared_data: Callable[[str], Path]) -> list[str]:
    """The lines that attack browsers, and the naughty strings."""
    folder = shared_data("strings-hostile")
    attacks = (folder / "xss_300.txt").read_text(encoding="utf-8").splitlines()
    naughty: list[str] = json.loads((folder / "blns.json").read_text(encoding="utf-8"))
    assert (len(attacks), len(naughty)) == (300, 515)
    return [line for line in (*attacks, *naughty) if line.strip() and "\0" not in line]


@pytest.fixture(scope="module")
def records(workplace: Workplace) -> dict[str, str]:
    """A branch whose every name, title and note is an attack, and its seller."""
    unit = workplace.office.unit("planted", PLANTED, country_code="RU", currency_code="RUB")
    workplace.office.settle()
    made = make_records(_Site(workplace.office.rest), {"id": unit}, PLANTED, PASSWORD)
    workplace.office.settle()
    return made


def pack(lines: Iterable[str], most: int) -> Iterator[str]:
    """The lines joined to texts of at most so many characters that begin and end with a letter."""
    text = "a"
    for line in lines:
        if len(text) + len(line) + 3 > most and len(text) > 1:
            yield f"{text} z"
            text = "a"
        text += f" {line[: most - 6]}"
    yield f"{text} z"


def as_shown(text: str) -> str:
    """What a browser makes of the ends of lines."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass
class Alarm:
    """Notes every dialog; an attack that gets anywhere opens one."""

    window: Window
    opened: list[str]

    @classmethod
    def of(cls, window: Window) -> Alarm:
        """Watch a window from now on."""
        opened: list[str] = []

        def note(dialog: Dialog) -> None:
            opened.append(dialog.message)
            dialog.dismiss()

        window.page.on("dialog", note)
        return cls(window, opened)

    def check(self, where: str) -> None:
        """Nothing has opened, and nothing of ours has been changed by a script."""
        settle_events(self.window.page)
        assert self.opened == [], where
        assert self.window.watch.troubles() == [], where


def whole_pages(window: Window, addresses: Iterable[Address]) -> list[str]:
    """The addresses that answer a page rather than a part or a file."""
    found = []
    for path in dict.fromkeys(one.path for one in addresses):
        answer = window.page.request.get(path, max_redirects=0)
        if answer.status == 200 and answer.text().lower().startswith(DOCUMENT):
            found.append(path)
    return found


def open_calmly(alarm: Alarm, path: str) -> Page:
    """Open a page, give its scripts time, and look for trouble."""
    page = alarm.window.go(path)
    page.wait_for_load_state("load")
    alarm.check(path)
    return page


def test_an_attack_that_got_through_would_be_noticed(page_of: Windows) -> None:
    window = page_of()
    alarm = Alarm.of(window)
    page = open_calmly(alarm, "/sign-in")
    page.evaluate("(text) => document.body.insertAdjacentHTML('beforeend', text)", PLANTED)
    with pytest.raises(AssertionError, match="script-src"):
        alarm.check("planted by hand")
    window.allow("content security policy|console|GET /x|GET /sign-in/x")
    alarm.check("what is allowed is no alarm")
    page.evaluate("alert(3)")
    with pytest.raises(AssertionError, match="3"):
        alarm.check("a dialog by hand")


def test_every_page_shows_planted_text_and_runs_nothing(page_of: Windows, records: dict[str, str]) -> None:
    for person in (records["login"], "admin"):
        window = page_of(person)
        alarm = Alarm.of(window)
        addresses = list_addresses(records, "GET")
        pages = whole_pages(window, addresses)
        assert len(pages) > 15
        for path in pages:
            open_calmly(alarm, path)
        parts = sorted({one.path for one in addresses} - set(pages))
        window.allow("answered 4")  # parts that this person may not have
        window.page.evaluate(POUR, [path for path in parts if not path.endswith(("/file", "/result"))])
        alarm.check("the parts of pages")


def test_every_attack_is_a_name_a_note_a_title_and_a_meeting_that_can_be_read(
    page_of: Windows, workplace: Workplace, records: dict[str, str], lines: list[str]
) -> None:
    site, unit = _Site(workplace.office.rest), records["unit"]
    names = list(pack(lines, NAME))
    persons = [site.post("/persons", {"display_name": name, "unit_id": unit})["person"] for name in names]
    notes = list(pack(lines, NOTE))
    about = persons[0]["id"]
    for note in notes:
        site.post("/interactions", {"kind": "note", "summary": note, "unit_id": unit, "person_id": about})
    owner = {"unit_id": unit, "owner_id": records["user"]}
    for name in names:
        site.post("/deals", {"title": name, "person_id": about, **owner})
    noon = at_hour(12)
    for number, name in enumerate(names[:MEETINGS]):
        due = (noon + timedelta(minutes=10 * number)).isoformat()
        body = {"kind": "meeting", "subject": name, "due_time": due, "time_zone": ZONE_NAME, "person_id": about}
        site.post("/activities", {**body, **owner})
    workplace.office.settle()
    alarm = Alarm.of(page_of(records["login"]))
    card = open_calmly(alarm, f"/customers/{about}")
    assert card.evaluate(MISSING, [as_shown(note) for note in notes]) == []
    shown = [as_shown(one["display_name"]) for one in persons]
    assert read_pages(alarm, f"/customers?unit={unit}", shown) == []
    assert read_pages(alarm, f"/deals?view=table&unit={unit}", [as_shown(name) for name in names]) == []
    for path in ("/deals?view=board", "/calendar?view=week", "/calendar?view=day", "/today", "/search?q=onerror"):
        open_calmly(alarm, path)


def read_pages(alarm: Alarm, path: str, texts: list[str]) -> list[str]:
    """Those of the texts that no page of a list shows."""
    page = open_calmly(alarm, path)
    for _ in itertools.repeat(None, 30):
        texts = page.evaluate(MISSING, texts)
        onward = page.locator("a[rel=next]").first
        if not texts or not onward.count():
            return texts
        page = open_calmly(alarm, str(onward.get_attribute("href")))
    return texts


def test_every_attack_is_searched_for_filtered_by_and_refused_in_peace(
    page_of: Windows, records: dict[str, str], lines: list[str]
) -> None:
    window = page_of(records["login"])
    alarm = Alarm.of(window)
    window.allow("answered 4")  # what is no day, no unit, no view is refused
    texts = list(pack(lines, 190))
    page = open_calmly(alarm, "/today")
    asked = {"/search/suggest": "q", "/search": "q", "/quick/picks": "typed", "/quick/alike": "display_name",
             "/reports": "q", "/customers": "q"}  # fmt: skip
    for number, (path, name) in enumerate(asked.items()):
        some = texts if number == 0 else texts[number :: len(asked) - 1]  # each is typed, and sent elsewhere once
        assert set(page.evaluate(POUR, [f"{path}?{urlencode({name: text})}" for text in some])) <= {200, 400}
        alarm.check(f"{path}?{name}=")
    names = [("/reports/funnel", name) for name in ("unit", "from", "period", "group_by", "compare")]
    names += [("/deals", name) for name in ("owner", "status", "view", "page", "order")]
    names += [("/calendar", name) for name in ("who", "date", "view")] + [("/search", "q")]
    for (path, name), text in zip(names, texts[:: len(texts) // len(names)], strict=False):
        open_calmly(alarm, f"{path}?{urlencode({name: text})}")


def test_what_is_typed_while_searching_is_only_text(page_of: Windows, records: dict[str, str]) -> None:
    alarm = Alarm.of(page_of(records["login"]))
    page = open_calmly(alarm, "/today")
    box = page.locator("input[type=search][name=q]").first
    box.fill(PLANTED)
    eventually(lambda: page.locator("text=onerror").count() or page.locator("[role=listbox]").count())
    box.fill("Zoe")
    page.locator("[role=option]").first.wait_for()
    assert "<img src=x onerror=alert(1)>" in page.locator("body").inner_text()
    alarm.check("the search as one types")


def test_the_door_shows_what_was_typed_as_text(page_of: Windows) -> None:
    window = page_of()
    alarm = Alarm.of(window)
    window.allow("POST /sign-in answered 401")
    page = open_calmly(alarm, f"/sign-in?{urlencode({'next': 'javascript:alert(1)//' + PLANTED})}")
    page.fill("input[name=login]", PLANTED)
    page.fill("input[name=password]", PLANTED)
    page.click("form button[type=submit]")
    assert page.input_value("input[name=login]") == PLANTED
    assert page.input_value("input[name=password]") == ""
    alarm.check("the door")
