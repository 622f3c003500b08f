"""The user guide beside the page it explains: a page of docs/user as a part of the side panel, or as a page of its own.

Markdown is drawn without any HTML of its own, and its links lead to pages of the guide or of this workplace only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gateway.web.mounting import Page
from gateway.web.texts import DEFAULT, RIGHT_TO_LEFT, current_texts
from gateway.web.visits import Visit

GUIDE = Path(__file__).resolve().parents[5] / "docs" / "user"
TOPIC = re.compile(r"[a-z][a-z0-9-]{0,40}")
PICTURE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.png")
KEPT = {"Cache-Control": "private, max-age=3600"}


@dataclass(frozen=True)
class Article:
    """A page of the guide as it is shown."""

    title: str
    body: Markup
    language: str

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return "rtl" if self.language in RIGHT_TO_LEFT else "ltr"


def show_help(visit: Visit) -> Response:
    """One page of the guide, in the viewer's language where there is one."""
    topic = visit.path["topic"]
    if not TOPIC.fullmatch(topic):
        raise HTTPException(404)
    found = read_topic(topic, current_texts().language)
    if found is None:
        return visit.render("help/missing.html" if visit.is_part else "help/missing_page.html", 404)
    return visit.render("help/part.html" if visit.is_part else "help/page.html", article=found)


def send_picture(visit: Visit) -> Response:
    """A picture of the guide."""
    name = visit.path["name"]
    path = GUIDE / "pictures" / name
    if not PICTURE.fullmatch(name) or not path.is_file():
        raise HTTPException(404)
    return Response(path.read_bytes(), media_type="image/png", headers=KEPT)


@cache
def read_topic(topic: str, language: str) -> Article | None:
    """A topic in a language, else in English; None where the guide has no such page."""
    for spoken, path in ((language, GUIDE / language / f"{topic}.md"), (DEFAULT, GUIDE / f"{topic}.md")):
        if path.is_file():
            first, _, rest = path.read_text(encoding="utf-8").partition("\n")
            return Article(first.lstrip("# ").strip(), draw_markdown(rest), spoken)
    return None


def draw_markdown(text: str) -> Markup:
    """Markdown as HTML; HTML written in it is shown as text."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = reader.parse(text)
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("href", guide_link(str(child.attrGet("href") or "")))
            if child.type == "image":
                name = str(child.attrGet("src") or "").rpartition("/")[2]
                child.attrSet("src", f"/help/pictures/{name}")
                if not (GUIDE / "pictures" / name).is_file():  # pictures are taken by a command; without them, words
                    child.type, child.content = "text", ""
    # Safe: the reader escapes everything but what it draws itself.
    return Markup(reader.renderer.render(tokens, reader.options, {}))


def guide_link(target: str) -> str:
    """Where a link of the guide leads: to another page of it, or to a page of the workplace."""
    topic = re.fullmatch(r"(?:\./)?([a-z0-9-]+)\.md(#.*)?", target)
    if topic:
        return f"/help/{topic[1]}"
    return target if target.startswith("/") and not target.startswith("//") else "/help/index"


PAGES = (
    Page("GET", "/help/{topic}", show_help),
    Page("GET", "/help/pictures/{name}", send_picture),
)
