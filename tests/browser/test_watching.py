"""Each guard of the browser's tests seen to fail once, on made-up pages in the windows that the workplace gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from branchline.testing import PICTURES
from tests.browser import windows as windows_module
from tests.browser.site import Site, a_page, serve_site
from tests.browser.watching import PageTrouble
from tests.browser.windows import Windows

FAULTY = "let x = ; // no JavaScript"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The made-up pages, each fetching what it says; /quiet.js does nothing."""
    with serve_site() as made:
        made.put("/quiet.js", "document.title = 'A page';", "text/javascript")
        made.put("/favicon.ico", "", "image/x-icon")
        yield made


@pytest.fixture
def windows(browser: Browser, site: Site) -> Iterator[Windows]:
    """Windows onto the made-up pages; nobody signs in there."""
    opened = Windows(browser, site.url, no_sign_in, {})
    yield opened
    opened.close()


def no_sign_in(page: Page, person: str) -> None:
    """A site without people."""


def test_a_quiet_page_is_no_trouble(windows: Windows, site: Site) -> None:
    window = windows()
    window.go(site.put("/quiet", a_page('<script src="/quiet.js"></script>')))
    window.check_axe()
    assert windows.troubles() == []


LOUD = {
    "console": ("console.error('so much is wrong')", r"console: so much is wrong"),
    "uncaught": ("setTimeout(() => { throw new Error('nobody catches me') })", r"uncaught: .*nobody catches me"),
    "promise": ("Promise.reject(new Error('nobody waits for me'))", r"uncaught: .*nobody waits for me"),
    "broken": (FAULTY, r"uncaught: .*Unexpected token"),
    "fetch": ("fetch('/gone')", r"^GET /gone answered 404$"),
    "style": ("document.body.setAttribute('style', 'color: red')", r"content security policy: style-src-attr refused"),
    "elsewhere": ("new Image().src = 'http://127.0.0.2:9/x.png'", r"content security policy: img-src refused http://127"),
}  # fmt: skip


@pytest.mark.parametrize("what", LOUD)
def test_a_page_in_trouble_fails_the_test(windows: Windows, site: Site, what: str) -> None:
    script, told = LOUD[what]
    site.put(f"/{what}.js", script, "text/javascript")
    window = windows()
    window.go(site.put(f"/{what}", a_page(f'<script src="/{what}.js"></script>')))
    window.page.wait_for_load_state("networkidle")
    with pytest.raises(PageTrouble, match=f"(?m){told}"):
        windows.check()
    window.allow("")


@pytest.mark.parametrize("body", ["<script>let a = 1</script>", "<p onclick='let a = 1'>", "<p style='color: red'>"])
def test_a_page_with_something_inline_fails_the_test(windows: Windows, site: Site, body: str) -> None:
    window = windows()
    window.go(site.put("/inline", a_page(body)))
    with pytest.raises(PageTrouble, match="content security policy: (script|style)-src"):
        windows.check()
    window.allow("")


def test_a_request_to_nobody_fails_the_test(windows: Windows, site: Site) -> None:
    window = windows()
    window.page.route("**/quiet.js", lambda route: route.abort("connectionrefused"))
    window.go(site.put("/refused", a_page('<script src="/quiet.js"></script>')))
    with pytest.raises(PageTrouble, match=r"GET /quiet\.js failed: net::ERR_CONNECTION_REFUSED"):
        windows.check()
    window.allow("")


def test_a_window_that_a_page_opened_is_watched_too(windows: Windows, site: Site) -> None:
    site.put("/console.js", LOUD["console"][0], "text/javascript")
    loud = site.put("/console", a_page('<script src="/console.js"></script>'))
    window = windows()
    page = window.go(site.put("/opens", a_page(f'<a href="{loud}" target="_blank">open</a>')))
    with page.expect_popup() as popup:
        page.click("a")
    popup.value.wait_for_load_state()
    assert windows.troubles() == [f"console: so much is wrong ({site.url}/console.js)"]
    window.allow("so much is wrong")


def test_what_a_test_expects_is_allowed_and_nothing_else(windows: Windows, site: Site) -> None:
    site.put("/both.js", "fetch('/gone'); fetch('/lost')", "text/javascript")
    window = windows()
    window.allow("GET /gone answered 404")
    window.go(site.put("/both", a_page('<script src="/both.js"></script>')))
    window.page.wait_for_load_state("networkidle")
    assert windows.troubles() == ["GET /lost answered 404"]
    window.allow("GET /lost")


def test_a_request_that_its_page_gave_up_is_no_trouble(windows: Windows, site: Site) -> None:
    stop = "const stop = new AbortController(); fetch('/quiet.js', {signal: stop.signal}).catch(() => 0); stop.abort()"
    site.put("/stop.js", stop, "text/javascript")
    windows().go(site.put("/stops", a_page('<script src="/stop.js"></script>')))
    assert windows.troubles() == []


@pytest.mark.xfail(strict=True, raises=PageTrouble, reason="shows that a trouble fails the test in which it was seen")
def test_that_looks_at_nothing_fails_by_the_trouble_of_its_page(windows: Windows, site: Site) -> None:
    site.put("/console.js", LOUD["console"][0], "text/javascript")
    windows().go(site.put("/console", a_page('<script src="/console.js"></script>')))


def test_axe_names_what_it_finds_and_where(windows: Windows, site: Site) -> None:
    window = windows()
    window.go(site.put("/unnamed", a_page('<img src="data:," id="unnamed"><input id="unlabelled">')))
    window.allow("img-src")
    with pytest.raises(PageTrouble, match=r"(?s)critical image-alt: .*#unnamed.*critical label: .*#unlabelled"):
        window.check_axe()
    window.check_axe("h1")


def test_a_picture_is_taken_only_when_pictures_are_asked_for(
    windows: Windows, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows_module, "PICTURE_FOLDER", tmp_path / "pictures")
    window = windows(width=390)
    window.go(site.put("/quiet", a_page()))
    monkeypatch.delenv(PICTURES, raising=False)
    window.picture("a-page")
    assert not (tmp_path / "pictures").exists()
    monkeypatch.setenv(PICTURES, "1")
    window.picture("a-page")
    window.picture("its-heading", "h1")
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {"a-page.png", "its-heading.png"}
    assert (tmp_path / "pictures" / "a-page.png").read_bytes()[16:20] == (390).to_bytes(4)
    with pytest.raises(ValueError, match="not a picture's name"):
        window.picture("../A page")


def test_a_window_is_of_its_language_width_and_light(windows: Windows, site: Site) -> None:
    path = site.put("/quiet", a_page())
    seen = "[navigator.language, innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"
    narrow = windows(lang="ar", dark=True, width=390)
    assert narrow.go(path).evaluate(seen) == ["ar", 390, True]
    assert windows().go(path).evaluate(seen) == ["en", 1280, False]
