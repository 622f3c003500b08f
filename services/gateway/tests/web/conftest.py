"""The workplace as browsers ask for it: cookies kept, redirects followed only where a test says so."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

PASSWORD = "correct horse battery"
CSRF = re.compile(r'<meta name="csrf" content="([^"]+)"')
_count = itertools.count(1)


class Browser:
    """One person's browser without scripts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx2.Client(base_url=url, timeout=30, headers={"accept-language": "en"})

    def sign_in(self, login: str, password: str = PASSWORD, **more: Any) -> httpx2.Response:
        """Send the sign-in form."""
        return self.client.post("/sign-in", data={"login": login, "password": password, **more})

    def get(self, path: str, **more: Any) -> httpx2.Response:
        """Ask for a page."""
        return self.client.get(path, **more)

    def part(self, path: str, **more: Any) -> httpx2.Response:
        """Ask for a part of a page, as htmx does."""
        return self.client.get(path, headers={"HX-Request": "true"}, **more)

    def csrf(self) -> str:
        """The forgery token of a page."""
        found = CSRF.search(self.get("/settings").text) or CSRF.search(self.get("/today").text)
        assert found
        return found[1]

    def post(self, path: str, data: dict[str, Any] | None = None, source: str = "") -> httpx2.Response:
        """Send a form as htmx does from the workplace's own page."""
        headers = {"HX-Request": "true", "X-CSRF": self.csrf(), "Sec-Fetch-Site": "same-origin", "HX-Source": source}
        return self.client.post(path, data=data or {}, headers=headers)


@pytest.fixture
def a_browser(platform: Any) -> Iterator[Callable[[], Browser]]:
    """A browser nobody is signed in at."""
    made: list[Browser] = []

    def open_one() -> Browser:
        made.append(Browser(platform.url))
        return made[-1]

    yield open_one
    for one in made:
        one.client.close()


@pytest.fixture
def a_visitor(a_browser: Callable[[], Browser], admin: Any) -> Callable[..., Browser]:
    """A new person of a unit, signed in at a browser; its login is `browser.login`."""

    def sign_in(unit: dict[str, Any], role: str = "seller", name: str = "") -> Browser:
        login = f"visitor{next(_count)}"
        positions = [{"unit_id": unit["id"], "title": role, "role": role}]
        body = {"display_name": name or login, "login": login, "password": PASSWORD, "positions": positions}
        browser = a_browser()
        browser.user = admin.post("/users", body)  # type: ignore[attr-defined]
        browser.login = login  # type: ignore[attr-defined]
        assert browser.sign_in(login).status_code == 303
        return browser

    return sign_in


@pytest.fixture
def an_administrator(a_browser: Callable[[], Browser]) -> Browser:
    """The platform's administrator, signed in at a browser."""
    browser = a_browser()
    assert browser.sign_in("admin").status_code == 303
    return browser
