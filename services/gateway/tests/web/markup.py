"""A page taken apart: the text that is read, and whatever in it could run."""

from __future__ import annotations

from html.parser import HTMLParser

CALLED_FOR_BY_SCRIPTS = ("javascript:", "data:", "vbscript:")
ALIVE = ("iframe", "object", "embed", "base", "style", "frame", "applet")


class Markup(HTMLParser):
    """The text of a page, and whatever in it could run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.alive: list[str] = []
        self.feed(page)
        self.close()

    @property
    def text(self) -> str:
        """All text, as it is read."""
        return "".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element."""
        found = {name: value or "" for name, value in attrs}
        leads = [found.get(name, "").strip().lower() for name in ("href", "src", "action", "formaction")]
        lives = (
            tag in ALIVE
            or (tag == "script" and not found.get("src", "").startswith("/assets/"))
            or any(name.startswith("on") or name in ("style", "srcdoc") for name in found)
            or any(one.startswith(CALLED_FOR_BY_SCRIPTS) for one in leads)
            or found.get("src") == "x"
        )
        if lives:
            self.alive.append(f"<{tag} {found}>")

    def handle_data(self, data: str) -> None:
        """Keep a piece of text."""
        self.texts.append(data)
