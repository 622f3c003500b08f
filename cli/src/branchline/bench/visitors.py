"""A person's browser without scripts, for measuring: signs in, opens pages, sends forms, times first bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Any

import httpx2

from branchline.exits import Failure

TIMEOUT_SECONDS = 30.0
IDLE_SECONDS = 4.0  # the gateway closes a connection after five; a browser would then send a second time
CHARTS = ("echarts", "event-calendar")  # loaded by the few pages that draw
NO_ANSWER = 599  # in the place of a status: the connection broke, or nothing came in time
NO_VALUE = ("submit", "button", "radio", "checkbox")


@dataclass(frozen=True)
class Answer:
    """A page as it came: `seconds` until its first byte, `packed` its bytes on the wire."""

    status: int
    seconds: float
    packed: int
    text: str


@dataclass
class Form:
    """A form of a page with what its fields hold."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Visitor:
    """One signed-in person."""

    def __init__(self, url: str, login: str, password: str) -> None:
        headers = {"Accept-Encoding": "gzip", "Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}
        limits = httpx2.Limits(keepalive_expiry=IDLE_SECONDS)
        self.client = httpx2.Client(base_url=url, timeout=TIMEOUT_SECONDS, headers=headers, limits=limits)
        entered = self.client.post("/sign-in", data={"login": login, "password": password})
        if entered.status_code != 303:
            raise Failure(f"{login} could not sign in: {entered.status_code}")
        self.csrf = next(one["content"] for one in read_page(self.open("/today").text).named("meta", "csrf"))

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.client.close()

    def open(self, path: str, part: bool = False) -> Answer:
        """Ask for a page, or for a part as htmx does."""
        return self._ask("GET", path, {"HX-Request": "true"} if part else {})

    def cookies(self) -> str:
        """What the browser sends with each request to say who it is."""
        return "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())

    def send(self, path: str, fields: dict[str, str]) -> Answer:
        """Send a form as htmx does."""
        return self._ask("POST", path, {"HX-Request": "true", "X-CSRF": self.csrf}, data=fields)

    def _ask(self, method: str, path: str, headers: dict[str, str], **more: Any) -> Answer:
        begun = time.perf_counter()
        try:
            with self.client.stream(method, path, headers=headers, **more) as answer:
                seconds = time.perf_counter() - begun
                answer.read()
                return Answer(answer.status_code, seconds, answer.num_bytes_downloaded, answer.text)
        except httpx2.TransportError:
            return Answer(NO_ANSWER, time.perf_counter() - begun, 0, "")


class ReadPage(HTMLParser):
    """What a visitor looks for in a page: its elements with their attributes, and its forms."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.forms: list[Form] = []
        self._select = ""

    def named(self, tag: str, name: str) -> list[dict[str, str]]:
        """Elements of a kind with that `name`."""
        return [found for kind, found in self.elements if kind == tag and found.get("name") == name]

    def having(self, attribute: str) -> list[dict[str, str]]:
        """Elements with an attribute."""
        return [found for _, found in self.elements if attribute in found]

    def form(self, action: str) -> Form | None:
        """The form that is sent there."""
        return next((form for form in self.forms if form.action == action), None)

    def assets(self) -> list[str]:
        """Addresses of styles and scripts, without those that draw charts."""
        links = [found["href"] for kind, found in self.elements if kind == "link" and found.get("rel") == "stylesheet"]
        scripts = [found["src"] for kind, found in self.elements if kind == "script" and "src" in found]
        return [one for one in (*links, *scripts) if not any(chart in one for chart in CHARTS)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and the value of a field."""
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag == "form":
            self.forms.append(Form(found.get("hx-post") or found.get("action", "")))
        elif tag == "select":
            self._select = found.get("name", "")
        elif self.forms:
            self._note_value(tag, found)

    def _note_value(self, tag: str, found: dict[str, str]) -> None:
        fields, name = self.forms[-1].fields, found.get("name", "")
        if tag == "input" and name and (found.get("type") not in NO_VALUE or "checked" in found):
            fields[name] = found.get("value", "on" if "checked" in found else "")
        elif tag == "textarea" and name:
            fields.setdefault(name, "")
        elif tag == "option" and self._select and ("selected" in found or self._select not in fields):
            fields[self._select] = found.get("value", "")


def read_page(text: str) -> ReadPage:
    """A page taken apart."""
    page = ReadPage()
    page.feed(text)
    page.close()
    return page
