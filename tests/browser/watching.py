"""What went wrong in a browser while nobody looked: errors in its console, policy reports, requests that failed."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, Response, WebError

# Runs before any script of a page. A report is an event of the document, whatever the browser writes to the console.
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (violation) => window.reportViolation(
  `${violation.effectiveDirective} refused ${violation.blockedURI} (${violation.sourceFile}:${violation.lineNumber})`));
"""
GIVEN_UP = "net::ERR_ABORTED"  # by the page itself: it was left, or a newer request took this one's place
OF_A_RESPONSE = "Failed to load resource"  # the console says again what the response said


class PageTrouble(AssertionError):
    """A page that looked well was not."""


class Watch:
    """Notes every trouble of a browser context from now on; what a test expects it allows."""

    def __init__(self, context: BrowserContext) -> None:
        self._troubles: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        context.on("console", self._console)
        context.on("weberror", self._web_error)
        context.on("requestfailed", self._request_failed)
        context.on("response", self._response)
        context.expose_binding("reportViolation", self._violation)
        context.add_init_script(REPORT_VIOLATIONS)

    def allow(self, pattern: str) -> None:
        """Expect troubles whose text holds a regular expression, such as `POST /deals/.* answered 409`."""
        self._allowed.append(re.compile(pattern))

    def troubles(self) -> list[str]:
        """What was noted and is not allowed."""
        return [one for one in self._troubles if not any(allowed.search(one) for allowed in self._allowed)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(OF_A_RESPONSE):
            self._troubles.append(f"console: {message.text} ({message.location['url']})")

    def _web_error(self, trouble: WebError) -> None:
        self._troubles.append(f"uncaught: {trouble.error}")

    def _request_failed(self, request: Request) -> None:
        if request.failure != GIVEN_UP:
            self._troubles.append(f"{request.method} {path_of(request.url)} failed: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._troubles.append(f"{response.request.method} {path_of(response.url)} answered {response.status}")

    def _violation(self, _: dict[str, Any], report: str) -> None:
        self._troubles.append(f"content security policy: {report}")


def path_of(url: str) -> str:
    """The part of an address that tests name: path and query."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def settle_events(page: Page) -> None:
    """Have the browser hand over what has happened until now: a question is answered after all earlier news."""
    with suppress(Error):  # a page that is just closing or leaving has nothing more to say
        page.evaluate("() => new Promise((done) => setTimeout(done))")
