"""Windows of one test: a person's, in a language, width and light; watched, looked at by axe, photographed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, StorageState

from branchline.testing import PICTURES
from gateway.web.installing import TESTS_ONLY, VENDOR
from tests.browser.clock import ZONE_NAME
from tests.browser.watching import PageTrouble, Watch, settle_events

AXE = VENDOR / TESTS_ONLY / "axe.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SERIOUS = ("serious", "critical")
PICTURE_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "user" / "pictures"
NARROW = 600  # pixels; a window below is a phone's, touched and as high as a phone
PATIENCE = 20_000  # milliseconds until an element that does not come fails the test

SignIn = Callable[[Page, str], None]


@dataclass(frozen=True)
class Window:
    """One open window: `page` is Playwright's, addresses are relative to the workplace."""

    page: Page
    watch: Watch

    def go(self, path: str) -> Page:
        """Open an address and answer the page."""
        self.page.goto(path)
        return self.page

    def allow(self, pattern: str) -> None:
        """Expect a trouble, which otherwise fails the test at its end; a regular expression on its text."""
        self.watch.allow(pattern)

    def check_axe(self, within: str = "") -> None:
        """Let axe look at the page, or at what a selector finds. Errors: PageTrouble with every serious finding."""
        self.page.evaluate("scrollTo(0, 0)")  # what lies half below the bar at the top is not too small
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = self.page.evaluate(
            "([within, rules]) => axe.run(within || document, {runOnly: rules, resultTypes: ['violations']})"
            ".then((result) => result.violations)",
            [within, RULES],
        )
        serious = [describe_finding(one) for one in found if one["impact"] in SERIOUS]
        if serious:
            raise PageTrouble(f"axe on {self.page.url}:\n" + "\n".join(serious))

    def picture(self, name: str, within: str = "") -> None:
        """Write the window, or what a selector finds, into the user guide when pictures are asked for."""
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            raise ValueError(f"{name!r} is not a picture's name: small letters, digits and hyphens")
        if os.environ.get(PICTURES) != "1":
            return
        PICTURE_FOLDER.mkdir(parents=True, exist_ok=True)
        path = PICTURE_FOLDER / f"{name}.png"
        if within:
            self.page.locator(within).screenshot(path=path, animations="disabled")
        else:
            self.page.screenshot(path=path, animations="disabled")


class Windows:
    """Opens windows for one test, each with its own cookies, and says at the end what went wrong in any."""

    def __init__(self, browser: Browser, url: str, sign_in: SignIn, signed_in: dict[str, StorageState]) -> None:
        self._browser, self._url, self._sign_in, self._signed_in = browser, url, sign_in, signed_in
        self._contexts: list[BrowserContext] = []
        self._watches: list[Watch] = []

    def __call__(
        self,
        person: str = "",
        *,
        lang: str = "en",
        dark: bool = False,
        width: int = 1280,
        height: int = 0,
        fresh: bool = False,
    ) -> Window:
        """A window of a person, of a stranger without one; `fresh` signs in anew, for tests that end the session."""
        if person and not fresh and person not in self._signed_in:
            self._signed_in[person] = self._remember(person)
        window = self._open(None if fresh or not person else self._signed_in[person], lang, dark, width, height)
        if person and fresh:
            self._sign_in(window.page, person)
        return window

    def troubles(self) -> list[str]:
        """What went wrong until now, in any window."""
        for context in self._contexts:
            for page in context.pages:
                settle_events(page)
        return [trouble for watch in self._watches for trouble in watch.troubles()]

    def check(self) -> None:
        """Errors: PageTrouble when anything went wrong that the test did not allow."""
        if troubles := self.troubles():
            raise PageTrouble("the browser had to report:\n" + "\n".join(troubles))

    def close(self) -> None:
        """Close every window."""
        for context in self._contexts:
            context.close()

    def _remember(self, person: str) -> StorageState:
        window = self._open(None, "en", False, 1280, 0)
        self._sign_in(window.page, person)
        return window.page.context.storage_state()

    def _open(self, state: StorageState | None, lang: str, dark: bool, width: int, height: int) -> Window:
        narrow = width < NARROW
        context = self._browser.new_context(
            base_url=self._url,
            storage_state=state,
            locale=lang,
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": height or (844 if narrow else 800)},
            has_touch=narrow,
            reduced_motion="reduce",
            timezone_id=ZONE_NAME,
        )
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        watch = Watch(context)
        self._watches.append(watch)
        return Window(context.new_page(), watch)


def describe_finding(finding: dict[str, Any]) -> str:
    """One finding of axe with the elements it is about."""
    targets = [" ".join(map(str, node["target"])) for node in finding["nodes"]]
    return f"{finding['impact']} {finding['id']}: {finding['help']}: {', '.join(targets[:5])} ({len(targets)} in all)"
