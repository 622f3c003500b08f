"""A person's browser without scripts, for measuring: signs in, opens pages, sends forms, times first bytes."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httpx2

from branchline.exits import Failure

TIMEOUT_SECONDS = 30.0
IDLE_SECONDS = 4.0  # the gateway closes a connection after five; a browser would then send a second time
CHARTS = ("echarts", "event-calendar")  # loaded by the few pages that draw
NO_ANSWER = 599  # in the place of a status: the connection broke, or nothing came in time
NO_VALUE = ("submit", "button", "radio", "checkbox")
ATTRIBUTE = re.compile(r'([\w:.-]+)(?:="([^"]*)")?')
FIELD = re.compile(r"<(input|textarea|select|option)\b([^<>]*)>")
FORM = re.compile(r"(<form\b[^<>]*)>(.*?)</form>", re.DOTALL)


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
        self.csrf = next(one["content"] for one in ReadPage(self.open("/today").text).named("meta", "csrf"))

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


class ReadPage:
    """What a visitor looks for in a page: elements with their attributes, and forms.

    A page is looked through for what is asked and not taken apart: fifty visitors share one processor with what they
    measure, and a parser would take as much of it as the page itself.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def named(self, tag: str, name: str) -> list[dict[str, str]]:
        """Elements of a kind with that `name`."""
        return [read_attributes(one) for one in self._holding(f' name="{name}"') if one.startswith(f"<{tag} ")]

    def having(self, attribute: str) -> list[dict[str, str]]:
        """Elements with an attribute that has a value."""
        return [read_attributes(one) for one in self._holding(f' {attribute}="')]

    def form(self, action: str) -> Form | None:
        """The form that is sent there."""
        for found in FORM.finditer(self._text):
            begin = read_attributes(found[1])
            if action == (begin.get("hx-post") or begin.get("action", "")):
                return Form(action, read_fields(found[2]))
        return None

    def assets(self) -> list[str]:
        """Addresses of styles and scripts, without those that draw charts."""
        links = [one["href"] for one in self.having("rel") if one["rel"] == "stylesheet"]
        scripts = [one["src"] for one in self.having("src") if one["src"].endswith(".js")]
        return [one for one in (*links, *scripts) if not any(chart in one for chart in CHARTS)]

    def _holding(self, part: str) -> Iterator[str]:
        """The opening tags in which a text stands; pages write `<`, `>` and quotes in values as entities."""
        at = self._text.find(part)
        while at >= 0:
            end = self._text.find(">", at)
            yield self._text[self._text.rfind("<", 0, at) : end]
            at = self._text.find(part, end)


def read_attributes(tag: str) -> dict[str, str]:
    """The attributes of an opening tag; one without a value has an empty one."""
    return {name: html.unescape(value) for name, value in ATTRIBUTE.findall(tag.partition(" ")[2])}


def read_fields(inside: str) -> dict[str, str]:
    """What the fields of a form hold when nobody has touched them."""
    fields: dict[str, str] = {}
    choice = ""
    for tag, rest in FIELD.findall(inside):
        found = read_attributes(f"<{tag} {rest}")
        name = found.get("name", "")
        if tag == "select":
            choice = name
        elif tag == "input" and name and (found.get("type") not in NO_VALUE or "checked" in found):
            fields[name] = found.get("value", "on" if "checked" in found else "")
        elif tag == "textarea" and name:
            fields.setdefault(name, "")
        elif tag == "option" and choice and ("selected" in found or choice not in fields):
            fields[choice] = found.get("value", "")
    return fields
